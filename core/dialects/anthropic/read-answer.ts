import type { ChatEvent } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import { Malformed } from '../dialect.ts'
import { blockEvents, finishEvents } from './read-stream.ts'
import { readUsage } from './usage.ts'
import { ANSWER_TOOL } from './write-format.ts'

/** The events of a whole message. Throws `Malformed`. */
export function readAnswer(value: unknown): readonly ChatEvent[] {
  const body = record(value)
  if (!body) throw new Malformed('The answer is not an object.')
  if (body['type'] === 'error' || record(body['error'])) return [{ type: 'error', body: JSON.stringify(body) }]
  const { id, model, content, stop_reason: reason } = body
  if (!Array.isArray(content)) throw new Malformed('The answer has no list of content.')
  if (typeof reason !== 'string') throw new Malformed('The answer has no stop_reason.')
  const events: ChatEvent[] = [
    { type: 'start', ...(typeof id === 'string' ? { id } : {}), ...(typeof model === 'string' ? { model } : {}) },
  ]
  let calls = 0
  let answered = false
  for (const item of content) {
    const block = record(item)
    if (!block) throw new Malformed('A content block is not an object.')
    if (block['type'] !== 'tool_use') {
      events.push(...blockEvents(block))
      continue
    }
    const text = JSON.stringify(block['input'] ?? {})
    if (block['name'] === ANSWER_TOOL) {
      answered = true
      events.push({ type: 'text', choice: 0, text })
      continue
    }
    const index = calls++
    if (typeof block['id'] !== 'string' || typeof block['name'] !== 'string')
      throw new Malformed('A tool_use block has no id or name.')
    events.push({ type: 'tool', choice: 0, index, id: block['id'], name: block['name'] })
    events.push({ type: 'arguments', choice: 0, index, text })
  }
  events.push(...finishEvents(reason, body, answered && calls === 0))
  const usage = record(body['usage'])
  if (usage) events.push({ type: 'usage', usage: readUsage(usage) })
  events.push({ type: 'end' })
  return events
}
