import type { ChatEvent } from '../chat.ts'
import { areWhole } from './whole-arguments.ts'

/**
 * Brings the events of one answer into an order in which a call is whole before anything else begins, for dialects that have one thing open
 * at a time: OpenAI's streams may go on with an earlier call after a later one has begun. What comes while a call lacks some of its
 * arguments waits until they are there, or for the finish.
 */
export class CallsInOrder {
  private open: { readonly index: number; text: string } | undefined
  private waiting: ChatEvent[] = []

  /** The events that may go on now. */
  push(event: ChatEvent): readonly ChatEvent[] {
    switch (event.type) {
      case 'arguments': {
        const { open } = this
        if (event.index !== open?.index) return this.wait(event)
        open.text += event.text
        return this.waiting.length > 0 && areWhole(open.text) ? [event, ...this.again()] : [event]
      }
      case 'tool':
        if (this.unfinished) return this.wait(event)
        this.open = { index: event.index, text: '' }
        return [event]
      case 'text':
      case 'refusal':
      case 'reasoning':
      case 'signature':
      case 'redacted':
      case 'image':
      case 'audio':
        return this.unfinished ? this.wait(event) : [event]
      case 'finish':
        return [...this.rest(), event]
      default:
        return [event]
    }
  }

  /** What still waits: each call with its arguments after it. */
  rest(): readonly ChatEvent[] {
    const out: ChatEvent[] = []
    let { waiting } = this
    this.waiting = []
    while (waiting.length > 0) {
      const at = this.open?.index
      const own = (event: ChatEvent) => event.type === 'arguments' && event.index === at
      out.push(...waiting.filter(own))
      const [next, ...others] = waiting.filter((event) => !own(event))
      if (next) out.push(next)
      if (next?.type === 'tool') this.open = { index: next.index, text: '' }
      waiting = others
    }
    return out
  }

  private get unfinished(): boolean {
    return this.waiting.length > 0 || (this.open !== undefined && !areWhole(this.open.text))
  }

  private wait(event: ChatEvent): readonly ChatEvent[] {
    this.waiting.push(event)
    return []
  }

  private again(): readonly ChatEvent[] {
    const { waiting } = this
    this.waiting = []
    return waiting.flatMap((event) => this.push(event))
  }
}
