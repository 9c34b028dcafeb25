import type { NativeCall } from './provider.ts'

/** The surfaces of OpenAI's API, with their paths after a base URL that ends in `/v1`. */
export const openaiPaths: ReadonlyMap<string, string> = new Map([
  ['chat', '/chat/completions'],
  ['completions', '/completions'],
  ['embeddings', '/embeddings'],
  ['responses', '/responses'],
  ['input_tokens', '/responses/input_tokens'],
  ['responses_compact', '/responses/compact'],
  ['moderations', '/moderations'],
  ['image_generations', '/images/generations'],
  ['image_edits', '/images/edits'],
  ['image_variations', '/images/variations'],
  ['speech', '/audio/speech'],
  ['transcriptions', '/audio/transcriptions'],
  ['translations', '/audio/translations'],
  ['realtime', '/realtime'],
])

/** Not OpenAI's own: vLLM, SGLang, Jina and others serve both forms of Cohere's there. */
const otherPaths: ReadonlyMap<string, string> = new Map([
  ['rerank', '/rerank'],
  ['rerank_v2', '/rerank'],
])

/** The native call of a surface among those that a provider of the family serves. */
export function openaiCall(surface: string, served: ReadonlySet<string>, model = ''): NativeCall | undefined {
  const path = served.has(surface) ? (openaiPaths.get(surface) ?? otherPaths.get(surface)) : undefined
  if (path === undefined) return undefined
  // A WebSocket has no body to name the model in.
  return { path: surface === 'realtime' ? `${path}?model=${encodeURIComponent(model)}` : path }
}
