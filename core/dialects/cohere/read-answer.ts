import type { ChatEvent } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import type { Json } from '../dialect.ts'
import { Malformed } from '../dialect.ts'
import { readCitation } from './citations.ts'
import { failureOf, finishOf } from './finish.ts'
import { readLogprob } from './logprobs.ts'
import { usageOf } from './usage.ts'

const choice = 0

/** The events of a whole answer of `POST /v2/chat`. Throws `Malformed`. */
export function readAnswer(body: unknown): readonly ChatEvent[] {
  const answer = record(body)
  if (!answer) throw new Malformed('The answer is no object.')
  const message = record(answer['message'])
  if (!message) {
    // An error in spite of its status: `message` is then its text.
    if (typeof answer['message'] === 'string') return [{ type: 'error', body: JSON.stringify(answer) }]
    throw new Malformed('The answer has no message.')
  }
  const events: ChatEvent[] = [startOf(answer['id'])]
  for (const part of listOf(message['content'])) events.push(...partOf(part))
  const plan = message['tool_plan']
  if (typeof plan === 'string' && plan !== '') events.push({ type: 'text', choice, text: plan })
  listOf(message['tool_calls']).forEach((call, index) => events.push(...callOf(call, index)))
  for (const citation of listOf(message['citations']))
    for (const it of readCitation(citation)) events.push({ type: 'citation', choice, citation: it })
  const logprobs = listOf(answer['logprobs']).flatMap(readLogprob)
  if (logprobs.length > 0) events.push({ type: 'logprobs', choice, content: logprobs })
  const end = endOf(answer)
  return [...events, ...end]
}

/** The beginning of an answer; Cohere names neither its model nor its time. */
export function startOf(id: unknown): ChatEvent {
  return { type: 'start', ...(typeof id === 'string' ? { id } : {}) }
}

/** What ends an answer: `finish_reason` and `usage`, of the whole one or of `message-end`. Throws `Malformed`. */
export function endOf({ finish_reason: reason, usage: counted, error }: Json): readonly ChatEvent[] {
  if (typeof error === 'string' && error !== '') return [{ type: 'error', body: failureOf('ERROR', error) }]
  if (typeof reason !== 'string') throw new Malformed('The answer has no finish_reason.')
  const finish = finishOf(reason)
  if (finish === undefined) return [{ type: 'error', body: failureOf(reason) }]
  const usage = usageOf(counted)
  return [
    { type: 'finish', choice, reason: finish },
    ...(usage ? [{ type: 'usage', usage } as const] : []),
    { type: 'end' },
  ]
}

/** What a part of `content`, or of a stream's delta, says. */
export function partOf(value: unknown): readonly ChatEvent[] {
  const part = record(value)
  const { text, thinking } = part ?? {}
  if (typeof thinking === 'string' && thinking !== '') return [{ type: 'reasoning', choice, text: thinking }]
  return typeof text === 'string' && text !== '' ? [{ type: 'text', choice, text }] : []
}

function callOf(value: unknown, index: number): readonly ChatEvent[] {
  const call = record(value)
  const { name, arguments: text } = record(call?.['function']) ?? {}
  if (typeof call?.['id'] !== 'string' || typeof name !== 'string')
    throw new Malformed('A tool call has no id or name.')
  return [
    { type: 'tool', choice, index, id: call['id'], name },
    { type: 'arguments', choice, index, text: typeof text === 'string' && text !== '' ? text : '{}' },
  ]
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
