import type { Budget } from './settings.ts'

const HOUR = 3_600_000
/** Of an hour's budget, what may be there at once; the rest comes evenly. Together they are the whole. */
const AT_ONCE = 0.25

/**
 * What a mirror may still spend, picodollars. Before a call goes out, what it costs at most is set aside (`take`); what it did cost is settled after it.
 *
 * By the hour it is a token bucket that starts empty and holds a quarter of the budget, of which what is set aside is part, while three quarters come evenly
 * in an hour: whatever is there and set aside at the start of an hour, and what comes in it, are never more than the budget together; so in every hour,
 * wherever it begins, and however often the sidecar starts anew. As a part of what the rule's own requests have cost it starts empty too, and nothing is
 * lent: at no moment more was spent or set aside than that part.
 */
export class Purse {
  #budget: Budget
  readonly #now: () => number
  #level = 0
  #at: number
  #earned = 0
  #reserved = 0
  #spent = 0

  /** `now`: monotonic, ms. */
  constructor(budget: Budget, now: () => number) {
    this.#budget = budget
    this.#now = now
    this.#at = now()
  }

  /** An edit of the budget: what is there stays, as far as the new one lets it; a bound that is new begins empty, with what is set aside taken off. */
  configure(budget: Budget): void {
    this.#fill()
    const { perHour, spendPercent } = this.#budget
    this.#budget = budget
    if (perHour === undefined) this.#level = -this.#reserved
    if (spendPercent === undefined) this.#earned = -this.#reserved
    this.#level = Math.min(this.#level, this.#room())
  }

  /** What was spent in all: of calls that did not say what they used, what they cost at most. */
  get spent(): number {
    return this.#spent
  }

  /** A request of the rule has cost so much. */
  earn(cost: number): void {
    const { spendPercent } = this.#budget
    if (spendPercent !== undefined) this.#earned += (cost * spendPercent) / 100
  }

  /** Sets aside what a call costs at most; false: it cannot be had. */
  take(most: number): boolean {
    this.#fill()
    const { perHour, spendPercent } = this.#budget
    if (most > 0 && perHour !== undefined && most > this.#level) return false
    if (most > 0 && spendPercent !== undefined && most > this.#earned) return false
    this.#level -= most
    this.#earned -= most
    this.#reserved += most
    return true
  }

  /** A call for which `most` was set aside has cost so much. */
  settle(most: number, cost: number): void {
    this.#fill()
    this.#reserved -= most
    this.#level += most - cost
    this.#earned += most - cost
    this.#spent += cost
    this.#level = Math.min(this.#level, this.#room())
  }

  #room(): number {
    return (this.#budget.perHour ?? 0) * AT_ONCE - this.#reserved
  }

  #fill(): void {
    const now = this.#now()
    const { perHour = 0 } = this.#budget
    const come = (perHour * (1 - AT_ONCE) * (now - this.#at)) / HOUR
    this.#at = now
    this.#level = Math.max(this.#level, Math.min(this.#level + come, this.#room()))
  }
}
