import { type Answer, json, Refusal } from '../answer.ts'
import type { Trouble } from '../providers/provider.ts'
import { waitHeaders, waitHint } from '../rate-limit.ts'

/** https://platform.claude.com/docs/en/api/errors */
const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

const REQUEST_ID = 'req_011CSHoEeqs5C35K2UUqR7Fy'

function typeOf(status: number): string {
  return types[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
}

/** The body of an error: `{type: 'error', error: {type, message}, request_id}`. */
function errorBody(status: number, message: string): unknown {
  return { type: 'error', error: { type: typeOf(status), message }, request_id: REQUEST_ID }
}

function complaint(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return json(errorBody(status, message), status, {
    'request-id': REQUEST_ID,
    'x-should-retry': String(status === 429 || status >= 500),
    ...headers,
  })
}

/** A request that Anthropic refuses: 400, unless said otherwise. */
export function invalid(message: string, status = 400): Refusal {
  return new Refusal(message, complaint(status, message))
}

function worded(trouble: Trouble): { readonly status: number; readonly message: string } {
  switch (trouble.kind) {
    case 'unauthorised':
      return { status: 401, message: 'invalid x-api-key' }
    case 'invalid':
    case 'failed':
      return { status: trouble.status, message: trouble.message }
    case 'rate-limit':
      return {
        status: 429,
        message: `This request would exceed your organization’s rate limit of 30,000 input tokens per minute.${waitHint(trouble)}`,
      }
    case 'quota':
      return {
        status: 400,
        message:
          'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
      }
    case 'context-length':
      return { status: 400, message: `prompt is too long: ${trouble.limit * 2} tokens > ${trouble.limit} maximum` }
    case 'content-refused':
      return { status: 400, message: 'Output blocked by content filtering policy' }
  }
}

/** Any trouble as Anthropic words it. */
export function anthropicError(trouble: Trouble): Answer {
  const { status, message } = worded(trouble)
  return complaint(status, message, trouble.kind === 'rate-limit' ? waitHeaders(trouble) : {})
}

/** The body of the same, for an event in the middle of a stream. */
export function anthropicErrorBody(trouble: Trouble): unknown {
  const { status, message } = worded(trouble)
  return errorBody(status, message)
}
