import { setTimeout as sleep } from 'node:timers/promises'

/** A token bucket that those who come wait for, in the order they came: at most `perSecond` on average, `burst` at once. */
export class Rate {
  readonly #gap: number
  readonly #burst: number
  /** When the bucket would be full again had nobody come, ms of the monotonic clock (GCRA's theoretical arrival time). */
  #full = 0

  constructor(perSecond: number, burst: number) {
    this.#gap = 1000 / perSecond
    this.#burst = burst
  }

  /** How long one who came now would wait, ms. */
  get wait(): number {
    return Math.max(0, this.#full - performance.now() - this.#gap * (this.#burst - 1))
  }

  /** Resolves when it is one's turn; rejects when `signal` aborts before. */
  async take(signal?: AbortSignal): Promise<void> {
    const wait = this.wait
    this.#full = Math.max(this.#full, performance.now()) + this.#gap
    if (wait > 0) await sleep(wait, undefined, signal ? { signal } : {})
  }
}
