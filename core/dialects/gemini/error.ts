import type { Failure } from '../../errors.ts'

/** https://cloud.google.com/apis/design/errors#http_mapping; the rest by their nearest kin. */
const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  408: 'DEADLINE_EXCEEDED',
  409: 'ABORTED',
  413: 'INVALID_ARGUMENT',
  415: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

/**
 * An error as Google's SDKs raise it, as JSON text: https://google.aip.dev/193. Our own code stands in the details, as the reason; how
 * long to wait too, where that is known.
 */
export function googleError({ code, entry, retryAfter }: Failure, words: string, requestId: string): string {
  const info = {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: code.toUpperCase(),
    domain: 'tradewind.dev',
    metadata: { request_id: requestId },
  }
  const retry =
    retryAfter === undefined
      ? []
      : [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${Math.ceil(retryAfter / 1000)}s` }]
  return JSON.stringify({
    error: {
      code: entry.status,
      message: words,
      status: statuses[entry.status] ?? (entry.status < 500 ? 'FAILED_PRECONDITION' : 'UNKNOWN'),
      details: [info, ...retry],
    },
  })
}

/** Errors of the surfaces of Google's API, whole and in a stream. */
export const googleErrors = {
  error: (failure: Failure, words: string, requestId: string) => ({ body: googleError(failure, words, requestId) }),
  errorEvent: (failure: Failure, words: string, requestId: string) =>
    Buffer.from(`data: ${googleError(failure, words, requestId)}\r\n\r\n`),
} as const
