import type { ChatEvent } from '../chat.ts'

type Start = Extract<ChatEvent, { readonly type: 'start' }>

/** Characters of an answer that are kept; one that is longer is not rescued. */
const MOST = 256 * 1024
/** So many pieces of text wait before they become one string. */
const WAITING = 64
/** Words wait in so many bytes at first, and at most before they become text. */
const [FIRST_BYTES, MOST_BYTES] = [256, 4096]
const NONE = new Uint8Array(0)

/** What an answer has that only makes sense to who holds it all, or is too large to keep. */
const UNKEPT: ReadonlySet<ChatEvent['type']> = new Set(['image', 'audio'])

/**
 * What the caller has of a streamed answer, kept for the case that it stops: pieces of one kind that follow each other are one. It is on the
 * path of every event, so that text only waits in a short list until it is joined.
 */
export class Transcript {
  start: Start | undefined
  /** The caller has seen its beginning, though maybe no word. */
  opened = false
  /** Events with text: about as many tokens. */
  tokens = 0
  /** It is too long, or holds what is not kept: nothing can be joined to it. */
  lost = false
  /** Choices that have had their finish reason. */
  readonly finished = new Set<number>()
  private readonly whole: ChatEvent[] = []
  private waiting: string[] = []
  private size = 0
  /**
   * Words as they stand in JSON, of one choice: bytes outside of the heap. A string for each would outlive a collection or two, and of a
   * thousand streams at once these are what a collection has to move.
   */
  private bytes = NONE
  private length = 0
  private choice = 0

  /** An event that has gone to the caller. */
  add(event: ChatEvent): void {
    if (this.lost) return
    if (this.length > 0) this.read()
    switch (event.type) {
      case 'start':
        this.start ??= event
        return
      case 'text':
      case 'refusal':
      case 'reasoning':
      case 'arguments':
        if (event.text !== '') this.grow(event)
        return
      case 'tool':
      case 'signature':
      case 'redacted':
        this.settle()
        this.whole.push(event)
        return
      case 'finish':
        this.finished.add(event.choice)
        return
      case 'usage':
      case 'ping':
      case 'end':
      case 'error':
      case 'logprobs':
      case 'citation':
        return
      default:
        if (UNKEPT.has(event.type)) this.lose()
    }
  }

  /** Words that have gone to the caller in one event: what stands between `from` and `to` is the inside of a JSON string, and known to be good. */
  words(choice: number, source: Buffer, from: number, to: number): void {
    const more = to - from
    if (this.lost || more === 0) return
    if (this.length > 0 && (this.choice !== choice || this.length + more > MOST_BYTES)) this.read()
    this.choice = choice
    const length = this.length + more
    if (length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(FIRST_BYTES, 2 ** Math.ceil(Math.log2(length))))
      grown.set(this.bytes.subarray(0, this.length))
      this.bytes = grown
    }
    // Words are short: a call to copy them costs more than the copying.
    if (more > 64) this.bytes.set(source.subarray(from, to), this.length)
    else for (let i = 0; i < more; i++) this.bytes[this.length + i] = source[from + i] ?? 0
    this.length = length
    this.tokens++
  }

  /** Nothing of the answer is known any more. */
  lose(): void {
    this.lost = true
    this.whole.length = 0
    this.waiting = []
    this.bytes = NONE
    this.length = 0
  }

  /** All of it in order. */
  get pieces(): readonly ChatEvent[] {
    this.read()
    this.settle()
    return this.whole
  }

  /** One that goes its own way from here. */
  copy(): Transcript {
    const copy = new Transcript()
    copy.start = this.start
    copy.opened = this.opened
    copy.tokens = this.tokens
    copy.whole.push(...this.pieces)
    copy.lost = this.lost
    copy.size = this.size
    for (const choice of this.finished) copy.finished.add(choice)
    return copy
  }

  private grow(event: Extract<ChatEvent, { readonly text: string }>): void {
    this.tokens++
    this.size += event.text.length
    if (this.size > MOST) return this.lose()
    const last = this.whole.at(-1)
    const same =
      last?.type === event.type &&
      last.choice === event.choice &&
      (event.type !== 'arguments' || (last.type === 'arguments' && last.index === event.index))
    if (!same) {
      this.settle()
      this.whole.push(event)
      return
    }
    this.waiting.push(event.text)
    if (this.waiting.length >= WAITING) this.settle()
  }

  /** Makes text of the bytes. */
  private read(): void {
    const { bytes, length, choice, tokens } = this
    if (length === 0) return
    this.length = 0
    if (bytes.length > MOST_BYTES) this.bytes = NONE
    const inside = Buffer.from(bytes.buffer, 0, length).toString()
    const text = inside.includes('\\') ? String(JSON.parse(`"${inside}"`)) : inside
    this.add({ type: 'text', choice, text })
    this.tokens = tokens
  }

  private settle(): void {
    if (this.waiting.length === 0) return
    const last = this.whole.at(-1)
    if (last && 'text' in last) this.whole[this.whole.length - 1] = { ...last, text: last.text + this.waiting.join('') }
    this.waiting = []
  }
}
