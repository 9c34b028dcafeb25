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
  readonly l2: number
  readonly random: Random
  /** The logit to start from, default 0. */
  readonly bias?: number
}

const BETA = 1

export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}

/**
 * Logistic regression by FTRL-Proximal (McMahan et al., Ad Click Prediction, KDD 2013, algorithm 1): per-coordinate steps as AdaGrad has, L2
 * applied exactly and only where a row has an entry; without L1, since buckets are stored densely. `targets` lie in [0, 1], NaN for a row that this head does not learn from;
 * `rows` are those of the set to learn from; `size` is the number of weights.
 */
export function trainHead(
  set: Rows,
  rows: Uint32Array,
  targets: Float64Array,
  size: number,
  { epochs, alpha, l2, random, bias: start = 0 }: TrainOptions,
): Linear {
  const { offsets, index, value } = set
  // Of each column its weight, its z, and the square root of its n, side by side: they are used together, and memory is what takes time.
  const state = new Float32Array(4 * size)
  let [bias, biasN] = [start, 0]
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const at of shuffled(rows.length, random)) {
      const row = rows[at] ?? 0
      const target = targets[row] ?? Number.NaN
      if (Number.isNaN(target)) continue
      const [from, to] = [offsets[row] ?? 0, offsets[row + 1] ?? 0]
      let logit = bias
      for (let entry = from; entry < to; entry++) logit += (state[4 * (index[entry] ?? 0)] ?? 0) * (value[entry] ?? 0)
      const error = sigmoid(logit) - target
      biasN += error * error
      bias -= (alpha / (BETA + Math.sqrt(biasN))) * error
      for (let entry = from; entry < to; entry++) {
        const column = 4 * (index[entry] ?? 0)
        const gradient = error * (value[entry] ?? 0)
        const before = state[column + 2] ?? 0
        const after = Math.sqrt(before * before + gradient * gradient)
        const z = (state[column + 1] ?? 0) + gradient - ((after - before) / alpha) * (state[column] ?? 0)
        state[column + 1] = z
        state[column + 2] = after
        state[column] = (-z * alpha) / (BETA + after + l2 * alpha)
      }
    }
  }
  return { weights: Float32Array.from({ length: size }, (_, column) => state[4 * column] ?? 0), bias }
}

/** The logit of one row of a set. */
export function logitOf({ weights, bias }: Linear, { offsets, index, value }: Rows, row: number): number {
  let logit = bias
  const to = offsets[row + 1] ?? 0
  for (let entry = offsets[row] ?? 0; entry < to; entry++)
    logit += (weights[index[entry] ?? 0] ?? 0) * (value[entry] ?? 0)
  return logit
}
