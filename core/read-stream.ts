import type { AnswerStream } from './answer-stream.ts'
import type { ChatEvent } from './chat.ts'
import { Malformed } from './dialects/dialect.ts'
import type { ChatReader, ChatWriter, Framing } from './dialects/dialect.ts'
import type { Failure } from './errors.ts'
import { frameParser } from './framing.ts'
import type { FrameParser, RawFrame } from './framing.ts'
import type { Usage } from './usage.ts'

const NOTHING = Buffer.alloc(0)

interface Options {
  readonly framing: Framing
  readonly reader: ChatReader
  /** How many answers were asked for. */
  readonly choices: number
}

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
  private readonly parser: FrameParser
  private readonly reader: ChatReader
  private readonly choices: number
  private readonly finished = new Set<number>()
  private readonly writer: ChatWriter | undefined
  private closed = false

  constructor({ framing, reader, choices }: Options, writer?: ChatWriter) {
    this.parser = frameParser(framing)
    this.reader = reader
    this.choices = choices
    this.writer = writer
  }

  get complete(): boolean {
    return this.finished.size >= this.choices || (this.done && this.finished.size > 0)
  }

  push(chunk: Buffer): Buffer {
    const out: Buffer[] = []
    for (const frame of this.parser.push(chunk)) this.take(frame, out)
    return joined(out)
  }

  end(): Buffer {
    const out: Buffer[] = []
    const rest = this.parser.end()
    if (rest && !rest.empty && isWhole(rest)) this.take(rest, out)
    if (!this.spoiled) this.guard(() => this.tell(this.reader.end(), out))
    return joined(out)
  }

  close(): Buffer {
    if (this.closed) return NOTHING
    this.closed = true
    return this.writer?.end() ?? NOTHING
  }

  get failure(): AnswerStream['failure'] {
    const { writer } = this
    return writer && ((failure: Failure, words: string, requestId: string) => writer.fail(failure, words, requestId))
  }

  private get spoiled(): boolean {
    return this.error !== undefined || this.malformed
  }

  private take(frame: RawFrame, out: Buffer[]): void {
    if (this.spoiled) return
    if (!frame.empty) {
      this.events++
      this.guard(() => this.tell(this.reader.read(frame), out))
      if (this.spoiled) return
    }
    // A terminator without a finish reason would make a truncated answer look whole.
    if (!this.writer && !(this.done && this.finished.size === 0)) out.push(frame.raw)
  }

  private guard(read: () => void): void {
    try {
      read()
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      this.malformed = true
    }
  }

  private tell(events: readonly ChatEvent[], out: Buffer[]): void {
    for (const event of events) {
      switch (event.type) {
        case 'error':
          this.error = event.body
          return
        case 'finish':
          this.finished.add(event.choice)
          this.finishReason = event.reason
          break
        case 'usage':
          this.usage = event.usage
          break
        case 'end':
          this.done = true
          break
      }
      if (!this.writer) continue
      const bytes = this.writer.write(event)
      if (bytes.length > 0) out.push(bytes)
    }
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
