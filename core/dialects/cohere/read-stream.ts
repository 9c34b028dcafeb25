import type { ChatEvent } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import type { ChatReader, Frame, Json } from '../dialect.ts'
import { Malformed } from '../dialect.ts'
import { readCitation } from './citations.ts'
import { readLogprob } from './logprobs.ts'
import { endOf, partOf, startOf } from './read-answer.ts'

const choice = 0

/** Reads a streamed answer of `POST /v2/chat`: https://docs.cohere.com/docs/streaming. */
export class CohereReader implements ChatReader {
  /** Calls by Cohere's index, which need not begin at 0: our own, and whether there were arguments. */
  private readonly calls = new Map<unknown, { readonly index: number; empty: boolean; closed: boolean }>()

  read({ type, data }: Frame): readonly ChatEvent[] {
    // Sent after the last event, though not documented.
    if (data === '[DONE]') return []
    const event = parse(data)
    const name = typeof event['type'] === 'string' ? event['type'] : type
    const message = record(record(event['delta'])?.['message'])
    switch (name) {
      case 'message-start':
        return [startOf(event['id'])]
      case 'content-start':
        return partOf(message?.['content'])
      case 'content-delta': {
        const said = partOf(message?.['content'])
        const content = readLogprob(event['logprobs'])
        return content.length > 0 ? [...said, { type: 'logprobs', choice, content }] : said
      }
      case 'tool-plan-delta': {
        const text = message?.['tool_plan']
        return typeof text === 'string' && text !== '' ? [{ type: 'text', choice, text }] : []
      }
      case 'tool-call-start':
        return this.begin(event['index'], record(message?.['tool_calls']))
      case 'tool-call-delta':
        return this.more(event['index'], record(message?.['tool_calls']))
      case 'tool-call-end':
        return this.close(event['index'])
      case 'citation-start':
        return readCitation(message?.['citations']).map((citation) => ({ type: 'citation', choice, citation }))
      case 'message-end':
        return [...this.end(), ...endOf(record(event['delta']) ?? {})]
      case 'error':
      case '':
      case 'message':
        return [{ type: 'error', body: data }]
      default:
        // `content-end`, `citation-end`, `debug`, and what may be added.
        return []
    }
  }

  end(): readonly ChatEvent[] {
    return [...this.calls.keys()].flatMap((key) => this.close(key))
  }

  private begin(key: unknown, call: Json | undefined): readonly ChatEvent[] {
    const { name, arguments: text } = record(call?.['function']) ?? {}
    if (typeof call?.['id'] !== 'string' || typeof name !== 'string')
      throw new Malformed('A tool call has no id or name.')
    const index = this.calls.size
    if (this.calls.has(key)) throw new Malformed('A tool call begins twice.')
    this.calls.set(key, { index, empty: true, closed: false })
    return [{ type: 'tool', choice, index, id: call['id'], name }, ...this.say(key, text)]
  }

  private more(key: unknown, call: Json | undefined): readonly ChatEvent[] {
    return this.say(key, record(call?.['function'])?.['arguments'])
  }

  private say(key: unknown, text: unknown): readonly ChatEvent[] {
    const call = this.calls.get(key)
    if (!call) throw new Malformed('There are arguments without a call.')
    if (typeof text !== 'string' || text === '') return []
    if (call.closed) throw new Malformed('There are arguments after the end of their call.')
    call.empty = false
    return [{ type: 'arguments', choice, index: call.index, text }]
  }

  private close(key: unknown): readonly ChatEvent[] {
    const call = this.calls.get(key)
    if (!call || call.closed) return []
    call.closed = true
    return call.empty ? [{ type: 'arguments', choice, index: call.index, text: '{}' }] : []
  }
}

function parse(data: string): Json {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    throw new Malformed('An event is no JSON.')
  }
  const event = record(value)
  if (!event) throw new Malformed('An event is no object.')
  return event
}
