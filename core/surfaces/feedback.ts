import { openaiErrors } from './openai-error.ts'
import type { Surface } from './surface.ts'

/** What callers think of answers that they got: taken by the sidecar itself. */
export const feedback = {
  name: 'feedback',
  operation: 'feedback',
  paths: ['/v1/feedback'],
  ...openaiErrors,
} as const satisfies Surface
