const QUOTE = 0x22
const BACKSLASH = 0x5c

/** What may stand after a backslash in a JSON string, besides `u`. */
const ESCAPES: ReadonlySet<number> = new Set(Array.from('"\\/bfnrt', (it) => it.charCodeAt(0)))

/** OpenAI adds so many random characters to each event, lest its length tell the words. */
const PADDING = '"obfuscation":"'

/**
 * The events of an answer that bring words are nearly all alike: byte for byte the same, but for the words. Once such an event has been read
 * and understood, those that follow need no more than to be held against it. One that differs in anything else ends that: only who reads
 * events knows what it means for those after it.
 *
 * Bytes are compared in JavaScript: events are short, and a call out of it costs more than the comparison.
 */
export class WordEvents {
  /** Where the words of the last match stand between their quotes. */
  from = 0
  to = 0
  /** Some of them are written with a backslash; or not all are ASCII. */
  escaped = false
  wide = false
  /** All bytes of an event but its words and its padding. */
  private same: Uint8Array | undefined
  /** How many of them stand before the words, and before the padding. */
  private before = 0
  private padding = 0
  /** The words of the event that it was learned from; undefined once another has shown that these are the words indeed. */
  private doubted: string | undefined

  /** Whether an event can be held against one that is known. */
  get known(): boolean {
    return this.same !== undefined && this.doubted === undefined
  }

  /** The next event is to be read as if there had been none. */
  forget(): void {
    this.same = undefined
  }

  /**
   * The event of these bytes, blank line included, says `words` and nothing else. Where they stand in it is taken for certain only when a
   * second one has them in the same place.
   */
  learn(raw: Buffer, words: string): void {
    if (this.same && words !== this.doubted && this.compare(raw, 0) === raw.length && this.text(raw) === words) {
      this.doubted = undefined
      return
    }
    this.same = undefined
    this.doubted = words
    const quoted = `:${JSON.stringify(words)}`
    // Nothing, and what JSON does not write as it is, could be found in the wrong place.
    if (words === '' || quoted.length !== words.length + 3) return
    const text = raw.toString('latin1')
    const at = text.indexOf(quoted)
    if (at >= 0 && text.indexOf(quoted, at + 1) < 0) this.learnAt(raw, text, at + 2, at + 2 + words.length)
    this.doubted = words
  }

  /** The same where it is known where they stand; `text` is the bytes, one character each. */
  learnAt(raw: Buffer, text: string, from: number, to: number): void {
    this.same = undefined
    this.doubted = undefined
    // Lines that end otherwise need the parser's memory of what came last.
    if (!text.endsWith('\n\n') || text.includes('\r')) return
    const named = text.indexOf(PADDING, to)
    const start = named < 0 ? text.length : named + PADDING.length
    const end = named < 0 ? text.length : text.indexOf('"', start)
    if (end < 0) return
    const same = new Uint8Array(raw.length - (to - from) - (end - start))
    same.set(raw.subarray(0, from))
    same.set(raw.subarray(to, start), from)
    same.set(raw.subarray(end), from + start - to)
    this.same = same
    this.before = from
    this.padding = from + start - to
  }

  /** Where the event ends that begins at `at`; -1 where it is not known to say words alone. Sets what is known of the words. */
  match(bytes: Buffer, at: number): number {
    return this.doubted === undefined ? this.compare(bytes, at) : -1
  }

  /** The words of the last match, which was in these bytes. */
  text(bytes: Buffer): string {
    const { from, to } = this
    const inside = this.wide ? bytes.toString('utf8', from, to) : bytes.toString('latin1', from, to)
    return this.escaped ? String(JSON.parse(`"${inside}"`)) : inside
  }

  private compare(bytes: Buffer, at: number): number {
    const { same, before, padding } = this
    if (!same || bytes.length - at < same.length) return -1
    let next = at
    let i = 0
    for (; i < before; i++, next++) if (bytes[next] !== same[i]) return -1
    this.from = next
    this.escaped = this.wide = false
    next = this.string(bytes, next)
    this.to = next
    for (; i < padding; i++, next++) if (bytes[next] !== same[i]) return -1
    if (i === same.length) return next
    const { escaped, wide } = this
    next = this.string(bytes, next)
    this.escaped = escaped
    this.wide = wide
    for (; i < same.length; i++, next++) if (bytes[next] !== same[i]) return -1
    return next
  }

  /** The end of what is good inside of a JSON string: its quote, unless it is none. */
  private string(bytes: Buffer, at: number): number {
    let next = at
    for (; next < bytes.length; next++) {
      const code = bytes[next] ?? 0
      if (code >= 0x80) this.wide = true
      else if (code === BACKSLASH) {
        this.escaped = true
        const after = bytes[++next] ?? 0
        if (ESCAPES.has(after)) continue
        if (after !== 0x75 || !hex(bytes, next + 1)) return next
        next += 4
      } else if (code === QUOTE || code < 0x20) return next
    }
    return next
  }
}

/** Whether four hexadecimal digits stand there. */
function hex(bytes: Buffer, at: number): boolean {
  for (let i = at; i < at + 4; i++) {
    const code = bytes[i] ?? 0
    const low = code | 0x20
    if (!((code >= 0x30 && code <= 0x39) || (low >= 0x61 && low <= 0x66))) return false
  }
  return true
}
