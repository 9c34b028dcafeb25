import type { ChatEvent } from '../chat.ts'
import type { Usage } from '../usage.ts'
import type { Transcript } from './transcript.ts'

/** How the next target is asked: to go on from what was said, or for the whole answer again, which must begin with it. */
export type Way = 'continue' | 'replay'

/** The answer does not begin with what the caller has. */
export class Diverged extends Error {
  override readonly name = 'Diverged'
}

/**
 * Joins the answer of a second target to what the caller has of the first: of a continuation everything goes on, of an answer that was asked
 * for again only what comes after the part that the caller has, once that has been found to be the same, byte for byte.
 */
export interface Splice {
  /** What the answer has said so far is no more than what the caller has. */
  readonly held: boolean
  /** The events that go on to the caller. Throws `Diverged`. */
  push(event: ChatEvent): readonly ChatEvent[]
}

export function replay(sent: Transcript): Splice {
  return new Replay(sent)
}

/** What the target that goes on makes of the text that it was given. */
interface Continuing {
  /** White space at the end of the text that the target was not given, as it takes none there. */
  readonly gap: string
  /** Its answer begins with the text that it was given. */
  readonly echoes: boolean
}

export function continuation(sent: Transcript, continuing: Continuing): Splice {
  return new Continuation(sent, continuing)
}

class Replay implements Splice {
  private readonly sent: Transcript
  /** By choice: what is still to come of what the caller has, and how much of the first has come. */
  private readonly owed = new Map<number, { readonly pieces: ChatEvent[]; at: number }>()
  private left = 0
  /** By choice: the last text was of what the caller has. */
  private readonly covered = new Set<number>()

  constructor(sent: Transcript) {
    this.sent = sent
    for (const piece of sent.pieces) {
      if (!('choice' in piece)) continue
      const owed = this.owed.get(piece.choice)
      if (owed) owed.pieces.push(piece)
      else this.owed.set(piece.choice, { pieces: [piece], at: 0 })
      this.left++
    }
  }

  get held(): boolean {
    return this.left > 0
  }

  push(event: ChatEvent): readonly ChatEvent[] {
    switch (event.type) {
      case 'start':
        return []
      case 'text':
      case 'refusal':
      case 'reasoning':
      case 'arguments':
        return this.text(event)
      case 'tool':
      case 'signature':
      case 'redacted':
        return this.mark(event)
      case 'finish':
        if (this.next(event.choice)) throw new Diverged('It is shorter.')
        return this.sent.finished.has(event.choice) ? [] : [event]
      case 'logprobs':
      case 'citation':
      case 'image':
      case 'audio':
        return this.covered.has(event.choice) || this.next(event.choice) ? [] : [event]
      case 'ping':
        return this.held ? [] : [event]
      default:
        return [event]
    }
  }

  private next(choice: number): ChatEvent | undefined {
    return this.owed.get(choice)?.pieces[0]
  }

  private text(event: Extract<ChatEvent, { readonly text: string }>): readonly ChatEvent[] {
    const owed = this.owed.get(event.choice)
    const piece = owed?.pieces[0]
    if (!owed || !piece) {
      this.covered.delete(event.choice)
      return [event]
    }
    if (event.text === '') return []
    const same =
      piece.type === event.type &&
      (piece.type !== 'arguments' || (event.type === 'arguments' && piece.index === event.index))
    if (!same || !('text' in piece)) throw new Diverged(`It has ${event.type} where there was ${piece.type}.`)
    const rest = piece.text.length - owed.at
    const common = Math.min(rest, event.text.length)
    if (!piece.text.startsWith(event.text.slice(0, common), owed.at)) throw new Diverged('Its words are others.')
    owed.at += common
    this.covered.add(event.choice)
    if (common < rest) return []
    this.shift(owed)
    if (common === event.text.length) return []
    // More of a kind after which another came.
    if (owed.pieces.length > 0) throw new Diverged('It has more to say there.')
    this.covered.delete(event.choice)
    return [{ ...event, text: event.text.slice(common) }]
  }

  /** What is not text: a call's beginning is the same under whatever id, everything else only as a whole. */
  private mark(event: Extract<ChatEvent, { readonly type: 'tool' | 'signature' | 'redacted' }>): readonly ChatEvent[] {
    const owed = this.owed.get(event.choice)
    const piece = owed?.pieces[0]
    if (!owed || !piece) return [event]
    const same =
      event.type === 'tool'
        ? piece.type === 'tool' && piece.name === event.name && piece.index === event.index
        : JSON.stringify(piece) === JSON.stringify(event)
    if (!same || owed.at > 0) throw new Diverged(`It has ${event.type} where there was ${piece.type}.`)
    this.shift(owed)
    return []
  }

  private shift(owed: { readonly pieces: ChatEvent[]; at: number }): void {
    owed.pieces.shift()
    owed.at = 0
    this.left--
  }
}

class Continuation implements Splice {
  private readonly sent: Transcript
  private gap: string
  /** Of the text that it was given, what its answer may still begin with; and what of the answer waits for that to be known. */
  private echo: string
  private waiting = ''

  constructor(sent: Transcript, { gap, echoes }: Continuing) {
    this.sent = sent
    this.gap = gap
    const [piece] = sent.pieces
    const text = piece?.type === 'text' ? piece.text : ''
    this.echo = echoes ? text.slice(0, text.length - gap.length) : ''
  }

  get held(): boolean {
    return this.waiting !== ''
  }

  push(event: ChatEvent): readonly ChatEvent[] {
    switch (event.type) {
      case 'start':
        return []
      case 'text':
        return this.text(event.choice, event.text)
      case 'finish': {
        // What waited was no echo: the answer is shorter than that.
        const words = this.waiting
        this.echo = this.waiting = ''
        return words === '' ? [event] : [...this.said(event.choice, words), event]
      }
      case 'usage':
        return [{ type: 'usage', usage: this.usage(event.usage) }]
      default:
        return [event]
    }
  }

  private text(choice: number, more: string): readonly ChatEvent[] {
    if (this.echo === '') return this.said(choice, more)
    this.waiting += more
    const { waiting, echo } = this
    if (waiting.length < echo.length && echo.startsWith(waiting)) return []
    this.echo = this.waiting = ''
    return this.said(choice, waiting.startsWith(echo) ? waiting.slice(echo.length) : waiting)
  }

  /** The words without the white space at their beginning that the caller has. */
  private said(choice: number, words: string): readonly ChatEvent[] {
    let at = 0
    while (this.gap !== '' && at < words.length) {
      const same = words[at] === this.gap[0]
      this.gap = same ? this.gap.slice(1) : ''
      if (same) at++
    }
    const text = words.slice(at)
    return text === '' ? [] : [{ type: 'text', choice, text }]
  }

  /**
   * Of the answer that the caller got: what it was given of the answer was no part of the prompt but of the output. How many tokens that
   * was is known by its events only.
   */
  private usage(usage: Usage): Usage {
    const { tokens } = this.sent
    return { ...usage, input: Math.max(0, usage.input - tokens), output: usage.output + tokens, estimated: true }
  }
}
