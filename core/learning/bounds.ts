/** What an upper bound of a mean is made from: values that all lie in `[low, high]`, and the chance `delta` that it is below the true mean. */
export interface BoundOptions {
  readonly delta: number
  readonly low: number
  readonly high: number
}

/** An upper confidence bound of the mean of independent values; infinite where there are none. */
export type UpperBound = (values: ArrayLike<number>, options: BoundOptions) => number

/**
 * The one-sided normal bound, mean + z·sd/√n. It holds as n grows, not for each n: where a loss is rare and large it comes out too low, so it is for
 * 500 values and more.
 */
export const normalUpper: UpperBound = (values, { delta }) => {
  const { mean, variance, n } = moments(values)
  return n === 0 ? Infinity : mean + normalQuantile(1 - delta) * Math.sqrt(variance / n)
}

/** The one-sided empirical Bernstein bound (Maurer and Pontil 2009, theorem 4): holds for each n. */
export const bernsteinUpper: UpperBound = (values, { delta, low, high }) => {
  const { mean, variance, n } = moments(values)
  if (n < 2) return n === 0 ? Infinity : high
  const log = Math.log(2 / delta)
  return Math.min(high, mean + Math.sqrt((2 * variance * log) / n) + (7 * (high - low) * log) / (3 * (n - 1)))
}

/**
 * The one-sided betting bound (Waudby-Smith and Ramdas 2023, section 4.4, one side of the hedged capital): the largest mean against which a gambler,
 * who bets that the mean is lower, has not made 1/delta of 1. Holds for each n, and follows the variance. The order of the values must not depend on them.
 */
export const bettingUpper: UpperBound = (values, options) => {
  if (values.length === 0) return Infinity
  let [held, refuted] = [options.low, options.high]
  if (!refutes(values, refuted, options)) return refuted
  // The capital grows with the mean that is bet against, so that a bisection finds the edge; 24 halvings are 1e-7 of the range.
  for (let step = 0; step < 24; step++) {
    const middle = (held + refuted) / 2
    if (refutes(values, middle, options)) refuted = middle
    else held = middle
  }
  return refuted
}

/** A bet leaves at least a quarter of the capital, whatever comes. */
const LARGEST_BET = 0.75

/** Whether betting against "the mean is at least `mean`" ever made 1/delta (Ville's inequality: under that hypothesis the chance is at most delta). */
function refutes(values: ArrayLike<number>, mean: number, { delta, low, high }: BoundOptions): boolean {
  const width = high - low
  const goal = Math.log(1 / delta)
  const cap = LARGEST_BET / Math.max(high - mean, Number.EPSILON)
  const n = values.length
  let capital = 0
  // The plug-in of the paper's equation 26 for a known n, with its prior of half the range for the mean and a quarter of its square for the variance.
  let [sum, squares] = [(low + high) / 2, (width * width) / 4]
  for (let i = 0; i < n; i++) {
    const value = values[i] ?? 0
    const variance = squares / (i + 1)
    capital += Math.log1p(Math.min(cap, Math.sqrt((2 * goal) / (variance * n))) * (mean - value))
    if (capital >= goal) return true
    sum += value
    squares += (value - sum / (i + 2)) ** 2
  }
  return false
}

/** Mean, unbiased variance and count. */
export function moments(values: ArrayLike<number>): { mean: number; variance: number; n: number } {
  let [mean, squares] = [0, 0]
  const n = values.length
  // Welford's recurrence: no cancellation where the mean is large beside the spread.
  for (let i = 0; i < n; i++) {
    const value = values[i] ?? 0
    const off = value - mean
    mean += off / (i + 1)
    squares += off * (value - mean)
  }
  return { mean, variance: n > 1 ? squares / (n - 1) : 0, n }
}

/** The value below which a standard normal variable lies with chance `p` in (0, 1): Acklam's rational approximation, off by less than 1.2e-9 of itself. */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p)
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p))
    return polynomial(TAIL, q) / (polynomial(TAIL_UNDER, q) * q + 1)
  }
  const q = p - 0.5
  const r = q * q
  return (polynomial(CENTRE, r) * q) / (polynomial(CENTRE_UNDER, r) * r + 1)
}

/** Coefficients of Acklam's two pieces, highest power first. */
const CENTRE = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
]
const CENTRE_UNDER = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572]
const TAIL = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
]
const TAIL_UNDER = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416]

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, c) => sum * x + c, 0)
