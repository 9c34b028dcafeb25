/** What `retry.when` of a rule names. */
export type RetryKind = 'Connect' | 'Reset' | 'Timeout' | 'Status5xx' | 'Status429'
/** What `fallback.when` of a rule names. */
export type FallbackKind = RetryKind | 'ContextLength' | 'ContentFilter' | 'Truncated'

interface Entry {
  /** The HTTP status that the caller gets. */
  readonly status: number
  /** `type` of the OpenAI envelope. */
  readonly type: 'invalid_request_error' | 'server_error' | 'rate_limit_error'
  /** What the caller reads; a detail may follow. */
  readonly message: string
  /** The same target may be asked again where the rule's `retry.when` has this. */
  readonly retry?: RetryKind
  /** The next target may be asked where the rule's `fallback.when` has this. */
  readonly fallback?: FallbackKind
  /** What it says of the target: `failure` counts against it (the default), `none` says nothing, `success` that it is alive. */
  readonly verdict?: 'failure' | 'none' | 'success'
}

const caller = { type: 'invalid_request_error', verdict: 'none' } as const
const ours = { type: 'server_error', verdict: 'none' } as const

/**
 * Every error that a caller can get from us, once: its stable code, HTTP status, what it says of the target, and which words of
 * `retry.when` and `fallback.when` cover it. A failure that no word covers is surfaced as it is.
 */
export const errors = {
  // The caller's own doing: nothing is asked of any target.
  invalid_json: { ...caller, status: 400, message: 'The request body is not valid JSON.' },
  model_required: { ...caller, status: 400, message: 'The request body must be a JSON object with a string "model".' },
  invalid_request: { ...caller, status: 400, message: 'The request is not what the API takes.' },
  body_incomplete: { ...caller, status: 400, message: 'The request body ended early.' },
  model_not_found: { ...caller, status: 404, message: 'No route on this pod serves that model.' },
  decision_unknown: {
    ...caller,
    status: 404,
    message:
      'No answer of the last day is known by that request id: it was given by another pod, or is too long ago, or its rule makes nothing of feedback. It was written to the decision log.',
  },
  path_not_found: { ...caller, status: 404, message: 'Nothing is served at that path.' },
  rule_not_found: { ...caller, status: 404, message: 'The route has no rule that matches the request.' },
  method_not_allowed: { ...caller, status: 405, message: 'The path does not take that method.' },
  body_timeout: { ...caller, status: 408, message: 'The request body did not arrive in time.' },
  body_too_large: { ...caller, status: 413, message: 'The request body is too large.' },
  encoding_not_supported: {
    ...caller,
    status: 415,
    message: 'The request body must be sent without content-encoding.',
  },
  client_closed: { ...caller, status: 499, message: 'The client left before the answer was whole.' },

  // Our own state or configuration.
  internal: { ...ours, status: 500, message: 'Tradewind met an error of its own.' },
  no_target: { ...ours, status: 500, message: 'The rule has no target that resolves.' },
  all_weights_zero: { ...ours, status: 500, message: 'All weights of the rule are 0.' },
  target_unavailable: {
    ...ours,
    status: 503,
    message: 'The target that this share of requests belongs to is unavailable.',
  },
  not_configured: { ...ours, status: 503, message: 'The sidecar has no configuration yet.' },
  draining: { ...ours, status: 503, message: 'The sidecar is stopping.' },
  request_timeout: { ...ours, status: 504, message: 'The deadline of the whole request passed.' },

  // The rule's targets, by what their manifests and the rule's adjustments say.
  no_capable_target: { ...caller, status: 400, message: 'No target of the rule can take the request.' },
  target_not_allowed: { ...caller, status: 403, message: 'The rule allows no target for the request.' },

  // The target's dialect has no place for it: the next target is asked, whatever `fallback.when` has.
  not_translatable: { ...caller, status: 400, message: 'The target’s API cannot take the request.' },
  operation_not_supported: { ...caller, status: 400, message: 'The target’s API has no such operation.' },

  // Why a target was not asked, or not with this request: the next one is, whatever `fallback.when` has.
  endpoint_full: {
    ...ours,
    status: 429,
    type: 'rate_limit_error',
    message: 'The endpoint has as many requests in flight as it takes.',
  },
  circuit_open: { ...ours, status: 503, message: 'The circuit breaker of the target is open.' },
  cooling: {
    ...ours,
    status: 429,
    type: 'rate_limit_error',
    retry: 'Status429',
    message: 'The target asked to be left alone for a while.',
  },
  unhealthy: { ...ours, status: 503, message: 'No address of the target is healthy.' },
  key_elsewhere: {
    ...ours,
    status: 502,
    message: 'The caller’s own key is passed on to one host only, and it was for another.',
  },
  address_forbidden: {
    ...ours,
    status: 502,
    verdict: 'failure',
    fallback: 'Connect',
    message: 'The target’s name resolves to a link-local or metadata address.',
  },

  credentials_unavailable: {
    ...ours,
    status: 502,
    verdict: 'failure',
    retry: 'Connect',
    fallback: 'Connect',
    message: 'No credentials for the target could be had.',
  },

  // How an attempt ended that another one made needless, or that could not be joined to what the caller has.
  hedge_lost: { ...ours, status: 502, message: 'Another target was faster.' },
  escalated: { ...ours, status: 502, message: 'A stronger target gave a better answer.' },
  displaced: { ...ours, status: 503, message: 'A call that nobody waits for made room for a caller’s.' },
  replay_diverged: { ...ours, status: 502, message: 'The answer does not begin with what the caller has.' },

  // What a target did.
  connect_failed: {
    status: 502,
    type: 'server_error',
    retry: 'Connect',
    fallback: 'Connect',
    message: 'No connection to the target.',
  },
  connect_timeout: {
    status: 504,
    type: 'server_error',
    retry: 'Connect',
    fallback: 'Connect',
    message: 'The target did not take the connection in time.',
  },
  connection_reset: {
    status: 502,
    type: 'server_error',
    retry: 'Reset',
    fallback: 'Reset',
    message: 'The target closed the connection before it answered.',
  },
  first_token_timeout: {
    status: 504,
    type: 'server_error',
    retry: 'Timeout',
    fallback: 'Timeout',
    message: 'The first token did not come in time.',
  },
  idle_timeout: {
    status: 504,
    type: 'server_error',
    retry: 'Timeout',
    fallback: 'Timeout',
    message: 'The answer stalled.',
  },
  attempt_timeout: {
    status: 504,
    type: 'server_error',
    retry: 'Timeout',
    fallback: 'Timeout',
    message: 'The target did not answer in time.',
  },
  upstream_truncated: {
    status: 502,
    type: 'server_error',
    retry: 'Reset',
    fallback: 'Truncated',
    message: 'The answer ended before it was finished.',
  },
  upstream_malformed: {
    status: 502,
    type: 'server_error',
    retry: 'Reset',
    fallback: 'Truncated',
    message: 'The answer is not what the API says.',
  },
  upstream_empty: {
    status: 502,
    type: 'server_error',
    fallback: 'Truncated',
    verdict: 'none',
    message: 'The answer says nothing.',
  },
  upstream_too_large: {
    status: 502,
    type: 'server_error',
    fallback: 'Truncated',
    message: 'One event of the answer is too large.',
  },
  upstream_error: {
    status: 502,
    type: 'server_error',
    retry: 'Status5xx',
    fallback: 'Status5xx',
    message: 'The target answered with an error.',
  },
  upstream_busy: {
    status: 429,
    type: 'rate_limit_error',
    retry: 'Status429',
    fallback: 'Status429',
    verdict: 'none',
    message: 'The target has had enough requests.',
  },
  quota_exhausted: {
    status: 429,
    type: 'rate_limit_error',
    fallback: 'Status429',
    message: 'The quota at the target is used up.',
  },
  context_length: {
    status: 400,
    type: 'invalid_request_error',
    fallback: 'ContextLength',
    verdict: 'success',
    message: 'The request is longer than the model’s context.',
  },
  content_refused: {
    status: 400,
    type: 'invalid_request_error',
    fallback: 'ContentFilter',
    verdict: 'success',
    message: 'The target refused the content.',
  },
  upstream_refused: {
    status: 400,
    type: 'invalid_request_error',
    verdict: 'success',
    message: 'The target refused the request.',
  },
} as const satisfies Record<string, Entry>

