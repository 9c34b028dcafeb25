/** Counts of values by upper bounds, as Prometheus has them, for the cost of an addition. */
export class Histogram {
  /** Ascending. */
  readonly bounds: readonly number[]
  /** By bound, those above all of them last; not cumulative. */
  readonly counts: Float64Array
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const { bounds, counts } = this
    let at = 0
    while (at < bounds.length && value > (bounds[at] ?? 0)) at++
    counts[at] = (counts[at] ?? 0) + 1
    this.sum += value
  }
}
