import type { Tally } from '../evidence/tally.ts'
import type { Difference } from '../statistics/means.ts'
import { CLUSTERS } from './assignment.ts'
import { sizeOf } from './metric.ts'
import type { Measure, Values } from './metric.ts'

/** A mean over the clusters of an arm, with what each cluster pulls it by. */
export interface ClusteredMean extends Values {
  readonly mean: number
  /** By cluster: how far its sum is from what its count would make it by the mean, as a part of all; they sum to 0. */
  readonly pulls: readonly number[]
  /** How many clusters of one size would tell as much: few where a few units ask most. */
  readonly clusters: number
}

/** A measure of one arm, beside what is known of its requests before. */
export interface Measured {
  readonly values: ClusteredMean
  readonly before: ClusteredMean
  readonly least: number
}

/**
 * The mean of all requests of an arm. Its clusters are what vary independently of each other (Deng, Knoblich and Lu, Applying the delta method
 * in metric analytics, KDD 2018): a mean of requests is a ratio of two sums over clusters, and linear in them once there are many.
 */
function clusteredMean(parts: readonly Values[]): ClusteredMean {
  const n = parts.reduce((total, part) => total + part.n, 0)
  const sum = parts.reduce((total, part) => total + part.sum, 0)
  if (n === 0) return { n, sum, mean: Number.NaN, pulls: parts.map(() => 0), clusters: 0 }
  const mean = sum / n
  const squares = parts.reduce((total, part) => total + part.n * part.n, 0)
  return { n, sum, mean, pulls: parts.map((part) => (part.sum - mean * part.n) / n), clusters: (n * n) / squares }
}

/** `tallies`: those of an arm's clusters. */
export function measured(tallies: readonly Tally[], measure: Measure): Measured {
  const values = clusteredMean(tallies.map(measure.of))
  return { values, before: clusteredMean(tallies.map(sizeOf)), least: measure.least(values) }
}

/** A difference as it is known, and by how many degrees of freedom its variance is. */
export interface Contrast extends Difference {
  readonly df: number
}

/**
 * One arm's mean less `factor` times the control's, with the variance that clusters give it. With `adjusted`, less what the sizes of requests
 * explain of it: CUPED (Deng, Xu, Kohavi and Walker, Improving the sensitivity of online controlled experiments by utilizing pre-experiment
 * data, WSDM 2013), by regression over clusters. That takes sizes that no arm has changed.
 */
export function contrast(arm: Measured, control: Measured, factor: number, adjusted: boolean): Contrast {
  const theta = adjusted ? slope(arm, control, factor) : 0
  const variance = ({ values, before, least }: Measured, by: number): number => {
    const rest = values.pulls.map((pull, i) => by * pull - theta * (before.pulls[i] ?? 0))
    const k = values.clusters
    return Math.max((k / (k - 1)) * sumOfSquares(rest), by * by * least)
  }
  const [own, others] = [variance(arm, 1), variance(control, factor)]
  const explained = theta === 0 ? 0 : theta * (arm.before.mean - control.before.mean)
  return {
    estimate: arm.values.mean - factor * control.values.mean - explained,
    variance: own + others,
    // Welch and Satterthwaite.
    df: (own + others) ** 2 / (own ** 2 / (arm.values.clusters - 1) + others ** 2 / (control.values.clusters - 1)),
  }
}

/** How much more of the measure goes with how much larger requests, over the clusters of both arms. */
function slope(arm: Measured, control: Measured, factor: number): number {
  if (arm.before.n === 0 || control.before.n === 0) return 0
  let [both, square] = [0, 0]
  for (let i = 0; i < CLUSTERS; i++) {
    const [own, others] = [arm.before.pulls[i] ?? 0, control.before.pulls[i] ?? 0]
    both += own * (arm.values.pulls[i] ?? 0) + others * factor * (control.values.pulls[i] ?? 0)
    square += own * own + others * others
  }
  return square > 0 ? both / square : 0
}

const sumOfSquares = (values: readonly number[]): number => values.reduce((sum, value) => sum + value * value, 0)
