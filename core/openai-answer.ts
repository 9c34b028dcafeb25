import type { Usage } from './exchange.ts'
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
export function readAnswer(body: Buffer): Answer {
  const fields = scan(body)
  const choices = fields.findLast(({ name }) => name === 'choices')
  const error = fieldValue(body, fields, 'error')
  return {
    usage: usageOf(fieldValue(body, fields, 'usage')),
    // Inside a JSON string every quote has a backslash before it: this is a key.
    finishReason:
      choices &&
      /"finish_reason"\s*:\s*"([a-z_]{1,64})"/i.exec(body.toString('latin1', choices.start, choices.end))?.[1],
    error: error === undefined || error === null ? undefined : body.toString(),
  }
}
