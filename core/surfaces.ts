import type { Surface } from './exchange.ts'

const POST: Readonly<Record<string, Surface>> = {
  '/v1/chat/completions': 'chat',
  '/v1/completions': 'completions',
  '/v1/embeddings': 'embeddings',
}

/** The surface that a path belongs to, with the path as the API's reference has it and the method that it takes. */
export interface Found {
  readonly surface: Exclude<Surface, 'opaque'>
  readonly path: string
  readonly method: 'GET' | 'POST'
}

/**
 * The OpenAI surface of a path, whether the caller's base URL ended in `/v1` or not, with or without a slash at the end. Undefined for
 * anything else, which may be passed through.
 */
export function surfaceOf(path: string): Found | undefined {
  const bare = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
  const full = bare.startsWith('/v1/') ? bare : `/v1${bare}`
  const surface = Object.hasOwn(POST, full) ? POST[full] : undefined
  if (surface && surface !== 'opaque') return { surface, path: full, method: 'POST' }
  if (full === '/v1/models' || full.startsWith('/v1/models/')) return { surface: 'models', path: full, method: 'GET' }
  return undefined
}
