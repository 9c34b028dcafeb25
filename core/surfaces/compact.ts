import { record } from '../openai-usage.ts'
import { readUsage } from '../dialects/responses/usage.ts'
import { openaiErrors } from './openai-error.ts'
import type { Surface } from './surface.ts'
import { wholeOnly } from './whole-only.ts'

/** https://platform.openai.com/docs/api-reference/responses/compact: what comes back is sealed by OpenAI, and no other's to make. */
export const compact = {
  name: 'responses_compact',
  operation: 'responses',
  paths: ['/v1/responses/compact'],
  watch: wholeOnly((body) => readUsage(record(body)?.['usage'])),
  ...openaiErrors,
} as const satisfies Surface
