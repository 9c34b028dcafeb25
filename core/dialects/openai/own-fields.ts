import type { Bytes } from '../../bytes.ts'
import { fieldValue } from '../../json-fields.ts'
import type { Edit, RequestFields } from '../../json-fields.ts'
import { record } from '../../openai-usage.ts'

/** Where answers of other providers carry what OpenAI's API has no place for. */
const FIELDS = ['reasoning_content', 'reasoning_details', 'extra_content'] as const
/**
 * How such a field ends that a message of another provider's has: every request is searched for these, and an underscore is rare enough
 * that half a megabyte takes 10 µs, where the whole words with their quotes take a millisecond.
 */
const ENDS = ['_content"', '_details"'].map((end) => Buffer.from(end))

/**
 * The edit of a chat body whose conversation has answers of other providers: OpenAI's own API refuses the fields in which we gave them to
 * the caller. None where there are none.
 */
export function ownFields(body: Bytes, { fields }: RequestFields): readonly Edit[] {
  if (!ENDS.some((end) => body.find(end, 0) >= 0)) return []
  const messages = fieldValue(body, fields, 'messages')
  if (!Array.isArray(messages)) return []
  const lost: string[] = []
  const kept = messages.map((item: unknown, i) => own(item, `messages.${i}`, lost))
  return lost.length > 0 ? [{ name: 'messages', json: JSON.stringify(kept), lost }] : []
}

function own(item: unknown, at: string, lost: string[]): unknown {
  const message = record(item)
  if (message?.['role'] !== 'assistant') return item
  const calls = message['tool_calls']
  const kept = without(message, at, lost)
  if (!Array.isArray(calls)) return kept
  return { ...kept, tool_calls: calls.map((call: unknown, i) => called(call, `${at}.tool_calls.${i}`, lost)) }
}

function called(call: unknown, at: string, lost: string[]): unknown {
  const found = record(call)
  return found ? without(found, at, lost) : call
}

function without(
  value: Readonly<Record<string, unknown>>,
  at: string,
  lost: string[],
): Readonly<Record<string, unknown>> {
  const gone = FIELDS.filter((name) => name in value)
  lost.push(...gone.map((name) => `${at}.${name}`))
  return Object.fromEntries(Object.entries(value).filter(([name]) => !gone.some((it) => it === name)))
}
