/** What is kept of values to tell their mean and variance: sums of different sidecars are added, in any order. */
export interface Sums {
  readonly n: number
  readonly sum: number
  readonly squares: number
}

export const NO_SUMS: Sums = { n: 0, sum: 0, squares: 0 }

export const added = (a: Sums, b: Sums): Sums => ({
  n: a.n + b.n,
  sum: a.sum + b.sum,
  squares: a.squares + b.squares,
})

/** NaN where there are no values. */
export const meanOf = ({ n, sum }: Sums): number => sum / n

/** Of a sample of at least two values; 0 for fewer. */
export function varianceOf({ n, sum, squares }: Sums): number {
  return n < 2 ? 0 : Math.max(0, (squares - (sum * sum) / n) / (n - 1))
}
