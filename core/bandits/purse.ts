/**
 * What exploring may cost: a part of what is spent. Each answer adds that part of what it was expected to cost; asking a dearer arm than the
 * best takes what it is dearer by, at once. It starts empty and nothing is lent, so that at no moment more than the part was spent on it.
 */
export class Purse {
  #balance = 0

  /** How much dearer than the best arm another may be. */
  get allowance(): number {
    return this.#balance
  }

  /** Does something of which nothing is to be counted. */
  hold<T>(during: () => T): T {
    const before = this.#balance
    try {
      return during()
    } finally {
      this.#balance = before
    }
  }

  /** An arm is asked that may be dearer than the best. Costs in any one unit; NaN: not known, and not counted. */
  take(best: number, asked: number): void {
    if (asked > best) this.#balance -= asked - best
  }

  /** An answer that was expected to cost so much has come. `part`: 0…1. */
  earn(cost: number, part: number): void {
    if (!Number.isNaN(cost)) this.#balance += part * cost
  }
}
