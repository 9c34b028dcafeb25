import type { Counter } from '../../core/evidence/counter.ts'
import type { Random } from '../../core/learning/random.ts'

/** What an arm is like. */
export interface Kind {
  /** Shares of its requests. */
  readonly errors: number
  readonly truncations: number
  readonly refusals: number
  readonly escalations: number
  /** Of the usual duration and cost. */
  readonly slowness: number
  readonly price: number
  /** Mean mark, 0…1. */
  readonly quality: number
}

export const HEALTHY: Kind = {
  errors: 0.01,
  truncations: 0.005,
  refusals: 0.02,
  escalations: 0.1,
  slowness: 1,
  price: 1,
  quality: 0.8,
}

export const gaussian = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/**
 * One exchange. Large requests take longer, cost more and are cut more often; hard ones are refused, escalated and answered badly: so metrics
 * depend on each other. The 95th percentile of latency is 2.3 times the median, costs vary by 0.9 of their mean; every answer has a mark.
 */
export function exchange(counter: Counter, kind: Kind, random: Random): void {
  const large = gaussian(random)
  const hard = gaussian(random)
  // Shares keep their mean: the chance of a log-normal factor with mean 1.
  const likely = (share: number, by: number): boolean => random() < share * Math.exp(0.6 * by - 0.18)
  const error = random() < kind.errors
  const escalated = likely(kind.escalations, hard)
  const latency = kind.slowness * 1800 * Math.exp(0.4 * large + 0.3 * gaussian(random))
  counter.add({
    error,
    truncated: !error && likely(kind.truncations, large),
    refused: !error && likely(kind.refusals, hard),
    escalated,
    cost: kind.price * (escalated ? 0.012 : 0.01) * Math.exp(0.65 * large + 0.35 * gaussian(random)),
    latency: error ? undefined : latency,
    firstToken: error ? undefined : kind.slowness * 400 * Math.exp(0.2 * large + 0.35 * gaussian(random)),
  })
  const mark = kind.quality + 0.1 * gaussian(random) - 0.12 * hard
  counter.rate(error ? 0 : Math.min(1, Math.max(0, mark)))
}
