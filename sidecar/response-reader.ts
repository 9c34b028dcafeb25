import { lower } from '../core/headers.ts'

/** Larger heads than this are refused, bytes. */
const MOST_HEAD = 64 * 1024
/** A line with a chunk's size, its extensions included, and all trailers together are no longer than this, bytes. */
const MOST_LINE = 16 * 1024

const CR = 0x0d
const LF = 0x0a

/** Where in a response the reader is. */
type Place = 'head' | 'length' | 'size' | 'data' | 'data-end' | 'trailer' | 'rest' | 'done'

/** What a reader finds. */
export interface Listener {
  head(status: number, headers: readonly string[]): void
  /** Bytes of the body, the listener's to keep. */
  body(chunk: Buffer): void
  /** The response is whole. */
  complete(): void
}

/** What came is not HTTP/1.1. */
export class NotHttp extends Error {
  override readonly name = 'NotHttp'
}

/**
 * Reads HTTP/1.1 responses off a connection, one after the other (RFC 9112): heads, bodies of known length, chunked ones, and those that
 * end with the connection. Strict where leniency has led to smuggled responses: no folded lines, no bare LF, no length beside chunks.
 *
 * Of our own, since it stands on the path of each request: undici's parser in WebAssembly and its stream of checks cost half of what the
 * whole sidecar may (`bench/results.md`).
 */
export class ResponseReader {
  /** Whether the connection can take another request after this response. */
  reusable = false
  /** How long the other side keeps an idle connection (`keep-alive: timeout`), ms. */
  keepFor: number | undefined
  private readonly listener: Listener
  private place: Place = 'done'
  private headOnly = false
  private left = 0
  /** Of a head that is not whole yet. */
  private partial: Buffer | undefined
  /** Of a size line or a trailer that is not whole yet: its length. */
  private line = 0

  constructor(listener: Listener) {
    this.listener = listener
  }

  /** A request has gone out: the next bytes are its response. */
  expect(method: string): void {
    this.place = 'head'
    this.headOnly = method === 'HEAD'
    this.partial = undefined
    this.reusable = false
    this.keepFor = undefined
  }

  /** Whether a response is awaited or under way. */
  get busy(): boolean {
    return this.place !== 'done'
  }

  /** Whether the end of the connection is the end of the response. */
  get endsWithConnection(): boolean {
    return this.place === 'rest'
  }

  /** Takes bytes; `borrowed` ones are the caller's again afterwards. Throws `NotHttp`. */
  push(chunk: Buffer, borrowed: boolean): void {
    let at = 0
    while (at < chunk.length)
      switch (this.place) {
        case 'head':
          at = this.head(chunk, at)
          break
        case 'length':
        case 'data':
        case 'rest':
          at = this.bytes(chunk, at, borrowed)
          break
        case 'size':
          at = this.size(chunk, at)
          break
        case 'data-end':
          at = this.dataEnd(chunk, at)
          break
        case 'trailer':
          at = this.trailer(chunk, at)
          break
        case 'done':
          throw new NotHttp('bytes that no request asked for')
      }
  }

  private head(chunk: Buffer, at: number): number {
    const before = this.partial?.length ?? 0
    const bytes = this.partial ? Buffer.concat([this.partial, chunk.subarray(at)]) : at > 0 ? chunk.subarray(at) : chunk
    // Most heads are short, and most answers follow in the same chunk: not all of it need be looked through.
    let text = bytes.toString('latin1', 0, Math.min(bytes.length, 2048))
    let end = text.indexOf('\r\n\r\n')
    if (end < 0 && bytes.length > 2048) {
      text = bytes.toString('latin1', 0, Math.min(bytes.length, MOST_HEAD))
      end = text.indexOf('\r\n\r\n')
    }
    if (end < 0) {
      if (bytes.length >= MOST_HEAD) throw new NotHttp('the head is too large')
      this.partial = Buffer.from(bytes)
      return chunk.length
    }
    this.partial = undefined
    this.interpret(text, end)
    return at + end + 4 - before
  }

