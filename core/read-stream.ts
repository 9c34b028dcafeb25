import type { AnswerStream } from './answer-stream.ts'
import type { ChatEvent } from './chat.ts'
import { Malformed } from './dialects/dialect.ts'
import type { ChatReader, ChatWriter, Frame, Framing } from './dialects/dialect.ts'
import type { Failure } from './errors.ts'
import { frameParser } from './framing.ts'
import type { FrameParser, RawFrame } from './framing.ts'
import { Diverged } from './rescue/splice.ts'
import type { Splice } from './rescue/splice.ts'
import type { Transcript } from './rescue/transcript.ts'
import type { Usage } from './usage.ts'
import { WordEvents } from './word-events.ts'

const NOTHING = Buffer.alloc(0)

interface Options {
  readonly framing: Framing
  readonly reader: ChatReader
  /** How many answers were asked for. */
  readonly choices: number
  /** What a finished stream that passes ends with, where the server left it out. */
  readonly terminator?: Buffer | undefined
  /** Whether a frame that passes holds something that its events do not say. */
  readonly foreign?: ((frame: Frame) => boolean) | undefined
  /** Hears what goes to the caller. */
  readonly transcript?: Transcript | undefined
  /** Joins it to what the caller has of another answer. */
  readonly splice?: Splice
  /** Whether an answer that says nothing is none; asked at the end of such a one. */
  readonly refusesEmpty?: (() => boolean) | undefined
}

const ANSWERS: ReadonlySet<ChatEvent['type']> = new Set(['text', 'refusal', 'tool', 'image', 'audio'])
/** What a frame may hold without adding anything to what the caller has. */
const SILENT: ReadonlySet<ChatEvent['type']> = new Set(['start', 'usage', 'ping'])
const THOUGHTS: ReadonlySet<ChatEvent['type']> = new Set(['reasoning', 'redacted'])

/** Whether an event is part of what was asked for; thoughts alone are no answer. */
export const answers = (event: ChatEvent): boolean => ANSWERS.has(event.type) && !('text' in event && event.text === '')

/**
 * A streamed answer whose events are read as they come. With a writer they are said anew in the caller's dialect; without one the frames
 * that hold them pass untouched, once they are known to be no error.
 */
export class ReadStream implements AnswerStream {
  events = 0
  finishReason: string | undefined
  done = false
  error: string | undefined
  malformed = false
  usage: Usage | undefined
  told: Usage | undefined
  begun = false
  empty = false
  diverged = false
  readonly transcript: Transcript | undefined
  private readonly parser: FrameParser
  private readonly reader: ChatReader
  private readonly choices: number
  private readonly finished = new Set<number>()
  private readonly splice: Splice | undefined
  private readonly refusesEmpty: Options['refusesEmpty']
  private readonly terminator: Buffer | undefined
  private readonly foreign: Options['foreign']
  private readonly writer: ChatWriter | undefined
  /** The answer itself has begun. */
  private spoke = false
  /** Frames without a content of their own, such as the end of a block: they pass with the next that has some. */
  private waiting: Buffer[] = []
  private closed = false
  /** Of a reader that need not see every event with words. */
  private readonly words: WordEvents | undefined

  constructor(options: Options, writer?: ChatWriter) {
    const { framing, reader, choices } = options
    this.parser = frameParser(framing)
    this.reader = reader
    this.choices = choices
    this.transcript = options.transcript
    this.splice = options.splice
    this.refusesEmpty = options.refusesEmpty
    this.terminator = options.terminator
    this.foreign = options.foreign
    this.writer = writer
    if (reader.steady && choices === 1 && !options.splice) this.words = new WordEvents()
  }

  get held(): boolean {
    // What passes as it comes begins with its first word: until then another target can begin instead.
    return this.splice?.held ?? (this.transcript !== undefined && !this.writer && !this.begun)
  }

  get complete(): boolean {
    return this.finished.size >= this.choices || (this.done && this.finished.size > 0)
  }

  push(chunk: Buffer): Buffer {
    const out: Buffer[] = []
    const at = this.words?.known && this.parser.fresh && !this.spoiled ? this.pass(this.words, chunk, out) : 0
    if (at < chunk.length)
      this.guard(() => {
        for (const frame of this.parser.push(at === 0 ? chunk : chunk.subarray(at))) this.take(frame, out)
      })
    return joined(out)
  }

  end(): Buffer {
    const out: Buffer[] = []
    this.guard(() => {
      const rest = this.parser.end()
      if (rest && !rest.empty && isWhole(rest)) this.take(rest, out)
    })
    if (!this.spoiled) this.guard(() => this.tell(this.reader.end(), out))
    return joined(out)
  }

