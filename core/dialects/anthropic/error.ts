import type { Failure } from '../../errors.ts'

/** https://platform.claude.com/docs/en/api/errors */
const types: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [405, 'invalid_request_error'],
  [409, 'conflict_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
])

/** A failure as Anthropic's API says it; our own code stands where its SDKs read `errorCode` from. */
function errorBody({ entry, code }: Failure, words: string, requestId: string): string {
  const type = types.get(entry.status) ?? (entry.status < 500 ? 'invalid_request_error' : 'api_error')
  return JSON.stringify({
    type: 'error',
    error: { type, message: words, details: { error_code: code } },
    request_id: requestId,
  })
}

/** The same in the middle of a stream. */
export function errorEvent(failure: Failure, words: string, requestId: string): Buffer {
  return Buffer.from(`event: error\ndata: ${errorBody(failure, words, requestId)}\n\n`)
}

/** For a surface: errors as Anthropic's SDKs raise them, which find the request's id in a header. */
export const anthropicErrors = {
  error: (failure: Failure, words: string, requestId: string) => ({
    body: errorBody(failure, words, requestId),
    headers: ['request-id', requestId],
  }),
  errorEvent,
} as const
