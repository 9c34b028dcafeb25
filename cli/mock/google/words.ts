import { type Answer, event, json, type Part, Refusal } from '../answer.ts'
import type { Trouble } from '../providers/provider.ts'
import { waitHeaders, waitHint } from '../rate-limit.ts'

/** https://cloud.google.com/apis/design/errors#http_mapping */
const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

function envelope(code: number, message: string, details: readonly unknown[] = []): unknown {
  const status = statuses[code] ?? (code < 500 ? 'FAILED_PRECONDITION' : 'UNKNOWN')
  return { error: { code, message, status, ...(details.length > 0 ? { details } : {}) } }
}

/** A request that Google refuses: 400 unless said otherwise. */
export function invalid(message: string, status = 400, details: readonly unknown[] = []): Refusal {
  return new Refusal(message, json(envelope(status, message, details), status))
}

interface Worded {
  readonly code: number
  readonly message: string
  readonly details?: readonly unknown[]
}

/** `who`: what says no to a wrong key, which differs between the two APIs. */
function worded(trouble: Trouble, who: Worded): Worded {
  switch (trouble.kind) {
    case 'unauthorised':
      return who
    case 'invalid':
      return { code: trouble.status, message: trouble.message }
    case 'failed':
      return { code: trouble.status, message: trouble.message }
    case 'rate-limit': {
      const seconds = `${Math.ceil(trouble.wait / 1000)}s`
      const info = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: seconds }
      return {
        code: 429,
        message: `Resource has been exhausted (e.g. check quota).${waitHint(trouble)}`,
        details: trouble.form === 'retry-info' ? [info] : [],
      }
    }
    case 'quota':
      return {
        code: 429,
        message:
          'You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
            violations: [
              {
                quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests',
                quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier',
              },
            ],
          },
        ],
      }
    case 'context-length':
      return {
        code: 400,
        message: `The input token count (${trouble.limit * 2}) exceeds the maximum number of tokens allowed (${trouble.limit}).`,
      }
    case 'content-refused':
      return { code: 400, message: 'The request was blocked by the safety policy: prohibited content.' }
  }
}

const KEY: Worded = {
  code: 400,
  message: 'API key not valid. Please pass a valid API key.',
  details: [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'API_KEY_INVALID',
      domain: 'googleapis.com',
      metadata: { service: 'generativelanguage.googleapis.com' },
    },
  ],
}

const TOKEN: Worded = {
  code: 401,
  message:
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
  details: [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'ACCESS_TOKEN_TYPE_UNSUPPORTED',
      domain: 'googleapis.com',
    },
  ],
}

/** Any trouble as Google words it, for an API with keys or one with tokens. */
export function googleTrouble(auth: 'key' | 'token'): {
  error(trouble: Trouble): Answer
  errorPart(trouble: Trouble, answer: Answer, form: string): Part
} {
  const said = (trouble: Trouble): Worded => worded(trouble, auth === 'key' ? KEY : TOKEN)
  return {
    error(trouble) {
      const { code, message, details } = said(trouble)
      return json(envelope(code, message, details), code, trouble.kind === 'rate-limit' ? waitHeaders(trouble) : {})
    },
    errorPart(trouble, _, form) {
      const { code, message, details } = said(trouble)
      return event(envelope(code, message, details), form === 'event' ? 'error' : undefined)
    },
  }
}
