const SECONDS = 10

/**
 * Bounds retries to a share of the requests of the last ten seconds, and lets a few a second through in any case, so that a fault of the
 * endpoint is not multiplied (as Finagle's RetryBudget does). Ten sliding buckets of one second.
 */
export class RetryBudget {
  private limits: { readonly percent: number; readonly minPerSecond: number }
  private readonly now: () => number
  private readonly requests = new Float64Array(SECONDS)
  private readonly retries = new Float64Array(SECONDS)
  private second = 0

  constructor(limits: { readonly percent: number; readonly minPerSecond: number }, now: () => number) {
    this.limits = limits
    this.now = now
  }

  /** Takes effect at once; what was counted stays. */
  configure(limits: { readonly percent: number; readonly minPerSecond: number }): void {
    this.limits = limits
  }

  /** A first attempt was made. */
  request(): void {
    const at = this.rotate()
    this.requests[at] = (this.requests[at] ?? 0) + 1
  }

  /** Whether one more retry may be made; if so, it is counted. */
  take(): boolean {
    const at = this.rotate()
    const within = (this.retries[at] ?? 0) < this.limits.minPerSecond
    if (!within && (sum(this.retries) + 1) * 100 > sum(this.requests) * this.limits.percent) return false
    this.retries[at] = (this.retries[at] ?? 0) + 1
    return true
  }

  /** Empties the seconds that have passed, and returns the index of this one. */
  private rotate(): number {
    const second = Math.floor(this.now() / 1000)
    for (let i = 0; i < Math.min(second - this.second, SECONDS); i++)
      this.requests[(second - i) % SECONDS] = this.retries[(second - i) % SECONDS] = 0
    this.second = second
    return second % SECONDS
  }
}

function sum(buckets: Float64Array): number {
  let total = 0
  for (const count of buckets) total += count
  return total
}
