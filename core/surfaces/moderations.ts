import { mediaWatch } from './media-watch.ts'
import { openaiErrors } from './openai-error.ts'
import type { Surface } from './surface.ts'

/** https://platform.openai.com/docs/api-reference/moderations/create */
export const moderations = {
  name: 'moderations',
  operation: 'moderations',
  paths: ['/v1/moderations'],
  defaultModel: 'omni-moderation-latest',
  watch: mediaWatch({ member: 'results', makes: 'text' }),
  ...openaiErrors,
} as const satisfies Surface
