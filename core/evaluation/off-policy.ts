import { noEvidence, observe } from '../bandits/evidence.ts'
import { Posterior } from '../bandits/posterior.ts'
import { moments } from '../learning/bounds.ts'

/** One decision of the log, with the reward that came of it, and what another policy would have done. Arms are numbered from 0. */
export interface LoggedDecision {
  /** What q̂ is learnt from, the same length for all; `Float64Array.of(1)`: nothing but the arm. */
  readonly x: Float64Array
  readonly arm: number
  /** In [0, 1]. */
  readonly reward: number
  /** μ(arm | x): how likely the arm was when it was drawn. Above 0. */
  readonly propensity: number
  /** π(· | x) of the policy that is evaluated, by arm; adds up to 1. */
  readonly policy: readonly number[]
}

/** A value with the interval that it lies in with a probability of 1 − δ. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** What a policy would have been worth, by decisions of another. */
export interface OffPolicy {
  readonly decisions: number
  /** (Σw)² / Σw²: as many decisions of the policy itself would say as much (Kish 1965). */
  readonly effective: number
  /** False: not enough evidence, whatever the estimates say. */
  readonly enough: boolean
  /** Part of the weights that were cut. */
  readonly clipped: number
  /** Inverse propensity scoring (Horvitz and Thompson, JASA 47, 1952). */
  readonly ips: Estimate
  /** The same over the sum of the weights (Swaminathan and Joachims, NeurIPS 2015). */
  readonly snips: Estimate
  /** Doubly robust (Dudík, Langford and Li, ICML 2011), q̂ of other folds than the decision's own. */
  readonly dr: Estimate
}

export interface OffPolicyOptions {
  /** Weights are cut off here. Default 20. */
  readonly clip?: number
  /** Default 0.05. */
  readonly delta?: number
  /** Default 5. */
  readonly folds?: number
}

/** Fewer effective decisions are not enough evidence. */
const ENOUGH = 100

/**
 * Estimates the mean reward of a policy from decisions of another, whose propensities were written down. Decisions without a reward are not
 * among them: a reward that is missing is not 0. Throws `RangeError` where there is no decision, or a propensity is not in (0, 1].
 */
export function offPolicy(
  log: readonly LoggedDecision[],
  { clip = 20, delta = 0.05, folds = 5 }: OffPolicyOptions = {},
): OffPolicy {
  if (log.length === 0) throw new RangeError('there are no decisions to learn from')
  const raw = log.map(({ arm, propensity, policy }) => {
    if (!(propensity > 0 && propensity <= 1)) throw new RangeError(`a propensity of ${propensity} is no probability`)
    return (policy[arm] ?? 0) / propensity
  })
  const weights = raw.map((weight) => Math.min(clip, weight))
  const sum = weights.reduce((all, weight) => all + weight, 0)
  const squares = weights.reduce((all, weight) => all + weight * weight, 0)
  const effective = squares === 0 ? 0 : (sum * sum) / squares
  const gains = log.map(({ reward }, at) => (weights[at] ?? 0) * reward)
  const snips = sum === 0 ? 0 : gains.reduce((all, gain) => all + gain, 0) / sum
  // Its linear part: what each decision moves the ratio by.
  const moved = log.map(({ reward }, at) => snips + ((weights[at] ?? 0) * (reward - snips) * log.length) / (sum || 1))
  const expected = crossFitted(log, folds)
  const robust = log.map(({ arm, reward, policy }, at) => {
    const quality = expected[at] ?? []
    const direct = policy.reduce((all, part, index) => all + part * (quality[index] ?? 0), 0)
    return direct + (weights[at] ?? 0) * (reward - (quality[arm] ?? 0))
  })
  const range = (clip * log.length) / (sum || 1)
  return {
    decisions: log.length,
    effective,
    enough: effective >= ENOUGH,
    clipped: raw.filter((weight) => weight > clip).length / log.length,
    ips: bernstein(gains, clip, delta),
    snips: bernstein(moved, 2 * range, delta),
    dr: bernstein(robust, 2 * clip, delta),
  }
}

/** The mean reward of the policy that the decisions are of, in the same form. */
export function onPolicy(rewards: readonly number[], delta = 0.05): Estimate {
  return bernstein(rewards, 1, delta)
}

/**
 * Whether one policy may be proposed in the place of another: it is better for sure, or it is no worse by more than `margin` for sure and
 * costs less for sure (costs in any one unit).
 */
export function proposable(
  now: { readonly reward: Estimate; readonly cost: Estimate },
  then: { readonly reward: Estimate; readonly cost: Estimate },
  margin: number,
): boolean {
  if (then.reward.low > now.reward.high) return true
  return then.reward.low > now.reward.value - margin && then.cost.high < now.cost.low
}

/** q̂(x, arm) of each decision for every arm, each learnt from the other folds alone: ridge regression, apart for each arm. */
function crossFitted(log: readonly LoggedDecision[], folds: number): readonly (readonly number[])[] {
  const arms = Math.max(...log.map(({ policy }) => policy.length))
  const size = log[0]?.x.length ?? 1
  const prior = new Float64Array(size)
  const models = Array.from({ length: folds }, (_, fold) =>
    Array.from({ length: arms }, (_, arm) => {
      const evidence = noEvidence(size)
      for (const [at, it] of log.entries())
        if (at % folds !== fold && it.arm === arm) observe(evidence, it.x, it.reward)
      const posterior = new Posterior(size)
      posterior.refresh(evidence, prior)
      return posterior
    }),
  )
  return log.map(({ x }, at) => (models[at % folds] ?? []).map((model) => model.belief(x).mean))
}

/** The mean with its two-sided empirical Bernstein interval (Maurer and Pontil, COLT 2009, theorem 4); `range`: how far values can be apart. */
function bernstein(values: readonly number[], range: number, delta: number): Estimate {
  const { mean, variance, n } = moments(values)
  const log = Math.log(4 / delta)
  const off = n < 2 ? range : Math.sqrt((2 * variance * log) / n) + (7 * range * log) / (3 * (n - 1))
  return { value: mean, low: mean - off, high: mean + off }
}
