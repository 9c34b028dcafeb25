import type { Failure } from '../../errors.ts'
import { failed } from './writer.ts'

/** Errors as Cohere says them, with our code: https://docs.cohere.com/reference/errors */
export const cohereErrors = {
  error: ({ code }: Failure, words: string, requestId: string) => ({
    body: JSON.stringify({ id: requestId, message: words, code }),
  }),
  errorEvent: (_failure: Failure, words: string) => Buffer.from(failed(words)),
} as const