  close(): Buffer {
    if (this.closed) return NOTHING
    this.closed = true
    if (this.writer) return this.writer.end()
    return this.complete && !this.done ? (this.terminator ?? NOTHING) : NOTHING
  }

  get failure(): AnswerStream['failure'] {
    const { writer } = this
    return writer && ((failure: Failure, words: string, requestId: string) => writer.fail(failure, words, requestId))
  }

  private get spoiled(): boolean {
    return this.error !== undefined || this.malformed || this.diverged || this.empty
  }

  /** Of whole events that differ from the last in their words alone, and need not be read. Returns where they end. */
  private pass(words: WordEvents, chunk: Buffer, out: Buffer[]): number {
    for (let at = 0; ;) {
      const end = words.match(chunk, at)
      if (end < 0 || words.to === words.from) return at
      this.events++
      this.spoke = this.begun = true
      this.transcript?.words(0, chunk, words.from, words.to)
      if (this.writer) {
        const bytes = this.writer.write({ type: 'text', choice: 0, text: words.text(chunk) })
        if (bytes.length > 0) out.push(bytes)
      } else {
        out.push(...this.waiting, chunk.subarray(at, end))
        this.waiting = []
      }
      at = end
    }
  }

  private take(frame: RawFrame, out: Buffer[]): void {
    if (this.spoiled) return
    let speaks = false
    if (!frame.empty) {
      this.events++
      this.guard(() => {
        const events = this.reader.read(frame)
        speaks = events.some(({ type }) => !SILENT.has(type))
        if (this.words) this.learn(this.words, frame, events)
        this.tell(events, out)
      })
      if (this.spoiled) return
    }
    // A terminator without a finish reason would make a truncated answer look whole.
    if (this.writer || (this.done && this.finished.size === 0)) return
    if (this.transcript && this.foreign?.(frame)) {
      this.transcript.lose()
      this.spoke = this.begun = speaks = true
    }
    if (this.transcript && !speaks && this.finished.size === 0) return void this.waiting.push(frame.raw)
    out.push(...this.waiting, frame.raw)
    this.waiting = []
  }

  /** A frame of another kind may change what words that follow mean; so may one that passes and says more than its events. */
  private learn(words: WordEvents, frame: RawFrame, events: readonly ChatEvent[]): void {
    const [first] = events
    const alone = events.length === 1 && first?.type === 'text' && first.choice === 0 && this.finished.size === 0
    if (alone && !this.done && !this.foreign?.(frame)) words.learn(frame.raw, first.text)
    else words.forget()
  }

  private guard(read: () => void): void {
    try {
      read()
    } catch (error) {
      if (error instanceof Diverged) this.diverged = true
      else if (error instanceof Malformed) this.malformed = true
      else throw error
    }
  }

  private tell(events: readonly ChatEvent[], out: Buffer[]): void {
    // A frame that holds an error does not pass, whatever else it says.
    const error = this.writer ? undefined : events.find(({ type }) => type === 'error')
    if (error?.type === 'error') {
      this.error = error.body
      return
    }
    for (const event of events) {
      switch (event.type) {
        case 'error':
          this.error = event.body
          return
        case 'finish':
          if (event.reason === 'stop' && !this.spoke && this.refusesEmpty?.()) {
            this.empty = true
            return
          }
          this.finished.add(event.choice)
          this.finishReason = event.reason
          break
        case 'usage':
          this.usage = event.usage
          break
        case 'end':
          this.done = true
          break
        default:
      }
      if (answers(event)) this.spoke = this.begun = true
      else if (THOUGHTS.has(event.type)) this.begun = true
      if (!this.splice) this.say(event, out)
      else
        for (const joined of this.splice.push(event)) {
          if (joined.type === 'usage') this.told = joined.usage
          this.say(joined, out)
        }
    }
  }

  private say(event: ChatEvent, out: Buffer[]): void {
    this.transcript?.add(event)
    if (!this.writer) return
    const bytes = this.writer.write(event)
    if (bytes.length > 0) out.push(bytes)
  }
}

/** A last event that lacks only the blank line after it is JSON to its end. */
function isWhole({ data }: RawFrame): boolean {
  try {
    JSON.parse(data)
    return true
  } catch {
    return data.trim() === '[DONE]'
  }
}

function joined(parts: readonly Buffer[]): Buffer {
  return parts.length === 0 ? NOTHING : parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
}
