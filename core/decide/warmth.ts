import { hash } from 'node:crypto'
import { Recent } from '../recent.ts'

/** How long providers keep what they have read of a prompt, ms: five minutes, by Anthropic's and OpenAI's documentation. */
const KEPT = 300_000
/** So many conversations are remembered of a rule at least, and at the most twice as many: the oldest are forgotten first. */
const LEAST = 5000

/**
 * Which target last read each conversation, and how much of it: staying there is cheaper by what the provider's cache saves, and that is
 * weighed like any other cost, instead of holding a conversation where it is at any price. Keys are kept as hashes: callers make them as long as a
 * header may be, and a part of a header keeps the whole of it.
 */
export class Conversations {
  private readonly last = new Recent<Warmth>(LEAST)

  /** What is still warm of a conversation; undefined where nothing is. */
  find(key: string, now: number): Warmth | undefined {
    const found = this.last.get(hashed(key))
    return found && now - found.at < KEPT ? found : undefined
  }

  /** A target read so many tokens of it. */
  remember(key: string, target: string, tokens: number, now: number): void {
    this.last.set(hashed(key), new Warmth(target, tokens, now))
  }
}

/** As long for every key: 128 bits are enough against accidents, and a caller who finds two that are equal has its own prompts mistaken for warm. */
const hashed = (key: string): string => hash('sha256', key, 'base64url').slice(0, 22)

export class Warmth {
  readonly at: number
  private readonly target: string
  private readonly read: number

  constructor(target: string, read: number, at: number) {
    this.target = target
    this.read = read
    this.at = at
  }

  /** Of the prompt's tokens, those that a target has read. */
  tokens(target: string): number {
    return target === this.target ? this.read : 0
  }
}
