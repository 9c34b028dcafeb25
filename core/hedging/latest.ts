/** How many are remembered, and how many it takes to know anything. */
const KEPT = 128
const ENOUGH = 20
/** The percentile is worked out anew after so many more. */
const EVERY = 8

/** The latest latencies of a target, ms, and the time within which 95 of 100 of them came. */
export class Latest {
  private readonly ring = new Float64Array(KEPT)
  private count = 0
  private known: number | undefined
  private at = 0

  observe(ms: number): void {
    this.ring[this.count % KEPT] = ms
    this.count++
  }

  /** The nearest-rank 95th percentile; undefined while too few have been seen. */
  get p95(): number | undefined {
    if (this.count < ENOUGH) return undefined
    if (this.known === undefined || this.count - this.at >= EVERY) {
      const sorted = this.ring.slice(0, Math.min(this.count, KEPT)).sort()
      this.known = sorted[Math.ceil(sorted.length * 0.95) - 1]
      this.at = this.count
    }
    return this.known
  }
}
