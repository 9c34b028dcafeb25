import type { ErrorCode } from './errors.ts'
import { headerOf } from './headers.ts'
import { InvalidJson } from './json-fields.ts'
import { readAnswer } from './openai-answer.ts'
import { classifyError } from './openai-errors.ts'
import type { Usage } from './usage.ts'

/** Why an answer of status 200 is none. */
export interface Fault {
  readonly code: ErrorCode
  readonly detail: string
  readonly retryAfter?: number | undefined
}

export interface Judged {
  readonly usage?: Usage | undefined
  readonly finishReason?: string | undefined
  /** It ended well and says nothing. */
  readonly empty?: true
  readonly fault?: Fault | undefined
  /** What the caller gets, where that is not the target's own. */
  readonly body?: Buffer
}

/** Whether a whole answer of OpenAI's dialect and status 2xx is a finished one: JSON to its end, and no error in spite of its status. `wall` as in `Deps`. */
export function judgeWhole(headers: readonly string[], body: Buffer, wall: number): Judged {
  const wrong = judgeType(headers)
  if (wrong) return wrong
  try {
    const { error, usage, finishReason } = readAnswer(body)
    if (error !== undefined) return { fault: errorInside(error, wall) }
    return { usage, finishReason }
  } catch (error) {
    if (!(error instanceof InvalidJson)) throw error
    return body.toString('latin1').trimEnd().at(-1) !== '}'
      ? { fault: { code: 'upstream_truncated', detail: `${error.message}.` } }
      : malformed(`${error.message}.`)
  }
}

const JSON_TYPE = /^application\/([\w.-]+\+)?json\b/i

/** A fault, where the headers do not say JSON. */
export function judgeType(headers: readonly string[]): Judged | undefined {
  const type = headerOf(headers, 'content-type')
  return JSON_TYPE.test(type) ? undefined : malformed(`Its content type is ${type || 'missing'}.`)
}

/** What the text of an error inside an answer of status 200 says: a body, or the data of an event. */
export function errorInside(text: string, wall: number): Fault {
  const { code, retryAfter } = classifyError(text, wall)
  return { code, detail: text, retryAfter }
}

export const malformed = (detail: string): Judged => ({ fault: { code: 'upstream_malformed', detail } })
