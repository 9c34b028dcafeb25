import type { ErrorCode } from './errors.ts'
import type { Usage } from './exchange.ts'
import { headerOf } from './headers.ts'
import { InvalidJson } from './json-fields.ts'
import { readAnswer } from './openai-answer.ts'
import { classifyError } from './openai-errors.ts'

/** Why an answer of status 200 is none. */
export interface Fault {
  readonly code: ErrorCode
  readonly detail: string
  readonly retryAfter?: number | undefined
}

interface Judged {
  readonly usage?: Usage | undefined
  readonly finishReason?: string | undefined
  readonly fault?: Fault | undefined
}

/** Whether a whole answer of status 2xx is a finished one: JSON to its end, and no error in spite of its status. `wall` as in `Deps`. */
export function judgeWhole(headers: readonly string[], body: Buffer, streamAsked: boolean, wall: number): Judged {
  const type = headerOf(headers, 'content-type')
  if (!/^application\/([\w.-]+\+)?json\b/i.test(type)) return malformed(`Its content type is ${type || 'missing'}.`)
  try {
    const { error, usage, finishReason } = readAnswer(body)
    if (error !== undefined) return { fault: errorInside(error, wall) }
    if (streamAsked) return malformed('A stream was asked for, and it is none.')
    return { usage, finishReason }
  } catch (error) {
    if (!(error instanceof InvalidJson)) throw error
    return body.toString('latin1').trimEnd().at(-1) !== '}'
      ? { fault: { code: 'upstream_truncated', detail: `${error.message}.` } }
      : malformed(`${error.message}.`)
  }
}

/** What the text of an error inside an answer of status 200 says: a body, or the data of an event. */
export function errorInside(text: string, wall: number): Fault {
  const { code, retryAfter } = classifyError(text, wall)
  return { code, detail: text.slice(0, 500), retryAfter }
}

const malformed = (detail: string): Judged => ({ fault: { code: 'upstream_malformed', detail } })
