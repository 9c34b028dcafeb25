/**
 * What exploring may cost: a part of what is spent. Each request adds that part of what it is expected to cost; asking a dearer arm than the
 * best takes what it is dearer by. It starts empty and nothing is lent, so that at no moment more than the part was spent on exploring.
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

  /** One arm was asked. Costs in any one unit; NaN: not known, and not counted. `part`: 0…1. */
  spend(best: number, asked: number, part: number): void {
    if (!Number.isNaN(asked)) this.#balance += part * asked
    if (asked > best) this.#balance -= asked - best
  }
}