  private interpret(text: string, end: number): void {
    // HTTP/1.1 200 OK
    const version = text.charCodeAt(7)
    if (!text.startsWith('HTTP/1.') || (version !== 0x31 && version !== 0x30) || text.charCodeAt(8) !== 0x20)
      throw new NotHttp('no status line')
    const status = Number(text.slice(9, 12))
    const after = text.charCodeAt(12)
    if (!(status >= 100 && status < 600) || (after !== 0x20 && after !== CR)) throw new NotHttp('no status')
    const headers: string[] = []
    let length = -1
    let chunked = false
    let keep = version === 0x31
    let line = text.indexOf('\r\n') + 2
    while (line < end) {
      let next = text.indexOf('\r\n', line)
      if (next < 0 || next > end) next = end
      const colon = text.indexOf(':', line)
      if (colon <= line || colon > next) throw new NotHttp('a header has no name')
      const raw = text.slice(line, colon)
      if (!TOKEN.test(raw)) throw new NotHttp('a header’s name is none')
      const name = lower(raw)
      const value = trimmed(text, colon + 1, next)
      if (CONTROL.test(value)) throw new NotHttp('a header’s value is none')
      headers.push(name, value)
      switch (name) {
        case 'content-length': {
          const given = DIGITS.test(value) ? Number(value) : -1
          if (given < 0 || (length >= 0 && length !== given)) throw new NotHttp('the length is none')
          length = given
          break
        }
        case 'transfer-encoding':
          // Encodings other than chunked were not asked for.
          if (value.toLowerCase() !== 'chunked' || chunked) throw new NotHttp('a transfer-encoding that is not chunked')
          chunked = true
          break
        case 'connection': {
          const tokens = value.toLowerCase()
          if (tokens.includes('close')) keep = false
          else if (tokens.includes('keep-alive')) keep = true
          break
        }
        case 'keep-alive': {
          const seconds = /timeout=(\d{1,6})/i.exec(value)?.[1]
          if (seconds !== undefined) this.keepFor = Number(seconds) * 1000
          break
        }
      }
      line = next + 2
    }
    if (chunked && length >= 0) throw new NotHttp('both a length and chunks')
    if (status === 101) throw new NotHttp('a change of protocol that was not asked for')
    if (status < 200) return // 100 Continue, 103 Early Hints: the response itself is still to come
    this.reusable = keep
    if (this.headOnly || status === 204 || status === 304) this.place = 'done'
    else if (chunked) {
      this.place = 'size'
      this.left = 0
      this.line = 0
    } else if (length >= 0) {
      this.place = length === 0 ? 'done' : 'length'
      this.left = length
    } else {
      this.place = 'rest'
      this.reusable = false
    }
    const done = this.place === 'done'
    this.listener.head(status, headers)
    if (done) this.listener.complete()
  }

  private bytes(chunk: Buffer, at: number, borrowed: boolean): number {
    const end = this.place === 'rest' ? chunk.length : Math.min(chunk.length, at + this.left)
    const whole = at === 0 && end === chunk.length
    const part = whole ? chunk : chunk.subarray(at, end)
    this.left -= end - at
    const last = this.left === 0 && this.place === 'length'
    if (this.left === 0 && this.place === 'data') {
      this.place = 'data-end'
      this.line = 0
    }
    if (last) this.place = 'done'
    this.listener.body(borrowed ? Buffer.from(part) : part)
    if (last) this.listener.complete()
    return end
  }

  /** The hexadecimal size of a chunk; extensions are passed over. */
  private size(chunk: Buffer, at: number): number {
    for (let i = at; i < chunk.length; i++) {
      const code = chunk[i] ?? 0
      if (this.line >= 0 && this.line < 8) {
        const digit = hex(code)
        if (digit >= 0) {
          this.left = this.left * 16 + digit
          this.line++
          continue
        }
      }
      if (this.line === 0) throw new NotHttp('a chunk has no size')
      // From here on the line counts downwards: after its digits, only an extension and the end may follow.
      if (this.line > 0) {
        if (code !== CR && code !== 0x3b && code !== 0x20 && code !== 0x09) throw new NotHttp('a chunk’s size is none')
        this.line = -1
      }
      if (code === LF) {
        if (!this.sawCr) throw new NotHttp('a line ends without CR')
        this.sawCr = false
        this.line = 0
        this.place = this.left > 0 ? 'data' : 'trailer'
        return i + 1
      }
      if (this.sawCr || --this.line < -MOST_LINE) throw new NotHttp('a chunk’s size is too long')
      this.sawCr = code === CR
    }
    return chunk.length
  }
  private sawCr = false

  private dataEnd(chunk: Buffer, at: number): number {
    const code = chunk[at]
    if (code !== (this.line === 0 ? CR : LF)) throw new NotHttp('a chunk does not end where it should')
    if (++this.line === 2) {
      this.line = 0
      this.place = 'size'
    }
    return at + 1
  }

  /** Trailers are passed over, up to the empty line. `left` counts the bytes of the current line, `line` those of all. */
  private trailer(chunk: Buffer, at: number): number {
    for (let i = at; i < chunk.length; i++) {
      const code = chunk[i]
      if (++this.line > MOST_LINE) throw new NotHttp('the trailers are too long')
      if (code === LF) {
        if (this.left === 0) {
          this.place = 'done'
          this.listener.complete()
          return i + 1
        }
        this.left = 0
      } else if (code !== CR) this.left++
    }
    return chunk.length
  }
}

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** What no value may hold; a bare LF among it, which another reader might take for the end of a line. */
const CONTROL = /[^\t\x20-\x7e\x80-\xff]/
const DIGITS = /^\d{1,15}$/

/** A value without the white space around it. */
function trimmed(text: string, start: number, end: number): string {
  let from = start
  let to = end
  while (from < to && (text.charCodeAt(from) === 0x20 || text.charCodeAt(from) === 0x09)) from++
  while (to > from && (text.charCodeAt(to - 1) === 0x20 || text.charCodeAt(to - 1) === 0x09)) to--
  return text.slice(from, to)
}

function hex(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const low = code | 0x20
  return low >= 0x61 && low <= 0x66 ? low - 0x57 : -1
}
