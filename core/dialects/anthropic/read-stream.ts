import type { ChatEvent } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import { Malformed } from '../dialect.ts'
import type { ChatReader, Frame, Json } from '../dialect.ts'
import { readArtefact } from './artefact.ts'
import { readCitation } from './read-citation.ts'
import { finishOf } from './stop-reason.ts'
import { mergeUsage, readUsage } from './usage.ts'
import { ANSWER_TOOL } from './write-format.ts'

/** A content block that has begun. */
type Block =
  /** Text, thought, and what has no place in an answer of ours: results of tools that run at the provider. */
  | { readonly type: 'plain' }
  /** `input`: what came with the start, which is the whole of it where no piece follows. */
  | { readonly type: 'call'; readonly index: number; readonly input: Json; some: boolean }
  /** The call that is the answer. */
  | { readonly type: 'answer'; readonly input: Json; some: boolean }

/**
 * Reads a stream of Messages: https://platform.claude.com/docs/en/build-with-claude/streaming. Blocks are counted by the provider over all
 * kinds, calls by us from 0. Types of events, blocks and deltas that are not known are passed over, as the reference asks of clients.
 */
export class AnthropicReader implements ChatReader {
  readonly steady = true
  private readonly blocks = new Map<unknown, Block>()
  private usage: Json = {}
  private started = false
  private calls = 0
  private answered = false
  private finished = false

  read({ type, data }: Frame): readonly ChatEvent[] {
    if (type === 'ping') return [{ type: 'ping' }]
    // Some servers of the dialect end like OpenAI's.
    if (data.trim() === '[DONE]') return []
    const event = parse(data)
    switch (event['type'] ?? type) {
      case 'message_start':
        return this.start(event)
      case 'content_block_start':
        return this.begin(event['index'], object(event['content_block'], 'content_block'))
      case 'content_block_delta':
        return this.delta(event['index'], object(event['delta'], 'delta'))
      case 'content_block_stop':
        return this.stop(event['index'])
      case 'message_delta':
        return this.finish(event)
      case 'message_stop':
        return [{ type: 'end' }]
      case 'ping':
        return [{ type: 'ping' }]
      case 'error':
        return [{ type: 'error', body: data }]
      default:
        return record(event['error']) ? [{ type: 'error', body: data }] : []
    }
  }

  end(): readonly ChatEvent[] {
    return []
  }

  private start(event: Json): readonly ChatEvent[] {
    // It has been seen twice, with the same message.
    if (this.started) return []
    this.started = true
    const message = object(event['message'], 'message')
    const { id, model } = message
    const usage = record(message['usage'])
    const events: ChatEvent[] = [
      {
        type: 'start',
        ...(typeof id === 'string' ? { id } : {}),
        ...(typeof model === 'string' ? { model } : {}),
      },
    ]
    if (usage) {
      this.usage = mergeUsage({}, usage)
      events.push({ type: 'usage', usage: readUsage(this.usage) })
    }
    return events
  }

  private begin(at: unknown, block: Json): readonly ChatEvent[] {
    const input = record(block['input']) ?? {}
    if (block['type'] === 'tool_use') {
      const { id, name } = block
      if (typeof id !== 'string' || typeof name !== 'string') throw new Malformed('A tool_use block has no id or name.')
      if (name === ANSWER_TOOL) {
        this.answered = true
        this.blocks.set(at, { type: 'answer', input, some: false })
        return []
      }
      const index = this.calls++
      this.blocks.set(at, { type: 'call', index, input, some: false })
      return [{ type: 'tool', choice: 0, index, id, name }]
    }
    this.blocks.set(at, { type: 'plain' })
    return blockEvents(block)
  }

