/** Rows that a router is judged on, all arrays by model and then by row. */
export interface Judging {
  /** What the heads say: calibrated P(acceptable). */
  readonly predicted: readonly Float64Array[]
  /** The quality each answer had, in [0, 1]; NaN where a model gave none, and so cannot be chosen. */
  readonly outcome: readonly Float64Array[]
  /** What one request costs, in any unit, by model. */
  readonly cost: readonly number[]
  /** The model that all are compared with. */
  readonly strong: number
}

/** What a policy came to: means over rows. */
export interface Point {
  readonly cost: number
  readonly quality: number
}

/** A policy of the sweep: what a unit of cost weighs against quality, and the model of each row. */
export interface Policy {
  readonly lambda: number
  readonly choice: Uint8Array
}

/** λ from paying for any gain to always taking the cheapest, as shares of the dearest model's cost. */
const LAMBDAS: readonly number[] = [0, ...Array.from({ length: 120 }, (_, at) => 0.0005 * 1.085 ** at)]

/**
 * The choices of the decision function, argmax over m of q̂ − λ·ĉ ∕ c_strong, at 121 values of λ. With outcomes in the place of predictions it is the oracle's.
 */
export function sweep(
  { predicted, outcome, cost, strong }: Judging,
  by: readonly Float64Array[] = predicted,
): readonly Policy[] {
  const rows = outcome[0]?.length ?? 0
  const unit = cost[strong] ?? 1
  return LAMBDAS.map((lambda) => {
    const choice = new Uint8Array(rows)
    for (let row = 0; row < rows; row++) {
      let [best, most] = [strong, -Infinity]
      for (let model = 0; model < cost.length; model++) {
        if (Number.isNaN(outcome[model]?.[row] ?? Number.NaN)) continue
        const value = (by[model]?.[row] ?? 0) - (lambda * (cost[model] ?? 0)) / unit
        if (value > most) [best, most] = [model, value]
      }
      choice[row] = best
    }
    return { lambda, choice }
  })
}

/** Mean cost and quality of a policy; `weights` says how often each row counts. */
export function pointOf({ outcome, cost }: Judging, choice: Uint8Array, weights?: Float64Array): Point {
  let [total, spent, quality] = [0, 0, 0]
  for (let row = 0; row < choice.length; row++) {
    const weight = weights ? (weights[row] ?? 0) : 1
    const model = choice[row] ?? 0
    total += weight
    spent += weight * (cost[model] ?? 0)
    quality += weight * (outcome[model]?.[row] ?? 0)
  }
  return { cost: spent / total, quality: quality / total }
}

/** The points that no mixture of others beats: the least cost at each quality, as drawing between them by lot gives it. */
export function frontier(points: readonly Point[]): readonly Point[] {
  const sorted = points.toSorted((a, b) => a.cost - b.cost || b.quality - a.quality)
  const hull: Point[] = []
  for (const point of sorted) {
    if ((hull.at(-1)?.quality ?? -Infinity) >= point.quality) continue
    for (let [a, b] = [hull.at(-2), hull.at(-1)]; a && b; [a, b] = [hull.at(-2), hull.at(-1)]) {
      if ((b.quality - a.quality) * (point.cost - b.cost) > (point.quality - b.quality) * (b.cost - a.cost)) break
      hull.pop()
    }
    hull.push(point)
  }
  return hull
}

/** The least cost on a frontier that reaches a quality; NaN where none does. */
export function costAt(hull: readonly Point[], quality: number): number {
  let before: Point | undefined
  for (const point of hull) {
    if (point.quality >= quality)
      return before
        ? before.cost + ((point.cost - before.cost) * (quality - before.quality)) / (point.quality - before.quality)
        : point.cost
    before = point
  }
  return Number.NaN
}
