import { envelope } from '../errors.ts'
import type { Failure } from '../errors.ts'

/** Errors as OpenAI's API says them, whole and in a stream: https://platform.openai.com/docs/guides/error-codes */
export const openaiErrors = {
  error: (failure: Failure, words: string, requestId: string) => ({ body: envelope(failure, requestId, words) }),
  errorEvent: (failure: Failure, words: string, requestId: string) =>
    Buffer.from(`data: ${envelope(failure, requestId, words)}\n\n`),
} as const
