import { type Answer, event, json, type Part, Refusal } from '../answer.ts'
import type { Trouble } from '../providers/provider.ts'
import { waitHint, waitHeaders } from '../rate-limit.ts'

/** The members of OpenAI's error object, https://platform.openai.com/docs/guides/error-codes */
interface Complaint {
  readonly status: number
  readonly message: string
  readonly type: string
  readonly code: string | null
  readonly param?: string | null
}

function complaint(
  { status, message, type, code, param = null }: Complaint,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return json({ error: { message, type, param, code } }, status, headers)
}

/** A request that OpenAI refuses: 400, `invalid_request_error`, unless said otherwise. */
export function invalid(
  message: string,
  param: string | null = null,
  code: string | null = null,
  status = 400,
): Refusal {
  return new Refusal(message, complaint({ status, message, type: 'invalid_request_error', code, param }))
}

function worded(trouble: Trouble): Complaint {
  switch (trouble.kind) {
    case 'unauthorised':
      return {
        status: 401,
        message: 'Incorrect API key provided.',
        type: 'invalid_request_error',
        code: 'invalid_api_key',
      }
    case 'invalid':
      return { status: trouble.status, message: trouble.message, type: 'invalid_request_error', code: null }
    case 'failed':
      return { ...trouble, type: trouble.status < 500 ? 'invalid_request_error' : 'server_error' }
    case 'rate-limit':
      return {
        status: 429,
        message: `Rate limit reached for mock in organization org-mock on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000.${waitHint(trouble)}`,
        type: 'tokens',
        code: 'rate_limit_exceeded',
      }
    case 'quota':
      return {
        status: 429,
        message: 'You exceeded your current quota, please check your plan and billing details.',
        type: 'insufficient_quota',
        code: 'insufficient_quota',
      }
    case 'context-length':
      return {
        status: 400,
        message: `This model's maximum context length is ${trouble.limit} tokens. However, your messages resulted in ${trouble.limit * 2} tokens. Please reduce the length of the messages.`,
        type: 'invalid_request_error',
        code: 'context_length_exceeded',
        param: 'messages',
      }
    case 'content-refused':
      return {
        status: 400,
        message: 'Your request was rejected as a result of our safety system.',
        type: 'invalid_request_error',
        code: 'content_policy_violation',
      }
  }
}

/** Any trouble as OpenAI words it. */
export function openaiError(trouble: Trouble): Answer {
  return complaint(worded(trouble), trouble.kind === 'rate-limit' ? waitHeaders(trouble) : {})
}

/** The same in the middle of a stream: the Responses API has an event of its own for it, the others the error's body as data. */
export function openaiErrorPart(trouble: Trouble, { parts }: Answer, form: string): Part {
  const { status: _, param = null, ...error } = worded(trouble)
  if (String(parts[0]).startsWith('event: response.'))
    return event(
      { type: 'error', sequence_number: parts.length, code: error.code, message: error.message, param },
      'error',
    )
  return event({ error: { ...error, param } }, form === 'event' ? 'error' : undefined)
}
