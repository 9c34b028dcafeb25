import type { Deadlines } from '../deps.ts'
import type { AttemptFacts, Exchange } from '../exchange.ts'

/** Calls that are made besides answering anybody: how many at a time, and none once the sidecar is stopping. */
export class Aside {
  /** The calls that are under way. */
  readonly #calls = new Set<Exchange>()
  readonly #most: number
  #running = 0
  #closed = false

  /** `most`: how many pieces of work at a time, each of which makes its calls one after another. */
  constructor(most: number) {
    this.#most = most
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Whether one more piece of work may begin; if so, it has. */
  enter(): boolean {
    if (this.#closed || this.#running >= this.#most) return false
    this.#running++
    return true
  }

  /** One is over. */
  leave(): void {
    this.#running--
  }

  /** Has a call made, within its own deadline. It ends at once where the sidecar is stopping. */
  async during<T>(call: Exchange, deadlines: Deadlines, work: () => Promise<T>): Promise<T> {
    this.#calls.add(call)
    if (this.#closed) call.end('draining')
    deadlines.add(call)
    try {
      return await work()
    } finally {
      deadlines.remove(call)
      this.#calls.delete(call)
    }
  }

  /** The sidecar is stopping: nothing begins any more, and what is under way ends at once. */
  close(): void {
    this.#closed = true
    for (const call of this.#calls) call.end('draining')
  }
}

/** Gives a fork an end and facts of its own, since those of the caller's exchange are over. `due`: of `deps.now()`, ms. */
export function detached(fork: Exchange, attempts: AttemptFacts[], due: number): Exchange {
  fork.facts = { ...fork.facts, attempts, gate: undefined, rescue: undefined }
  fork.due = due
  fork.until = 'event'
  return fork
}