export type ErrorCode = keyof typeof errors

/** What the target itself said; a failure that is surfaced shows it rather than words of ours. */
export interface UpstreamAnswer {
  readonly status: number
  /** Flat list of names and values, hop-by-hop and leaking headers already taken off. */
  readonly headers: readonly string[]
  readonly body: Buffer
  /** It is of the caller's own dialect. */
  readonly native: boolean
}

interface Particulars {
  /** Follows the table's message; never holds a credential. */
  readonly detail?: string
  readonly cause?: unknown
  /** How long the target asked to be left alone, ms. */
  readonly retryAfter?: number
  readonly answer?: UpstreamAnswer
  /** `x-should-retry` of the target. */
  readonly shouldRetry?: boolean
}

/** An error of the table. Thrown by layers, caught once in `layers/errors.ts`. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: ErrorCode
  readonly entry: Entry
  readonly retryAfter: number | undefined
  readonly answer: UpstreamAnswer | undefined
  readonly shouldRetry: boolean | undefined

  constructor(code: ErrorCode, { detail, cause, retryAfter, answer, shouldRetry }: Particulars = {}) {
    const entry: Entry = errors[code]
    // No stack: failures of targets are everyday events, and the code says where it is from.
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = code === 'internal' ? limit : 0
    super(detail ? `${entry.message} ${detail}` : entry.message, cause === undefined ? undefined : { cause })
    Error.stackTraceLimit = limit
    this.code = code
    this.entry = entry
    this.retryAfter = retryAfter
    this.answer = answer
    this.shouldRetry = shouldRetry
  }
}

/** What the log says of an error: its message; of a fault of ours, which nobody can find by its words, the stack. */
export function wordsForLog(failure: Failure): string {
  if (failure.code !== 'internal') return failure.message
  const { cause } = failure
  return (cause instanceof Error ? cause.stack : failure.stack) ?? failure.message
}

/** The error as OpenAI's API would say it: `{"error": {message, type, param, code}}` with the request id, as text. */
export function envelope({ message, entry, code }: Failure, requestId: string, words = message): string {
  return JSON.stringify({ error: { message: words, type: entry.type, param: null, code }, request_id: requestId })
}
