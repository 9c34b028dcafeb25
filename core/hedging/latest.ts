/** How many are remembered, and how many it takes to know anything. */
const KEPT = 128
const ENOUGH = 20
/** The percentile is worked out anew after so many more. */
const EVERY = 8

/** The latest latencies of a target, ms, and the time within which a share of them came. */
export class Latest {
  private readonly share: number
  private readonly ring = new Float64Array(KEPT)
  private count = 0
  private known: number | undefined
  private at = 0

  /** `share`: 0.95 for the 95th percentile. */
  constructor(share: number) {
    this.share = share
  }

  observe(ms: number): void {
    this.ring[this.count % KEPT] = ms
    this.count++
  }

  /** The nearest-rank percentile; undefined while too few have been seen. */
  get percentile(): number | undefined {
    if (this.count < ENOUGH) return undefined
    if (this.known === undefined || this.count - this.at >= EVERY) {
      const sorted = this.ring.slice(0, Math.min(this.count, KEPT)).sort()
      this.known = sorted[Math.ceil(sorted.length * this.share) - 1]
      this.at = this.count
    }
    return this.known
  }
}
