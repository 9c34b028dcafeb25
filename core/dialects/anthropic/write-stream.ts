import type { Artefact, ChatEvent, FinishReason } from '../../chat.ts'
import type { Failure } from '../../errors.ts'
import { NO_USAGE } from '../../usage.ts'
import type { Usage } from '../../usage.ts'
import type { AnswerContext, ChatWriter, Json } from '../dialect.ts'
import { areWhole } from '../whole-arguments.ts'
import { writeArtefact } from './artefact.ts'
import { errorEvent } from './error.ts'
import { stopReasonOf } from './stop-reason.ts'
import { writeUsage } from './usage.ts'
import { messageHead, writeCitation } from './write-answer.ts'

/** A content block whose turn has come, or that waits for it. */
interface Block {
  readonly kind: 'text' | 'thinking' | 'call' | 'redacted'
  readonly head: Json
  /** Deltas that wait. */
  readonly waiting: Json[]
  /** Of a call: the caller's index, and its arguments so far. */
  readonly call?: number
  text: string
  /** Nothing more will come for it. */
  done: boolean
}

/**
 * Writes a stream of Messages. SDKs hold one block to be open at a time and count on its deltas to come between its start and stop: of calls
 * whose arguments come interleaved, the first goes out as it comes and the others wait until its JSON is whole.
 */
export class AnthropicWriter implements ChatWriter {
  private readonly context: AnswerContext
  private id: string | undefined = undefined
  private model: string
  private usage: Usage = NO_USAGE
  private begun = false
  /** The first is open, if any; the others wait. */
  private readonly blocks: Block[] = []
  private index = -1
  private opened = false
  private calls = false
  private finish: { readonly reason: FinishReason; readonly stopSequence: string | undefined } | undefined = undefined
  private out = ''

  constructor(context: AnswerContext) {
    this.context = context
    this.model = context.request.model
  }

  write(event: ChatEvent): Buffer {
    // Several answers are never asked for in this dialect.
    if ('choice' in event && event.choice !== 0) return this.flush()
    this.take(event)
    return this.flush()
  }

  end(): Buffer {
    this.begin()
    this.settle(true)
    const { reason = 'stop', stopSequence } = this.finish ?? {}
    this.send('message_delta', {
      delta: {
        stop_reason: stopReasonOf(reason, this.calls, stopSequence),
        stop_sequence: stopSequence ?? null,
        stop_details: null,
        container: null,
      },
      usage: writeUsage(this.usage),
    })
    this.send('message_stop', {})
    return this.flush()
  }

  fail(failure: Failure, words: string, requestId: string): Buffer {
    return errorEvent(failure, words, requestId)
  }

  private take(event: ChatEvent): void {
    switch (event.type) {
      case 'start':
        this.id ??= event.id
        this.model = event.model ?? this.model
        return
      case 'usage':
        this.usage = event.usage
        return
      case 'ping':
        this.send('ping', {})
        return
      case 'text':
      case 'refusal':
        this.say('text', event.text)
        return
      case 'reasoning':
        this.say('thinking', event.text)
        return
      case 'signature': {
        const block = this.last('thinking')
        this.add(block, { type: 'signature_delta', signature: writeArtefact(event.signature) })
        block.done = true
        return
      }
      case 'redacted':
        this.open({ type: 'redacted_thinking', data: writeArtefact(event.data) }, 'redacted').done = true
        this.settle(false)
        return
      case 'tool':
        this.calls = true
        if (event.signature) this.sign(event.signature)
        this.open(
          { type: 'tool_use', id: event.id, name: event.name, input: {}, caller: { type: 'direct' } },
          'call',
          event.index,
        )
        this.settle(false)
        return
      case 'arguments': {
        const block = this.blocks.find(({ call }) => call === event.index)
        // A call whose JSON was whole can only have white space after it.
        if (!block || event.text === '') return
        block.text += event.text
        this.add(block, { type: 'input_json_delta', partial_json: event.text })
        return
      }
      case 'audio':
        if (event.transcript) this.say('text', event.transcript)
        return
      case 'citation':
        this.add(this.last('text'), { type: 'citations_delta', citation: writeCitation(event.citation) })
        return
      case 'finish':
        this.finish = { reason: event.reason, stopSequence: event.stopSequence }
        return
      // There is no place for the rest; errors are told by `fail`.
      case 'image':
      case 'logprobs':
      case 'error':
      case 'end':
    }
  }

  /** A call's signature has no place in its block: it comes before, as that of a thought without words. */
  private sign(signature: Artefact): void {
    const block = this.open({ type: 'thinking', thinking: '', signature: '' }, 'thinking')
    block.waiting.push({ type: 'signature_delta', signature: writeArtefact(signature) })
    block.done = true
  }

  private say(kind: 'text' | 'thinking', words: string): void {
    if (words === '') return
    const [first] = this.blocks
    // Nearly all events are words of the one block that is open.
    if (kind === 'text' && first?.kind === kind && this.opened && !first.done && this.blocks.length === 1) {
      this.out += `event: content_block_delta\ndata: {"type":"content_block_delta","index":${this.index},"delta":{"type":"text_delta","text":${JSON.stringify(words)}}}\n\n`
      return
    }
    this.add(
      this.last(kind),
      kind === 'text' ? { type: 'text_delta', text: words } : { type: 'thinking_delta', thinking: words },
    )
  }

  /** The last block, if it is of that kind and goes on; else a new one. */
  private last(kind: 'text' | 'thinking'): Block {
    const block = this.blocks.at(-1)
    if (block?.kind === kind && !block.done) return block
    return this.open(
      kind === 'text' ? { type: 'text', text: '', citations: null } : { type: 'thinking', thinking: '', signature: '' },
      kind,
    )
  }

  private open(head: Json, kind: Block['kind'], call?: number): Block {
    const before = this.blocks.at(-1)
    // What came before a block of another kind is whole; of a call only its JSON tells.
    if (before && before.kind !== 'call') before.done = true
    const block: Block = { kind, head, waiting: [], ...(call === undefined ? {} : { call }), text: '', done: false }
    this.blocks.push(block)
    return block
  }

  private add(block: Block, delta: Json): void {
    block.waiting.push(delta)
    this.settle(false)
  }

  /** Sends what can go: the first block as far as it has come, and those behind it once it is whole, or all where `all` is to be ended. */
  private settle(all: boolean): void {
    for (let block = this.blocks[0]; block; block = this.blocks[0]) {
      if (!this.opened) {
        this.begin()
        this.opened = true
        this.send('content_block_start', { index: ++this.index, content_block: block.head })
      }
      for (const delta of block.waiting.splice(0)) this.send('content_block_delta', { index: this.index, delta })
      const whole = block.done || (this.blocks.length > 1 && (block.kind !== 'call' || areWhole(block.text)))
      if (!whole && !all) return
      this.send('content_block_stop', { index: this.index })
      this.opened = false
      this.blocks.shift()
    }
  }

  private begin(): void {
    if (this.begun) return
    this.begun = true
    const head = messageHead(this.id, this.model, this.context.requestId)
    this.send('message_start', { message: { ...head, usage: writeUsage({ ...this.usage, output: 0 }) } })
  }

  private send(type: string, members: Json): void {
    this.out += `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`
  }

  private flush(): Buffer {
    const bytes = Buffer.from(this.out)
    this.out = ''
    return bytes
  }
}
