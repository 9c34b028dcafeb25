import { Bytes } from './bytes.ts'
import type { Usage } from './usage.ts'
import { fieldValue, scan } from './json-fields.ts'
import { usageOf } from './openai-usage.ts'

/** What an answer that came whole says of itself. */
export interface Answer {
  readonly usage: Usage | undefined
  readonly finishReason: string | undefined
  /** The text of the body where it is an error in spite of its status. */
  readonly error: string | undefined
}

/** Reads an answer that was not streamed. Throws `InvalidJson` where the body is not a JSON object. */
export function readAnswer(answer: Buffer): Answer {
  const body = new Bytes([answer])
  const text = answer.toString('latin1')
  const fields = scan(body, text)
  const choices = fields.findLast(({ name }) => name === 'choices')
  const error = fieldValue(body, fields, 'error')
  return {
    usage: usageOf(fieldValue(body, fields, 'usage')),
    finishReason: choices && reason(text, choices.start, choices.end),
    error: error === undefined || error === null ? undefined : answer.toString(),
  }
}

const FINISH = /"finish_reason"\s*:\s*"([a-z_]{1,64})"/iy

/** The first reason that is given within the choices. Inside a JSON string every quote has a backslash before it: what is found is a key. */
function reason(text: string, start: number, end: number): string | undefined {
  for (
    let at = text.indexOf('"finish_reason"', start);
    at >= 0 && at < end;
    at = text.indexOf('"finish_reason"', at + 1)
  ) {
    FINISH.lastIndex = at
    const found = FINISH.exec(text)?.[1]
    if (found !== undefined) return found
  }
  return undefined
}
