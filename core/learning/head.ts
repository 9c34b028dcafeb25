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
}

const BETA = 1

export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}

/**
 * Logistic regressions by FTRL-Proximal (McMahan et al., Ad Click Prediction, KDD 2013, algorithm 1): per-coordinate steps as AdaGrad has, L2
 * applied exactly and only where a row has an entry; without L1, since buckets are stored densely. All heads learn in one pass, since reading rows is
 * what takes time. `targets` lie in [0, 1], NaN for a row that a head does not learn from; `rows` are those of the set to learn from; `size` is the
 * number of weights.
 */
export function trainHeads(
  { offsets, index, value }: Rows,
  rows: Uint32Array,
  targets: readonly Float64Array[],
  size: number,
  { epochs, alpha, l2, random }: TrainOptions,
): readonly Linear[] {
  const heads = targets.length
  // Of each column and head its weight, its z, and the square root of its n, side by side: they are used together.
  const wide = 3 * heads
  const state = new Float32Array(wide * size)
  const bias = Float64Array.from(targets, (target) => baseRate(target, rows))
  const biasN = new Float64Array(heads)
  const error = new Float64Array(heads)
  const rate = 1 / alpha
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const at of shuffled(rows.length, random)) {
      const row = rows[at] ?? 0
      const [from, to] = [offsets[row] ?? 0, offsets[row + 1] ?? 0]
      error.set(bias)
      for (let entry = from; entry < to; entry++) {
        const column = wide * (index[entry] ?? 0)
        const x = value[entry] ?? 0
        for (let head = 0; head < heads; head++) error[head] = (error[head] ?? 0) + (state[column + 3 * head] ?? 0) * x
      }
      for (let head = 0; head < heads; head++) {
        const target = targets[head]?.[row] ?? Number.NaN
        const wrong = Number.isNaN(target) ? 0 : sigmoid(error[head] ?? 0) - target
        error[head] = wrong
        const n = (biasN[head] ?? 0) + wrong * wrong
        biasN[head] = n
        bias[head] = (bias[head] ?? 0) - (alpha / (BETA + Math.sqrt(n))) * wrong
      }
      for (let entry = from; entry < to; entry++) {
        const column = wide * (index[entry] ?? 0)
        const x = value[entry] ?? 0
        for (let head = 0; head < heads; head++) {
          const cell = column + 3 * head
          const gradient = (error[head] ?? 0) * x
          const before = state[cell + 2] ?? 0
          const after = Math.sqrt(before * before + gradient * gradient)
          const z = (state[cell + 1] ?? 0) + gradient - (after - before) * rate * (state[cell] ?? 0)
          state[cell] = -z / ((BETA + after) * rate + l2)
          state[cell + 1] = z
          state[cell + 2] = after
        }
      }
    }
  }
  return targets.map((_, head) => ({
    weights: Float32Array.from({ length: size }, (__, column) => state[wide * column + 3 * head] ?? 0),
    bias: bias[head] ?? 0,
  }))
}

/** The logit of the mean target, by Laplace's rule: where a head starts. */
function baseRate(target: Float64Array, rows: Uint32Array): number {
  let [sum, count] = [0, 0]
  for (const row of rows) {
    const y = target[row] ?? Number.NaN
    if (Number.isNaN(y)) continue
    sum += y
    count++
  }
  return Math.log((sum + 1) / (count - sum + 1))
}

/** The logit of one row of a set. */
export function logitOf({ weights, bias }: Linear, { offsets, index, value }: Rows, row: number): number {
  let logit = bias
  const to = offsets[row + 1] ?? 0
  for (let entry = offsets[row] ?? 0; entry < to; entry++)
    logit += (weights[index[entry] ?? 0] ?? 0) * (value[entry] ?? 0)
  return logit
}
