import { countContents } from '../dialects/gemini/count-contents.ts'
import { googleErrors } from '../dialects/gemini/error.ts'
import { foundAt } from '../dialects/gemini/paths.ts'
import type { Surface } from './surface.ts'
import { wholeOnly } from './whole-only.ts'

/** https://ai.google.dev/api/tokens: where the target does not count, we estimate, and say so. */
export const countContentTokens = {
  name: 'count_content_tokens',
  operation: 'count_tokens',
  paths: [],
  find: (path) => foundAt(path, 'countTokens', false),
  watch: wholeOnly(() => undefined),
  local: (body) => ({ body: { totalTokens: countContents(body) }, headers: ['x-tradewind-estimated', 'true'] }),
  ...googleErrors,
} as const satisfies Surface
