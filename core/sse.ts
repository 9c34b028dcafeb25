import { isAscii } from 'node:buffer'

/** One event of a stream of server-sent events. Its strings hold one character a byte; `decode` makes text of them. */
export class SseEvent {
  /** The values of its `data` fields, joined by line feeds; undefined where it has none (comments, keep-alives). */
  data: string | undefined = undefined
  /** The value of its last `event` field. */
  type = ''
  private readonly source: Buffer
  private readonly start: number
  private readonly end: number

  constructor(source: Buffer, start: number, end: number) {
    this.source = source
    this.start = start
    this.end = end
  }

  /** Its data as text. */
  get text(): string {
    const { data = '', source, start, end } = this
    // Nearly all events are ASCII, and say so cheaply.
    return isAscii(source.subarray(start, end)) ? data : decode(data)
  }

  /** All its bytes as they came, the blank line that ends it included. */
  get raw(): Buffer {
    return this.source.subarray(this.start, this.end)
  }
}

/** An event went on for more bytes than are held in memory for it. */
export class EventTooLarge extends Error {
  override readonly name = 'EventTooLarge'
}

/** The UTF-8 text of a string that holds one character a byte. */
export function decode(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/**
 * Cuts a byte stream into server-sent events (WHATWG HTML, section 9.2.6), whatever the chunks it comes in: lines end in LF, CR or CRLF,
 * the space after the colon may lack. Events keep their bytes, so that they can be passed on untouched.
 */
export class SseParser {
  private readonly limit: number
  /** The event that is not whole yet, and its size. */
  private carried: Buffer[] = []
  private size = 0
  /** Nothing stands on the current line so far. */
  private blank = true
  /** The last byte was a CR: a LF that follows belongs to it. */
  private afterCr = false
  /** The last line but this ended in CRLF: a CR at the end of a chunk will have its LF in the next. */
  private crlf = false
  /** An event is whole but for that LF, which is waited for: some clients look for the four bytes together. */
  private held = false
  private first = true

  constructor(limitBytes: number) {
    this.limit = limitBytes
  }

  /** Whether all bytes so far belong to whole events. */
  get between(): boolean {
    return this.size === 0
  }

  /** Whether what comes next is read as at the beginning: nothing of a line that went before belongs to it. */
  get fresh(): boolean {
    return this.size === 0 && !this.afterCr && !this.first
  }

  /** The events that the chunk makes whole. Throws `EventTooLarge`. */
  push(chunk: Buffer): readonly SseEvent[] {
    const events: SseEvent[] = []
    const text = chunk.toString('latin1')
    const hasCr = this.afterCr || text.includes('\r')
    let start = 0
    for (;;) {
      const end = hasCr ? this.boundary(text, start) : this.plainBoundary(text, start)
      if (end < 0) break
      if (this.size > 0) {
        const source = Buffer.concat([...this.carried, chunk.subarray(0, end)])
        events.push(this.event(source, 0, source.length, source.toString('latin1'), 0))
        this.carried = []
        this.size = 0
      } else events.push(this.event(chunk, start, end, text, start))
      start = end
    }
    if (start < chunk.length) {
      this.carried.push(start === 0 ? chunk : chunk.subarray(start))
      this.size += chunk.length - start
      if (this.size > this.limit) throw new EventTooLarge(`an event is larger than ${this.limit} bytes`)
    }
    return events
  }

  /** At the end of the stream: what came of an event that no blank line ended. */
  end(): SseEvent | undefined {
    if (this.size === 0) return undefined
    const source = Buffer.concat(this.carried)
    this.carried = []
    this.size = 0
    return this.event(source, 0, source.length, source.toString('latin1'), 0)
  }

  /** The offset just past the blank line that ends the event, or -1. For a text without CR. */
  private plainBoundary(text: string, from: number): number {
    for (let at = from; ;) {
      const end = text.indexOf('\n', at)
      if (end < 0) {
        if (at < text.length) this.blank = false
        return -1
      }
      const blank = this.blank && end === at
      this.blank = true
      at = end + 1
      if (blank) return at
    }
  }

  /** The same where lines may end in CR too. */
  private boundary(text: string, from: number): number {
    let at = from
    if (this.afterCr && at < text.length) {
      this.afterCr = false
      this.crlf = text.charCodeAt(at) === 0x0a
      if (this.crlf) at++
      if (this.held) {
        this.held = false
        return at
      }
    }
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code !== 0x0a && code !== 0x0d) {
        this.blank = false
        continue
      }
      if (code === 0x0d) {
        this.afterCr = at + 1 === text.length
        if (this.afterCr && this.blank && this.crlf) {
          this.held = true
          return -1
        }
        if (text.charCodeAt(at + 1) === 0x0a) {
          this.crlf = true
          at++
        } else if (!this.afterCr) this.crlf = false
      }
      if (this.blank) return at + 1
      this.blank = true
    }
    return -1
  }

  /** Reads the fields of the event whose bytes are `source` from `start` to `end`, and the same in `text` from `from`. */
  private event(source: Buffer, start: number, end: number, text: string, from: number): SseEvent {
    const event = new SseEvent(source, start, end)
    const block = text.slice(from, from + end - start)
    const hasCr = block.includes('\r')
    // A byte order mark is no part of the first line.
    let at = this.first && block.startsWith('\u00ef\u00bb\u00bf') ? 3 : 0
    this.first = false
    while (at < block.length) {
      let eol = block.indexOf('\n', at)
      if (eol < 0) eol = block.length
      const cr = hasCr ? block.indexOf('\r', at) : -1
      if (cr >= 0 && cr < eol) eol = cr
      if (block.startsWith('data', at)) {
        const value = fieldValue(block, at + 4, eol)
        if (value !== undefined) event.data = event.data === undefined ? value : `${event.data}\n${value}`
      } else if (block.startsWith('event', at)) event.type = fieldValue(block, at + 5, eol) ?? event.type
      at = eol + 1
    }
    return event
  }
}

/** What stands after the colon, less one space; empty where there is no colon; undefined where the name goes on. */
function fieldValue(block: string, at: number, eol: number): string | undefined {
  if (at === eol) return ''
  if (block.charCodeAt(at) !== 0x3a) return undefined
  return block.slice(block.charCodeAt(at + 1) === 0x20 && at + 1 < eol ? at + 2 : at + 1, eol)
}
