import { estimatePrompt } from '../estimate.ts'
import { openaiErrors } from './openai-error.ts'
import type { Surface } from './surface.ts'
import { wholeOnly } from './whole-only.ts'

/** https://platform.openai.com/docs/api-reference/responses/input-tokens: where the target does not count, we estimate, and say so. */
export const inputTokens = {
  name: 'input_tokens',
  operation: 'count_tokens',
  paths: ['/v1/responses/input_tokens'],
  watch: wholeOnly(() => undefined),
  local: (body) => ({
    body: { object: 'response.input_tokens', input_tokens: estimatePrompt(body) },
    headers: ['x-tradewind-estimated', 'true'],
  }),
  ...openaiErrors,
} as const satisfies Surface
