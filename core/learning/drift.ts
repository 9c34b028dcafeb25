/** How values fell when something was made of them: edges between at most ten bins of about a tenth each, and the share that fell in each bin. */
export interface Spread {
  readonly edges: readonly number[]
  readonly shares: readonly number[]
}

/** The spread of values over their deciles; equal values share a bin. */
export function spreadOf(values: ArrayLike<number>): Spread {
  const sorted = Float64Array.from(values).sort()
  const tenths = Array.from({ length: 9 }, (_, at) => sorted[Math.floor(((at + 1) / 10) * sorted.length)] ?? 0)
  const edges = [...new Set(tenths)]
  const counts = edges.map(() => 0).concat(0)
  for (const value of sorted) {
    const bin = binOf(edges, value)
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return { edges, shares: counts.map((count) => count / Math.max(sorted.length, 1)) }
}

/** How many edges are at or below a value. */
function binOf(edges: readonly number[], value: number): number {
  let bin = 0
  while (bin < edges.length && value >= (edges[bin] ?? Infinity)) bin++
  return bin
}

/** Values of which one index is made: fewer say little. */
const WINDOW = 200

/**
 * Watches whether values still fall as they did: the population stability index, Σ (now - then)·ln(now ÷ then) over the bins, of the last whole window
 * of 200 values. Above 0.2 they have shifted (Siddiqi, Credit Risk Scorecards, 2006); of an unchanged distribution it is about 9 ÷ 200.
 */
export class Drift {
  /** The index of the last whole window; 0 before there is one. */
  psi = 0
  private readonly reference: Spread
  private readonly counts: Uint32Array
  private total = 0

  constructor(reference: Spread) {
    this.reference = reference
    this.counts = new Uint32Array(reference.shares.length)
  }

  observe(value: number): void {
    const bin = binOf(this.reference.edges, value)
    this.counts[bin] = (this.counts[bin] ?? 0) + 1
    if (++this.total < WINDOW) return
    // Half a value stands for none, so that an empty bin is no infinity.
    const least = 0.5 / WINDOW
    this.psi = this.reference.shares.reduce((sum, share, at) => {
      const [then, now] = [Math.max(share, least), Math.max((this.counts[at] ?? 0) / WINDOW, least)]
      return sum + (now - then) * Math.log(now / then)
    }, 0)
    this.counts.fill(0)
    this.total = 0
  }
}
