import { type Answer, json, Refusal } from '../answer.ts'
import type { Trouble } from '../providers/provider.ts'

export type Body = Readonly<Record<string, unknown>>

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors */
type Exception = `${string}Exception`

/** An error as Bedrock says it: its name is in a header. */
function exception(name: Exception, message: string, status: number): Answer {
  return json({ message }, status, { 'x-amzn-errortype': name })
}

/** A request that Bedrock refuses for what it says: 400, unless it is something else. */
export function invalid(message: string, name: Exception = 'ValidationException', status = 400): Refusal {
  return new Refusal(message, exception(name, message, status))
}

/** Refuses members that the API does not have. */
export function onlyKnown(value: Body, known: string, at: string): void {
  const odd = Object.keys(value).find((key) => !known.split(' ').includes(key))
  if (odd !== undefined)
    throw invalid(
      `Malformed input request: #${at === '' ? '' : `/${at}`}: extraneous key [${odd}] is not permitted, please reformat your input and try again.`,
    )
}

/** Any trouble as Bedrock words it. */
export function bedrockError(trouble: Trouble): Answer {
  const [name, message, status] = worded(trouble)
  return exception(name, message, status)
}

/** The name that the same trouble has in a stream, and its words. */
export function streamError(trouble: Trouble): readonly [name: string, message: string] {
  const [name, message] = worded(trouble)
  return [name.charAt(0).toLowerCase() + name.slice(1), message]
}

const byStatus: Readonly<Record<number, Exception>> = {
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  408: 'ModelTimeoutException',
  424: 'ModelErrorException',
  429: 'ThrottlingException',
  500: 'InternalServerException',
  503: 'ServiceUnavailableException',
}

function worded(trouble: Trouble): readonly [name: Exception, message: string, status: number] {
  switch (trouble.kind) {
    case 'unauthorised':
      return ['UnrecognizedClientException', 'The security token included in the request is invalid.', 403]
    case 'invalid':
      return ['ValidationException', trouble.message, trouble.status]
    case 'failed':
      return [byStatus[trouble.status] ?? 'InternalServerException', trouble.message, trouble.status]
    // It never says how long to wait.
    case 'rate-limit':
      return ['ThrottlingException', 'Too many requests, please wait before trying again.', 429]
    case 'quota':
      return ['ThrottlingException', 'Too many tokens per day, please wait before trying again.', 429]
    case 'context-length':
      return ['ValidationException', 'Input is too long for requested model.', 400]
    case 'content-refused':
      return [
        'ValidationException',
        'The request was blocked by our content policy: it violates the usage policy.',
        400,
      ]
  }
}