  private delta(at: unknown, delta: Json): readonly ChatEvent[] {
    const block = this.blocks.get(at)
    if (!block) throw new Malformed(`There is a delta for content block ${JSON.stringify(at)}, which is not open.`)
    switch (delta['type']) {
      case 'text_delta':
        return text(delta['text'])
      case 'thinking_delta':
        return reasoning(delta['thinking'])
      case 'signature_delta':
        return signature(delta['signature'])
      case 'citations_delta':
        return citations([delta['citation']])
      case 'input_json_delta': {
        const piece = delta['partial_json']
        if (block.type === 'plain' || typeof piece !== 'string' || piece === '') return []
        block.some = true
        return [block.type === 'call' ? { type: 'arguments', choice: 0, index: block.index, text: piece } : said(piece)]
      }
      default:
        return []
    }
  }

  private stop(at: unknown): readonly ChatEvent[] {
    const block = this.blocks.get(at)
    this.blocks.delete(at)
    if (!block || block.type === 'plain' || block.some) return []
    // A call without arguments has no delta, or one that is empty.
    const whole = JSON.stringify(block.input)
    return [block.type === 'call' ? { type: 'arguments', choice: 0, index: block.index, text: whole } : said(whole)]
  }

  private finish(event: Json): readonly ChatEvent[] {
    const delta = object(event['delta'], 'delta')
    const events: ChatEvent[] = []
    const reason = delta['stop_reason']
    if (typeof reason === 'string' && !this.finished) {
      this.finished = true
      for (const at of [...this.blocks.keys()]) events.push(...this.stop(at))
      events.push(...finishEvents(reason, delta, this.answered && this.calls === 0))
    }
    const usage = record(event['usage'])
    if (usage) {
      this.usage = mergeUsage(this.usage, usage)
      events.push({ type: 'usage', usage: readUsage(this.usage) })
    }
    return events
  }
}

/** What a whole block other than a call says, or the beginning of one. */
export function blockEvents(block: Json): readonly ChatEvent[] {
  switch (block['type']) {
    case 'text':
      return [...text(block['text']), ...citations(block['citations'])]
    case 'thinking':
      return [...reasoning(block['thinking']), ...signature(block['signature'])]
    case 'redacted_thinking':
      return typeof block['data'] === 'string'
        ? [{ type: 'redacted', choice: 0, data: readArtefact(block['data']) }]
        : []
    default:
      return []
  }
}

/** `answered`: the only call of a tool was the answer itself. A refusal may be explained. */
export function finishEvents(reason: string, said: Json, answered: boolean): readonly ChatEvent[] {
  const stopSequence = said['stop_sequence']
  const explanation = record(said['stop_details'])?.['explanation']
  return [
    ...(typeof explanation === 'string' ? [{ type: 'refusal', choice: 0, text: explanation } as const] : []),
    {
      type: 'finish',
      choice: 0,
      reason: reason === 'tool_use' && answered ? 'stop' : finishOf(reason),
      ...(typeof stopSequence === 'string' ? { stopSequence } : {}),
    },
  ]
}

const said = (words: string): ChatEvent => ({ type: 'text', choice: 0, text: words })
const text = (value: unknown): readonly ChatEvent[] => (typeof value === 'string' && value !== '' ? [said(value)] : [])
const reasoning = (value: unknown): readonly ChatEvent[] =>
  typeof value === 'string' && value !== '' ? [{ type: 'reasoning', choice: 0, text: value }] : []
const signature = (value: unknown): readonly ChatEvent[] =>
  typeof value === 'string' && value !== '' ? [{ type: 'signature', choice: 0, signature: readArtefact(value) }] : []

function citations(value: unknown): readonly ChatEvent[] {
  return (Array.isArray(value) ? value : []).flatMap((item): ChatEvent[] => {
    const citation = record(item)
    return citation ? [{ type: 'citation', choice: 0, citation: readCitation(citation) }] : []
  })
}

function parse(data: string): Json {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    throw new Malformed('An event is not JSON.')
  }
  return object(value, 'event')
}

function object(value: unknown, name: string): Json {
  const found = record(value)
  if (!found) throw new Malformed(`The ${name} is not an object.`)
  return found
}
