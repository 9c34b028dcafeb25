import { ArtefactError } from './artefact-error.ts'
import type { Calibration } from './calibrate.ts'
import { platt, probability } from './calibrate.ts'
import { GATE_FEATURES } from './gate-features.ts'
import { sigmoid } from './head.ts'
import type { DenseModel } from './newton.ts'
import { denseLogit, fitDense } from './newton.ts'
import { seeded, shuffled } from './random.ts'

/** A learned quality gate: judges a cheap answer by features of the prompt and the answer. */
export interface Gate {
  /** The names of what it reads, in their order. */
  readonly features: readonly string[]
  /** Logits of "the answer is wrong", "only the strong endpoint's would be better", "only the cheap one's is better". */
  readonly wrong: DenseModel
  readonly better: DenseModel
  readonly worse: DenseModel
  /** From the logit of `wrong` to a probability. */
  readonly calibration: Calibration
}

/** Rows to learn from: the features of the cheap answer, and both endpoints' quality in [0, 1]. */
export interface GateRows {
  readonly features: readonly Float64Array[]
  readonly weak: ArrayLike<number>
  readonly strong: ArrayLike<number>
}

/** What a gate says of an answer. */
export interface Judgement {
  /** The calibrated probability that the answer is wrong. */
  readonly wrong: number
  /**
   * How sure it is that escalating would not help, in [0, 1]: what a threshold is certified for. An answer that is probably wrong, to a prompt that the
   * strong endpoint would probably get wrong too, is not worth a second call.
   */
  readonly score: number
}

/** The penalty on standardised weights, in rows; the figures of `bench/routing.md` are the same within their intervals from 3 to 100. */
const L2 = 10

/** Learns a gate. `bar` is the quality from which an answer is right. A fifth of the rows, by lot, calibrates the probability (Platt) and does not train it. */
export function fitGate(rows: GateRows, bar: number): Gate {
  const order = shuffled(rows.features.length, seeded(rows.features.length))
  const features = Array.from(order, (row) => rows.features[row] ?? new Float64Array())
  const weak = Float64Array.from(order, (row) => rows.weak[row] ?? 0)
  const gain = Float64Array.from(order, (row) => (rows.strong[row] ?? 0) - (rows.weak[row] ?? 0))
  const wrongs = weak.map((quality) => (quality < bar ? 1 : 0))
  const fitted = Math.floor(0.8 * features.length)
  const wrong = fitDense(features.slice(0, fitted), wrongs, L2)
  const logits = Float64Array.from(features.slice(fitted), (row) => denseLogit(wrong, row))
  return {
    features: GATE_FEATURES,
    wrong,
    better: fitDense(
      features,
      gain.map((it) => Math.max(0, it)),
      L2,
    ),
    worse: fitDense(
      features,
      gain.map((it) => Math.max(0, -it)),
      L2,
    ),
    calibration: platt(logits, wrongs.subarray(fitted)),
  }
}

/** Judges an answer by its features, as `gateFeatures` reads them. */
export function judge({ wrong, better, worse, calibration }: Gate, features: Float64Array): Judgement {
  return {
    wrong: probability(calibration, denseLogit(wrong, features)),
    score: (1 - sigmoid(denseLogit(better, features)) + sigmoid(denseLogit(worse, features))) / 2,
  }
}

/** A gate from what was written of one; throws `ArtefactError` for anything else, and for a gate of other features than this version reads. */
export function gateOf({ features, wrong, better, worse, calibration }: Gate): Gate {
  const [a, b] = calibration.kind === 'platt' ? [calibration.a, calibration.b] : [NaN, NaN]
  if (String(features) !== String(GATE_FEATURES) || ![wrong, better, worse].every(whole) || !Number.isFinite(a + b))
    throw new ArtefactError('the gate in the artefact reads other features than this version: train it again')
  return { features, wrong, better, worse, calibration }
}

function whole({ bias, weights, centre, spread }: DenseModel): boolean {
  const fits = (values: readonly number[]): boolean =>
    values.length === GATE_FEATURES.length && values.every((value) => Number.isFinite(value))
  return Number.isFinite(bias) && fits(weights) && fits(centre) && fits(spread) && spread.every((value) => value > 0)
}
