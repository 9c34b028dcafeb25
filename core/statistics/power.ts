import type { Metric } from './guardrail.ts'
import { FEWEST_FOR_BOUNDS, FIRST, SCALES } from './mean-guard.ts'
import { meansEvidence, normal, scaleOf, sequenceWidth } from './means.ts'
import { growths, shareDifference } from './proportions.ts'
import { FEWEST, QUANTILE, SCALE as TAIL_SCALE } from './tail-guard.ts'

/** A guardrail, and how requests come to it. */
export interface Question {
  readonly metric: Metric
  readonly margin: number
  /** α for all guardrails, and this one's part of it. */
  readonly alpha: number
  readonly share: number
  /**
   * What stable is like: the share of requests (shares), the standard deviation of the logarithm (latency, first token; 0.5: the 95th percentile is 2.3
   * times the median), that of the value as a part of its mean (cost), that of the mark (quality).
   */
  readonly usual: number
  /** Requests of stable to one of the canary. */
  readonly ratio: number
  /** The chance to be found, or cleared, by so many requests. */
  readonly power: number
}

/** Where more than this would be needed it is said to be never. */
const MOST = 1e9

/**
 * How many requests of the canary it takes for a canary that is worse by `size` (as margins are said) to be rolled back by its guardrail alone;
 * Infinity where it never is, such as where the size is no more than the margin. By a formula: the growth of the logarithm of the evidence and its
 * standard error (Wald, Sequential Analysis, 1947, for betting; for means the statistic at its quantile). Evidence that comes sooner and ebbs away is not
 * counted, so that it is rather too many.
 */
export function samplesToFind(question: Question, size: number): number {
  const { metric, margin, usual, ratio, power, alpha, share } = question
  const z = quantileOf(power)
  const needs = 1 / (alpha * share)
  switch (metric) {
    case 'Cost':
      return least((n) => {
        const variance = (usual ** 2 * ((1 + size) ** 2 + (1 + margin) ** 2 / ratio)) / n
        return won(size - margin, variance, z, 0, SCALES.cost) >= needs
      })
    case 'Quality':
      return least((n) => won(size, (usual ** 2 * (1 + 1 / ratio)) / n, z, margin, SCALES.quality) >= needs)
    case 'Latency':
    case 'FirstToken':
      // Stable's first requests say what is slow, and the next say it well.
      return found(slow(usual, size, margin), 1 - QUANTILE, 0) + Math.ceil((2 * FEWEST) / ratio)
    default:
      return found(Math.min(1, usual + size), usual, margin)
  }

  function found(canary: number, control: number, margin: number): number {
    const counts = growths(canary, control, margin, ratio).map(({ stake, mean, variance }) => {
      const goal = Math.log(needs / stake)
      // n · mean − z · √(n · variance) = goal.
      const root = (z * Math.sqrt(variance) + Math.sqrt(z * z * variance + 4 * mean * goal)) / (2 * mean)
      return mean > 0 ? root * root : Number.POSITIVE_INFINITY
    })
    const n = Math.min(...counts)
    return n <= MOST ? Math.ceil(n) : Number.POSITIVE_INFINITY
  }
}

/** How many requests of the canary it takes to exclude harm beyond the margin, where the canary is as its control. */
export function samplesToClear({ metric, margin, usual, ratio, power, alpha }: Question): number {
  const z = quantileOf(power)
  const clear = (variance: number, scale: number, distance: number) =>
    sequenceWidth(variance, alpha, scale) + z * Math.sqrt(variance) <= distance
  switch (metric) {
    case 'Cost': {
      const one = usual ** 2 * (1 + (1 + margin) ** 2 / ratio)
      return least((n) => clear(one / n, scaleOf(margin) * (1 + margin), margin), enough(FEWEST_FOR_BOUNDS.cost, ratio))
    }
    case 'Quality': {
      const one = usual ** 2 * (1 + 1 / ratio)
      return least((n) => clear(one / n, scaleOf(margin), margin), enough(FEWEST_FOR_BOUNDS.quality, ratio))
    }
    case 'Latency':
    case 'FirstToken':
      return cleared(slow(usual, 0, margin), 1 - QUANTILE, 1 - QUANTILE - slow(usual, 0, margin), TAIL_SCALE)
    default:
      return cleared(usual, usual, margin, scaleOf(margin))
  }

  function cleared(canary: number, control: number, distance: number, scale: number): number {
    const count = (n: number, share: number) => ({ n, hits: n * share })
    return least((n) => clear(shareDifference(count(n, canary), count(n * ratio, control)).variance, scale, distance))
  }
}

/** The evidence where the estimate lies so far below what it is on average that only 1 − power lie further. A part is staked on the step alone. */
function won(effect: number, variance: number, z: number, margin: number, scale: number): number {
  return 1 + FIRST * (meansEvidence({ estimate: effect - z * Math.sqrt(variance), variance }, margin, scale) - 1)
}

/** The share of a canary's requests above stable's percentile times 1 + margin, where it takes `size` more and durations are log-normal. */
const slow = (spread: number, size: number, margin: number): number =>
  1 - normal(quantileOf(QUANTILE) - Math.log((1 + size) / (1 + margin)) / spread)

/** So many of both arms. */
const enough = (fewest: number, ratio: number): number => Math.ceil(fewest / Math.min(1, ratio))

/** The least whole number from which on it holds. */
function least(holds: (n: number) => boolean, from = 2): number {
  let high = from
  while (!holds(high)) {
    high *= 2
    if (high > MOST) return Number.POSITIVE_INFINITY
  }
  let low = Math.max(from, high / 2)
  if (holds(low)) return Math.ceil(low)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (holds(middle)) high = middle
    else low = middle
  }
  return Math.ceil(high)
}

/** The inverse of the standard normal distribution function, by bisection. */
function quantileOf(p: number): number {
  let [low, high] = [-9, 9]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (normal(middle) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}
