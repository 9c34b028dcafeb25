import { Recent } from '../recent.ts'

/** What is kept of a decision until its reward comes. */
export interface Awaited {
  readonly arm: string
  readonly x: Float64Array
  /** The reward that was counted; undefined: none came yet. */
  reward: number | undefined
  /** ms. */
  readonly until: number
}

/** Keeps so many decisions at least, and at the most twice as many; the oldest go first. */
const LEAST = 5000

/**
 * Decisions whose reward is still to come, or may still be corrected, by id. One whose reward does not come in time is forgotten, and
 * nothing is learnt of it: no reward is not a bad one.
 */
export class Pending {
  readonly #within: number
  readonly #awaited = new Recent<Awaited>(LEAST)

  /** `within`: how long a reward may take, ms. */
  constructor(within: number) {
    this.#within = within
  }

  /** `x` is the caller's no more. `now` in ms, of a clock that never goes back. */
  add(id: string, arm: string, x: Float64Array, now: number): void {
    this.#awaited.set(id, { arm, x, reward: undefined, until: now + this.#within })
  }

  find(id: string, now: number): Awaited | undefined {
    const found = this.#awaited.get(id)
    return found && found.until > now ? found : undefined
  }
}
