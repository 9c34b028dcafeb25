import type { Random } from './random.ts'
import { shuffled } from './random.ts'

/** Sparse rows (compressed): row r has the entries `offsets[r]` … `offsets[r + 1]` of `index` and `value`. */
export interface Rows {
  readonly offsets: Uint32Array
  readonly index: Uint32Array
  readonly value: Float32Array
}

/** A linear model: the logit of a row is bias + Σ weights[index] · value. */
export interface Linear {
  readonly weights: Float32Array
  readonly bias: number
}

export interface TrainOptions {
  /** How many times each row is seen. */
  readonly epochs: number
  /** Step size α of FTRL. */
  readonly alpha: number
  readonly l1: number
  readonly l2: number
  readonly random: Random
  /** Weight of each row, default 1: class weights, or how much a soft target is worth. */
  readonly weight?: Float64Array
}

const BETA = 1

export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}

/**
 * Logistic regression by FTRL-Proximal (McMahan et al., Ad Click Prediction, KDD 2013, algorithm 1): per-coordinate steps as AdaGrad has, L1
 * and L2 applied exactly and only where a row has an entry. `targets` lie in [0, 1], NaN for a row that this head does not learn from;
 * `rows` are those of the set to learn from; `size` is the number of weights.
 */
export function trainHead(
  set: Rows,
  rows: Uint32Array,
  targets: Float64Array,
  size: number,
  { epochs, alpha, l1, l2, random, weight }: TrainOptions,
): Linear {
  const { offsets, index, value } = set
  const weights = new Float32Array(size)
  const z = new Float32Array(size)
  const n = new Float32Array(size)
  let [bias, biasN] = [0, 0]
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const at of shuffled(rows.length, random)) {
      const row = rows[at] ?? 0
      const target = targets[row] ?? Number.NaN
      if (Number.isNaN(target)) continue
      const [from, to] = [offsets[row] ?? 0, offsets[row + 1] ?? 0]
      let logit = bias
      for (let entry = from; entry < to; entry++) logit += (weights[index[entry] ?? 0] ?? 0) * (value[entry] ?? 0)
      const error = (sigmoid(logit) - target) * (weight ? (weight[row] ?? 1) : 1)
      biasN += error * error
      bias -= (alpha / (BETA + Math.sqrt(biasN))) * error
      for (let entry = from; entry < to; entry++) {
        const column = index[entry] ?? 0
        const gradient = error * (value[entry] ?? 0)
        const before = n[column] ?? 0
        const after = before + gradient * gradient
        const step = (Math.sqrt(after) - Math.sqrt(before)) / alpha
        const next = (z[column] ?? 0) + gradient - step * (weights[column] ?? 0)
        z[column] = next
        n[column] = after
        const size = Math.abs(next)
        weights[column] = size <= l1 ? 0 : -(next - Math.sign(next) * l1) / ((BETA + Math.sqrt(after)) / alpha + l2)
      }
    }
  }
  return { weights, bias }
}

/** The logit of one row of a set. */
export function logitOf({ weights, bias }: Linear, { offsets, index, value }: Rows, row: number): number {
  let logit = bias
  const to = offsets[row + 1] ?? 0
  for (let entry = offsets[row] ?? 0; entry < to; entry++)
    logit += (weights[index[entry] ?? 0] ?? 0) * (value[entry] ?? 0)
  return logit
}
