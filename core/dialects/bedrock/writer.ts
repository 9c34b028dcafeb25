import type { ChatEvent } from '../../chat.ts'
import { awsEvent, awsException } from '../../aws-event-stream.ts'
import type { Failure } from '../../errors.ts'
import type { Usage } from '../../usage.ts'
import { writeArtefact } from '../anthropic/artefact.ts'
import type { AnswerContext, ChatWriter, Json } from '../dialect.ts'
import { areWhole } from '../whole-arguments.ts'
import { writeRedactedForApp } from './artefacts.ts'
import { streamExceptionOf } from './error.ts'
import { imageFormat } from './media.ts'
import { stopReasonOf } from './stop-reason.ts'
import { writeUsage } from './usage.ts'
import { metrics, stopFields, writeCitation } from './write-answer.ts'

type Kind = 'text' | 'reasoning' | 'redacted' | 'image' | 'call'

/** A piece of a block; `closes`: it is the last of it. */
interface Piece {
  readonly kind: Exclude<Kind, 'call'>
  readonly delta: Json
  readonly start?: Json
  readonly closes?: true
}

/** A call whose turn has not come, with what is known of its arguments. */
interface Waiting {
  readonly id: string
  readonly name: string
  text: string
}

/**
 * Writes a ConverseStream. Blocks are open one at a time, since apps put together what comes between a start and a stop: calls that a
 * provider streams at once wait for their turn, and so does what is said while a call is not whole. Usage comes last, after the end of the
 * message.
 */
export class BedrockWriter implements ChatWriter {
  private readonly context: AnswerContext
  private readonly frames: Buffer[] = []
  private started = false
  private finished = false
  /** Of the block that is open, or that comes next. */
  private index = 0
  private open: Kind | undefined = undefined
  private calls = 0
  /** The call that is open, and its arguments so far. */
  private current = -1
  private said = ''
  private readonly waiting = new Map<number, Waiting>()
  private readonly later: Piece[] = []
  private usage: Usage | undefined = undefined

  constructor(context: AnswerContext) {
    this.context = context
  }

  write(event: ChatEvent): Buffer {
    if ('choice' in event && event.choice !== 0) return this.flush()
    this.begin()
    switch (event.type) {
      case 'text':
      case 'refusal':
        this.say({ kind: 'text', delta: { text: event.text } })
        break
      case 'reasoning':
        this.say({ kind: 'reasoning', delta: { reasoningContent: { text: event.text } } })
        break
      case 'signature': {
        const delta = { reasoningContent: { signature: writeArtefact(event.signature) } }
        this.say({ kind: 'reasoning', delta, closes: true })
        break
      }
      case 'redacted': {
        const delta = { reasoningContent: { redactedContent: writeRedactedForApp(event.data) } }
        this.say({ kind: 'redacted', delta, closes: true })
        break
      }
      case 'tool':
        this.call(event.index, { id: event.id, name: event.name, text: '' })
        break
      case 'arguments':
        this.argue(event.index, event.text)
        break
      case 'image': {
        const format = imageFormat(event.mediaType)
        const delta = { image: { source: { bytes: event.data } } }
        if (format !== undefined) this.say({ kind: 'image', start: { image: { format } }, delta, closes: true })
        break
      }
      case 'audio':
        if (event.transcript) this.say({ kind: 'text', delta: { text: event.transcript } })
        break
      case 'citation':
        this.say({ kind: 'text', delta: { citation: writeCitation(event.citation) } })
        break
      case 'finish':
        this.settle()
        this.finished = true
        this.event('messageStop', {
          stopReason: stopReasonOf(event.reason, this.calls > 0, event.stopSequence),
          ...stopFields(event.stopSequence),
        })
        break
      case 'usage':
        this.usage = event.usage
        break
      case 'start':
      case 'logprobs':
      case 'ping':
      case 'error':
      case 'end':
        break
    }
    return this.flush()
  }

  end(): Buffer {
    if (this.finished)
      this.event('metadata', {
        ...(this.usage ? { usage: writeUsage(this.usage) } : {}),
        ...metrics(this.context.elapsed),
      })
    return this.flush()
  }

  fail(failure: Failure, words: string): Buffer {
    return awsException(streamExceptionOf(failure), JSON.stringify({ message: words }))
  }

  private begin(): void {
    if (this.started) return
    this.started = true
    this.event('messageStart', { role: 'assistant' })
  }

  /** A call is under way: its arguments are not whole, or others wait for it. */
  private get calling(): boolean {
    return this.open === 'call' && (this.waiting.size > 0 || !areWhole(this.said))
  }

  /** Only calls and images begin with a word; a piece goes into the block that is open where it is of its kind. */
  private say(piece: Piece): void {
    if (this.calling) {
      this.later.push(piece)
      return
    }
    const { kind, start, delta, closes } = piece
    if (this.open !== kind) this.close()
    this.open = kind
    if (start) this.event('contentBlockStart', { contentBlockIndex: this.index, start })
    this.event('contentBlockDelta', { contentBlockIndex: this.index, delta })
    if (closes) this.close()
  }

  private call(index: number, call: Waiting): void {
    this.calls++
    if (this.calling) {
      this.waiting.set(index, call)
      return
    }
    this.close()
    this.beginCall(index, call)
  }

  private beginCall(index: number, { id, name, text }: Waiting): void {
    this.open = 'call'
    this.current = index
    this.said = ''
    this.event('contentBlockStart', { contentBlockIndex: this.index, start: { toolUse: { toolUseId: id, name } } })
    if (text !== '') this.argue(index, text)
  }

  private argue(index: number, text: string): void {
    const waiting = this.waiting.get(index)
    if (waiting) waiting.text += text
    else if (index === this.current) {
      this.said += text
      this.event('contentBlockDelta', { contentBlockIndex: this.index, delta: { toolUse: { input: text } } })
      if ((this.waiting.size > 0 || this.later.length > 0) && areWhole(this.said)) this.next()
    }
  }

  /** After a call: the next that waits, else what was said in the meantime. */
  private next(): void {
    this.close()
    const [first] = this.waiting
    if (first) {
      this.waiting.delete(first[0])
      this.beginCall(...first)
    } else for (const piece of this.later.splice(0)) this.say(piece)
  }

  /** Says all that waits, and closes what is open. */
  private settle(): void {
    while (this.waiting.size > 0 || this.later.length > 0) this.next()
    this.close()
  }

  private close(): void {
    if (this.open === undefined) return
    this.event('contentBlockStop', { contentBlockIndex: this.index })
    this.open = undefined
    this.current = -1
    this.index++
  }

  private event(type: string, payload: Json): void {
    this.frames.push(awsEvent(type, JSON.stringify(payload)))
  }

  private flush(): Buffer {
    const [first] = this.frames
    const bytes = this.frames.length === 1 && first ? first : Buffer.concat(this.frames)
    this.frames.length = 0
    return bytes
  }
}
