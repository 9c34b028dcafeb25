/**
 * What exploring may cost: a part of what is spent anyway. Each request adds that part of what the best arm would cost; asking a dearer one
 * takes what it is dearer by. It starts empty and nothing is lent, so that at no moment was more spent on exploring than the part.
 */
export class Purse {
  #balance = 0

  /** How much dearer than the best arm another may be. */
  get allowance(): number {
    return this.#balance
  }

  /** One arm was asked. Costs in any one unit; NaN: not known, and not counted. `part`: 0…1. */
  spend(best: number, asked: number, part: number): void {
    if (!Number.isNaN(best)) this.#balance += part * best
    if (asked > best) this.#balance -= asked - best
  }
}
