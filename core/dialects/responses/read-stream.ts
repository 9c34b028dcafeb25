import type { ChatEvent } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import { Malformed } from '../dialect.ts'
import type { ChatReader, Frame, Json } from '../dialect.ts'
import { readFrame } from '../openai/read-frame.ts'
import { readUsage } from './usage.ts'

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const choice = 0

/** The events of a whole response, as OpenAI gives it. One that runs in the background has no end yet. */
export function readResponse(body: unknown): readonly ChatEvent[] {
  const response = record(body)
  if (!response) throw new Malformed('The response is no object.')
  // A whole response has the member too, and null in it.
  const { error, output } = response
  if (record(error) && response['status'] === undefined) return [{ type: 'error', body: JSON.stringify({ error }) }]
  const reader = new ResponsesReader()
  const items = Array.isArray(output) ? output.map((item) => record(item) ?? {}) : []
  const said: ChatEvent[] = items.flatMap((item, place) =>
    item['type'] === 'message' ? words(item) : reader.called(place, item),
  )
  // Tools that OpenAI itself runs, and what they made, are something that was said.
  if (said.length === 0 && items.some(isForeign)) said.push({ type: 'text', choice, text: JSON.stringify(items) })
  return [...reader.start(response), ...said, ...reader.finish(response)]
}

/**
 * Reads a stream of the Responses API as it passes: what it says, why it ended, what it cost. An answer is finished by
 * `response.completed` or `response.incomplete`; `response.failed` and `error` are errors.
 */
export class ResponsesReader implements ChatReader {
  private started = false
  /** Events are numbered: one that comes twice or too early shows. */
  private last = -1
  /** Functions that are called, by the place of their items. */
  private readonly calls = new Map<unknown, number>()

  read(frame: Frame): readonly ChatEvent[] {
    const event = readFrame(frame)
    const { type, data } = frame
    if (event === 'end') return [{ type: 'end' }]
    if (event === 'error') return [{ type: 'error', body: data }]
    const { sequence_number: number } = event
    if (typeof number === 'number') {
      if (number <= this.last) throw new Malformed('An event is out of order.')
      this.last = number
    }
    return this.event(text(event['type']) || type, event, data)
  }

  end(): readonly ChatEvent[] {
    return []
  }

  start(response: Json): readonly ChatEvent[] {
    if (this.started) return []
    this.started = true
    const { id, model, created_at: created } = response
    return [
      {
        type: 'start',
        ...(typeof id === 'string' ? { id } : {}),
        ...(typeof model === 'string' ? { model } : {}),
        ...(typeof created === 'number' ? { created } : {}),
      },
    ]
  }

  /** What a response says of its end. */
  finish(response: Json): readonly ChatEvent[] {
    const usage = readUsage(response['usage'])
    const counted: readonly ChatEvent[] = usage ? [{ type: 'usage', usage }] : []
    switch (response['status']) {
      case 'failed':
        return [
          ...counted,
          { type: 'error', body: JSON.stringify({ error: response['error'] ?? { message: 'The response failed.' } }) },
        ]
      case 'cancelled':
        return [
          ...counted,
          { type: 'error', body: JSON.stringify({ error: { message: 'The response was cancelled.' } }) },
        ]
      case 'completed': {
        const { output } = response
        const called =
          this.calls.size > 0 ||
          (Array.isArray(output) && output.some((item) => record(item)?.['type'] === 'function_call'))
        return [...counted, { type: 'finish', choice, reason: called ? 'tool_calls' : 'stop' }, { type: 'end' }]
      }
      case 'incomplete': {
        const filtered = record(response['incomplete_details'])?.['reason'] === 'content_filter'
        return [...counted, { type: 'finish', choice, reason: filtered ? 'content_filter' : 'length' }, { type: 'end' }]
      }
      default:
        return counted
    }
  }

  private event(type: string, event: Json, data: string): readonly ChatEvent[] {
    const response = record(event['response'])
    switch (type) {
      case 'error':
        return [{ type: 'error', body: JSON.stringify({ error: record(event['error']) ?? event }) }]
      case 'response.created':
        return response ? this.start(response) : []
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        if (!response) throw new Malformed(`${type} has no response.`)
        return [...this.start(response), ...this.finish(response)]
      case 'response.output_text.delta':
        return [{ type: 'text', choice, text: text(event['delta']) }]
      case 'response.refusal.delta':
        return [{ type: 'refusal', choice, text: text(event['delta']) }]
      case 'response.reasoning_text.delta':
      case 'response.reasoning_summary_text.delta':
        return [{ type: 'reasoning', choice, text: text(event['delta']) }]
      case 'response.output_item.added':
        return this.called(event['output_index'], record(event['item']) ?? {})
      case 'response.function_call_arguments.delta': {
        const index = this.calls.get(event['output_index'])
        return index === undefined ? [] : [{ type: 'arguments', choice, index, text: text(event['delta']) }]
      }
      default:
        // An error body of the gateway before it, or an event of something that only OpenAI has.
        return event['error'] ? [{ type: 'error', body: data }] : []
    }
  }

  /** An item of the output other than a message. */
  called(place: unknown, item: Json): readonly ChatEvent[] {
    if (item['type'] !== 'function_call') return []
    const index = this.calls.size
    this.calls.set(place, index)
    return [{ type: 'tool', choice, index, id: text(item['call_id']), name: text(item['name']) }]
  }
}

/** Whether an item of the output is of something that only OpenAI has. */
const isForeign = ({ type }: Json): boolean => type !== 'message' && type !== 'reasoning' && type !== 'function_call'

/** Whether a frame begins such an item. */
export function beginsForeign({ type, data }: Frame): boolean {
  if (type !== 'response.output_item.added') return false
  const item = record(record(JSON.parse(data))?.['item'])
  return item !== undefined && isForeign(item)
}

/** What a message of the output says. */
function words(message: Json): readonly ChatEvent[] {
  const { content } = message
  if (!Array.isArray(content)) return []
  return content.flatMap((item): readonly ChatEvent[] => {
    const part = record(item) ?? {}
    return part['type'] === 'refusal'
      ? [{ type: 'refusal', choice, text: text(part['refusal']) }]
      : [{ type: 'text', choice, text: text(part['text']) }]
  })
}
