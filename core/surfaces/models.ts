import { openaiErrors } from './openai-error.ts'
import type { Surface } from './surface.ts'

const LIST = '/v1/models'

/** https://platform.openai.com/docs/api-reference/models */
export const models = {
  name: 'models',
  operation: 'models',
  paths: [],
  find(path) {
    const full = path.startsWith('/v1/') ? path : `/v1${path}`
    return full === LIST || full.startsWith(`${LIST}/`) ? { path: full, method: 'GET' } : undefined
  },
  ...openaiErrors,
} as const satisfies Surface
