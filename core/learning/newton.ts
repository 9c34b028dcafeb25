import { sigmoid } from './head.ts'

/** A logistic model of dense features: P = sigmoid(bias + Σ weights · (x - centre) / spread). */
export interface DenseModel {
  readonly bias: number
  readonly weights: readonly number[]
  readonly centre: readonly number[]
  readonly spread: readonly number[]
}

/**
 * Logistic regression with L2 by Newton's method (iteratively reweighted least squares; Hastie, Tibshirani and Friedman 2009, section 4.4.1), for
 * a few dozen dense features. `targets` lie in [0, 1]; `l2` is the penalty on standardised weights, in rows.
 */
export function fitDense(rows: readonly Float64Array[], targets: ArrayLike<number>, l2: number): DenseModel {
  const width = rows[0]?.length ?? 0
  const { centre, spread } = standards(rows, width)
  const size = width + 1
  const x = rows.map((row) => {
    const standardised = new Float64Array(size)
    standardised[0] = 1
    for (let j = 0; j < width; j++) standardised[j + 1] = ((row[j] ?? 0) - (centre[j] ?? 0)) / (spread[j] ?? 1)
    return standardised
  })
  let beta = new Float64Array(size)
  for (let step = 0; step < 25; step++) {
    const gradient = new Float64Array(size)
    const hessian = Array.from({ length: size }, () => new Float64Array(size))
    for (const [i, row] of x.entries()) {
      const p = sigmoid(dot(beta, row))
      const error = p - (targets[i] ?? 0)
      const curve = Math.max(p * (1 - p), 1e-6)
      for (let j = 0; j < size; j++) {
        const value = row[j] ?? 0
        gradient[j] = (gradient[j] ?? 0) + error * value
        const line = hessian[j]
        if (line) for (let k = 0; k <= j; k++) line[k] = (line[k] ?? 0) + curve * value * (row[k] ?? 0)
      }
    }
    for (let j = 1; j < size; j++) {
      gradient[j] = (gradient[j] ?? 0) + l2 * (beta[j] ?? 0)
      const line = hessian[j]
      if (line) line[j] = (line[j] ?? 0) + l2
    }
    const first = hessian[0]
    if (first) first[0] = (first[0] ?? 0) + 1e-6
    const move = solved(hessian, gradient)
    const largest = move.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    // A step beyond two logits is shortened: Newton's overshoots where classes are all but separable.
    const scale = Math.min(1, 2 / Math.max(largest, 1e-12))
    beta = beta.map((value, j) => value - scale * (move[j] ?? 0))
    if (largest < 1e-6) break
  }
  return { bias: beta[0] ?? 0, weights: [...beta.subarray(1)], centre, spread }
}

/** The logit of one row. */
export function denseLogit({ bias, weights, centre, spread }: DenseModel, row: Float64Array): number {
  let logit = bias
  // A feature six spreads off says no more than that: one odd answer must not carry the whole sum.
  for (let j = 0; j < weights.length; j++)
    logit += (weights[j] ?? 0) * Math.min(6, Math.max(-6, ((row[j] ?? 0) - (centre[j] ?? 0)) / (spread[j] ?? 1)))
  return logit
}

function standards(rows: readonly Float64Array[], width: number): { centre: number[]; spread: number[] } {
  const centre = Array.from(
    { length: width },
    (_, j) => rows.reduce((sum, row) => sum + (row[j] ?? 0), 0) / rows.length,
  )
  const spread = centre.map((mean, j) => {
    const variance = rows.reduce((sum, row) => sum + ((row[j] ?? 0) - mean) ** 2, 0) / rows.length
    return variance > 1e-12 ? Math.sqrt(variance) : 1
  })
  return { centre, spread }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += (a[j] ?? 0) * (b[j] ?? 0)
  return sum
}

/** Solves A·x = b for a symmetric positive definite A of which the lower half is given (Cholesky; A is overwritten). */
function solved(a: readonly Float64Array[], b: Float64Array): Float64Array {
  const size = b.length
  const at = (j: number, k: number): number => a[j]?.[k] ?? 0
  for (let j = 0; j < size; j++) {
    const line = a[j]
    if (!line) continue
    for (let k = 0; k <= j; k++) {
      let sum = at(j, k)
      for (let i = 0; i < k; i++) sum -= at(j, i) * at(k, i)
      line[k] = j === k ? Math.sqrt(Math.max(sum, 1e-12)) : sum / at(k, k)
    }
  }
  const x = b.slice()
  for (let j = 0; j < size; j++) {
    for (let k = 0; k < j; k++) x[j] = (x[j] ?? 0) - at(j, k) * (x[k] ?? 0)
    x[j] = (x[j] ?? 0) / at(j, j)
  }
  for (let j = size - 1; j >= 0; j--) {
    for (let k = j + 1; k < size; k++) x[j] = (x[j] ?? 0) - at(k, j) * (x[k] ?? 0)
    x[j] = (x[j] ?? 0) / at(j, j)
  }
  return x
}
