import { sigmoid } from './head.ts'

/** From a logit to a probability: Platt's line (a·logit + b), or a non-decreasing piecewise-linear curve through points (isotonic). */
export type Calibration =
  | { readonly kind: 'platt'; readonly a: number; readonly b: number }
  | { readonly kind: 'isotonic'; readonly x: readonly number[]; readonly y: readonly number[] }

/** Isotonic regression overfits below this many rows (Niculescu-Mizil and Caruana, ICML 2005, section 5). */
const ISOTONIC_FROM = 2000

/**
 * Fits a calibration to logits of rows that the head has not learnt from, and their outcomes in [0, 1]: Platt's; with 2,000 rows or more isotonic where
 * that is shown to be better, by two standard errors of log loss on every other row. Its steps are ties and noise to whoever compares two heads.
 */
export function calibrate(logits: Float64Array, outcomes: Float64Array): Calibration {
  if (logits.length < ISOTONIC_FROM) return platt(logits, outcomes)
  const half = (of: Float64Array, odd: number): Float64Array => of.filter((_, row) => row % 2 === odd)
  const line = platt(half(logits, 0), half(outcomes, 0))
  const curve = isotonic(half(logits, 0), half(outcomes, 0))
  const [held, known] = [half(logits, 1), half(outcomes, 1)]
  const gains = held.map((logit, row) => {
    const outcome = known[row] ?? 0
    return logLoss(probability(line, logit), outcome) - logLoss(probability(curve, logit), outcome)
  })
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length
  const variance = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / gains.length
  return mean > 2 * Math.sqrt(variance / gains.length) ? isotonic(logits, outcomes) : platt(logits, outcomes)
}

/** The log loss of a probability, bounded where it is 0 or 1. */
export function logLoss(probability: number, outcome: number): number {
  const p = Math.min(Math.max(probability, 1e-6), 1 - 1e-6)
  return -outcome * Math.log(p) - (1 - outcome) * Math.log(1 - p)
}

/**
 * Platt scaling by Newton's method with targets shrunk by Laplace's rule, as Lin, Lin and Weng say (A note on Platt's probabilistic outputs,
 * Machine Learning 68, 2007).
 */
export function platt(logits: Float64Array, outcomes: Float64Array): Calibration {
  const count = logits.length
  const positive = outcomes.reduce((sum, outcome) => sum + outcome, 0)
  const [high, low] = [(positive + 1) / (positive + 2), 1 / (count - positive + 2)]
  let [a, b] = [1, 0]
  for (let step = 0; step < 50; step++) {
    let [ga, gb, haa, hab, hbb] = [0, 0, 1e-9, 0, 1e-9]
    for (let row = 0; row < count; row++) {
      const logit = logits[row] ?? 0
      const p = sigmoid(a * logit + b)
      const outcome = outcomes[row] ?? 0
      const error = p - (outcome * high + (1 - outcome) * low)
      const curve = Math.max(p * (1 - p), 1e-9)
      ga += error * logit
      gb += error
      haa += curve * logit * logit
      hab += curve * logit
      hbb += curve
    }
    const determinant = haa * hbb - hab * hab
    if (!(determinant > 1e-12)) break
    const [da, db] = [(hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant]
    // A full step may overshoot where classes are far apart.
    const scale = Math.min(1, 5 / Math.max(Math.abs(da), Math.abs(db), 1e-12))
    a -= scale * da
    b -= scale * db
    if (Math.abs(da) + Math.abs(db) < 1e-9) break
  }
  // A head that ranks backwards on rows it has not seen knows nothing: its base rate is the answer.
  if (a <= 0) [a, b] = [0, Math.log((positive + 1) / (count - positive + 1))]
  return { kind: 'platt', a, b }
}

/** Isotonic regression by pool-adjacent-violators (Zadrozny and Elkan, KDD 2002); a block of equal values is joined to the next by a line. */
export function isotonic(logits: Float64Array, outcomes: Float64Array): Calibration {
  const order = [...logits.keys()].sort((a, b) => (logits[a] ?? 0) - (logits[b] ?? 0) || a - b)
  const blocks: { x: number; y: number; weight: number }[] = []
  for (const row of order) {
    let last = { x: logits[row] ?? 0, y: outcomes[row] ?? 0, weight: 1 }
    for (let before = blocks.at(-1); before && (before.y >= last.y || before.x === last.x); before = blocks.at(-1)) {
      blocks.pop()
      const weight = before.weight + last.weight
      last = {
        x: (before.x * before.weight + last.x * last.weight) / weight,
        y: (before.y * before.weight + last.y * last.weight) / weight,
        weight,
      }
    }
    blocks.push(last)
  }
  // No finite sample proves 0 or 1.
  const least = 1 / (logits.length + 2)
  return {
    kind: 'isotonic',
    x: blocks.map(({ x }) => x),
    y: blocks.map(({ y }) => Math.min(Math.max(y, least), 1 - least)),
  }
}

/** The calibrated probability of a logit. */
export function probability(calibration: Calibration, logit: number): number {
  if (calibration.kind === 'platt') return sigmoid(calibration.a * logit + calibration.b)
  const { x, y } = calibration
  let [low, high] = [0, x.length - 1]
  if (logit <= (x[low] ?? 0)) return y[low] ?? 0.5
  if (logit >= (x[high] ?? 0)) return y[high] ?? 0.5
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((x[middle] ?? 0) <= logit) low = middle
    else high = middle
  }
  const [x0, x1, y0, y1] = [x[low] ?? 0, x[high] ?? 0, y[low] ?? 0, y[high] ?? 0]
  return x1 > x0 ? y0 + ((y1 - y0) * (logit - x0)) / (x1 - x0) : y0
}

/** The mean squared error of probabilities (Brier 1950). */
export function brier(probabilities: Float64Array, outcomes: Float64Array): number {
  let sum = 0
  for (let row = 0; row < outcomes.length; row++) sum += ((probabilities[row] ?? 0) - (outcomes[row] ?? 0)) ** 2
  return sum / outcomes.length
}

/** One bin of a reliability diagram: mean probability, mean outcome, rows. */
export interface Bin {
  readonly predicted: number
  readonly observed: number
  readonly count: number
}

/** Bins of equal numbers of rows by probability. */
export function reliability(probabilities: Float64Array, outcomes: Float64Array, bins = 15): readonly Bin[] {
  const order = [...probabilities.keys()].sort((a, b) => (probabilities[a] ?? 0) - (probabilities[b] ?? 0) || a - b)
  const found: Bin[] = []
  for (let bin = 0; bin < bins; bin++) {
    const part = order.slice(Math.floor((bin * order.length) / bins), Math.floor(((bin + 1) * order.length) / bins))
    if (part.length === 0) continue
    const mean = (of: Float64Array): number => part.reduce((sum, row) => sum + (of[row] ?? 0), 0) / part.length
    found.push({ predicted: mean(probabilities), observed: mean(outcomes), count: part.length })
  }
  return found
}

/** Expected calibration error over bins of equal mass (Naeini, Cooper and Hauskrecht, AAAI 2015; equal mass as Nixon et al. 2019). */
export function calibrationError(bins: readonly Bin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0)
  return bins.reduce((sum, { predicted, observed, count }) => sum + (count / total) * Math.abs(predicted - observed), 0)
}
