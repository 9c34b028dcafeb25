import { type Answer, event, json, type Part, Refusal } from '../answer.ts'
import type { Trouble } from '../providers/provider.ts'
import { waitHeaders, waitHint } from '../rate-limit.ts'
import { seedOf } from '../text.ts'

export type Body = Readonly<Record<string, unknown>>

const USAGE = 'For proper usage, please refer to https://docs.cohere.com/v2/reference'

/** An id in the form of a UUID, the same for the same text. */
export function idOf(text: string): string {
  const hex = [0, 1, 2, 3].map((i) => seedOf(`${i}${text}`).toString(16).padStart(8, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function complaint(message: string, status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return json({ id: idOf(message), message }, status, headers)
}

/** A request that Cohere refuses for what it says: 400. https://docs.cohere.com/reference/errors */
export function invalid(message: string, status = 400): Refusal {
  return new Refusal(message, complaint(message, status))
}

/** A member that is not of its type: 422. */
export function mistyped(name: string, value: unknown, type: string): Refusal {
  const is = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  return invalid(`invalid type: parameter ${name} is of type ${is} but should be of type ${type}. ${USAGE}`, 422)
}

/** Refuses members that the API does not have: 422, as seen at https://github.com/OpenRouterTeam/openrouter-examples/issues/71. */
export function onlyKnown(value: Body, known: string): void {
  const names = known.split(' ')
  const odd = Object.keys(value).find((key) => !names.includes(key))
  if (odd !== undefined) throw invalid(`unknown field: parameter '${odd}' is not a valid field. ${USAGE}`, 422)
}

/** Any trouble as Cohere words it. */
export function cohereError(trouble: Trouble): Answer {
  const [message, status] = worded(trouble)
  return complaint(message, status, trouble.kind === 'rate-limit' ? waitHeaders(trouble) : {})
}

function worded(trouble: Trouble): readonly [message: string, status: number] {
  switch (trouble.kind) {
    case 'unauthorised':
      return ['invalid api token', 401]
    case 'invalid':
    case 'failed':
      return [trouble.message, trouble.status]
    case 'rate-limit':
      return [`You are past the per minute request limit, please wait and try again later.${waitHint(trouble)}`, 429]
    case 'quota':
      return [
        'You are using a Trial key, which is limited to 1000 API calls / month. Upgrade to a Production key at https://dashboard.cohere.com/api-keys.',
        429,
      ]
    case 'context-length':
      return [
        `too many tokens: total number of tokens in the prompt cannot exceed ${trouble.limit} - received ${trouble.limit * 2}. Try using a shorter prompt, or enabling prompt truncating.`,
        400,
      ]
    case 'content-refused':
      return ['your request was blocked because it may violate our Usage Guidelines', 498]
  }
}

/** The same in the middle of a stream: the end of the message with its error, or the error's body alone. */
export function cohereErrorPart(trouble: Trouble, form: string): Part {
  const [message] = worded(trouble)
  if (form === 'data') return event({ id: idOf(message), message })
  return event({ type: 'message-end', delta: { error: message, finish_reason: 'ERROR' } }, 'message-end')
}
