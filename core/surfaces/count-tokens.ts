import { countRequest } from '../dialects/anthropic/count-request.ts'
import { anthropicErrors } from '../dialects/anthropic/error.ts'
import type { Surface } from './surface.ts'
import { wholeOnly } from './whole-only.ts'

/** https://platform.claude.com/docs/en/api/messages/count_tokens: where the target does not count, we estimate, and say so. */
export const countTokens = {
  name: 'count_tokens',
  operation: 'count_tokens',
  paths: ['/v1/messages/count_tokens'],
  watch: wholeOnly(() => undefined),
  local: (body) => ({ body: { input_tokens: countRequest(body) }, headers: ['x-tradewind-estimated', 'true'] }),
  ...anthropicErrors,
} as const satisfies Surface
