import type { ChatEvent } from '../chat.ts'

type Start = Extract<ChatEvent, { readonly type: 'start' }>

/** Characters of an answer that are kept; one that is longer is not rescued. */
const MOST = 256 * 1024
/** So many pieces of text wait before they become one string. */
const WAITING = 64

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

  /** An event that has gone to the caller. */
  add(event: ChatEvent): void {
    if (this.lost) return
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

  /** Text that has gone to the caller, said in so many events. */
  heard(text: string, events: number): void {
    this.add({ type: 'text', choice: 0, text })
    this.tokens += events - 1
  }

  /** Nothing of the answer is known any more. */
  lose(): void {
    this.lost = true
    this.whole.length = 0
    this.waiting = []
  }

  /** All of it in order. */
  get pieces(): readonly ChatEvent[] {
    this.settle()
    return this.whole
  }

  /** One that goes its own way from here. */
  copy(): Transcript {
    const copy = new Transcript()
    copy.start = this.start
    copy.opened = this.opened
    copy.tokens = this.tokens
    copy.lost = this.lost
    copy.size = this.size
    copy.whole.push(...this.pieces)
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

  private settle(): void {
    if (this.waiting.length === 0) return
    const last = this.whole.at(-1)
    if (last && 'text' in last) this.whole[this.whole.length - 1] = { ...last, text: last.text + this.waiting.join('') }
    this.waiting = []
  }
}
