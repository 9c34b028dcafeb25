import { createHash } from 'node:crypto'
import { normalised } from '../learning/text.ts'
import type { Signals } from '../signals/signals.ts'
import { sketchOf } from './sketch.ts'
import type { Sketch } from './sketch.ts'

/** In what a request may be like another. */
export const KINSHIPS = ['Text', 'Conversation', 'Near', 'Task'] as const
export type Kinship = (typeof KINSHIPS)[number]

/** What of a request tells others that are like it; holds none of its words. Each is worked out when it is first asked for. */
export class Traits {
  private readonly signals: Signals
  private readonly sticky: string | undefined
  private known: Partial<Record<Exclude<Kinship, 'Near'>, string>> = {}
  private drawn: Sketch | undefined

  /** `sticky`: the conversation's key, where the rule has a header for it and the request carries that. */
  constructor(signals: Signals, sticky: string | undefined) {
    this.signals = signals
    this.sticky = sticky
  }

  /** Equal for requests that are alike in that: the text of the last user turn, the conversation by its key or by how it began, the task. */
  key(kinship: Exclude<Kinship, 'Near'>): string {
    this.known[kinship] ??= `${kinship} ${this.make(kinship)}`
    return this.known[kinship]
  }

  get sketch(): Sketch {
    this.drawn ??= sketchOf(this.signals.text)
    return this.drawn
  }

  /** Works out what is to outlive the request, and lets go of that. */
  kept(kinships: ReadonlySet<Kinship>): KeptTraits {
    const keys = new Map(EXACT.filter((it) => kinships.has(it)).map((it) => [it, this.key(it)]))
    return {
      keys,
      sketch: kinships.has('Near') ? this.sketch : undefined,
      conversation: this.key('Conversation'),
      text: this.key('Text'),
    }
  }

  private make(kinship: Exclude<Kinship, 'Near'>): string {
    const { signals, sticky } = this
    if (kinship === 'Task') return signals.task
    if (kinship === 'Text') return hash(signals.text)
    const first = signals.turns.find(({ role }) => role === 'user')?.text ?? signals.text
    return sticky === undefined ? hash(`${signals.systemHash} ${first}`) : `by ${hash(sticky)}`
  }
}

/** The same of a request that is over. */
export interface KeptTraits {
  readonly keys: ReadonlyMap<Exclude<Kinship, 'Near'>, string>
  readonly sketch: Sketch | undefined
  readonly conversation: string
  readonly text: string
}

const EXACT = ['Text', 'Conversation', 'Task'] as const

const hash = (text: string): string =>
  createHash('sha256').update(normalised(text).replaceAll(/\s+/g, ' ').trim()).digest('base64url').slice(0, 16)
