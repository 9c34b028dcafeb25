import { obstacle } from '../availability.ts'
import type { Target } from '../target.ts'
import type { Gate } from './config.ts'
import type { GateFacts } from './facts.ts'
import type { EscalationRate } from './rate.ts'

/**
 * The targets above one, the next rung first: strictly stronger, so that no request asks the same one twice, and only those that can be asked
 * at this moment. Equal ranks keep the order in which the strategy put them.
 */
export function above(candidates: readonly Target[], { rank }: Target, now: number): readonly Target[] {
  return candidates
    .filter((target) => target.rank > rank && obstacle(target, now) === undefined)
    .toSorted((a, b) => a.rank - b.rank)
}

/** What is known when it is decided whether to begin with the cheap target. Costs in one unit, times in ms. */
export interface Rungs {
  readonly rate: EscalationRate
  /** Expected; undefined where there is no price. */
  readonly weakCost: number | undefined
  readonly strongCost: number | undefined
  readonly weakLatency: number
  readonly strongLatency: number
  /** Until the request's deadline. */
  readonly left: number
}

/**
 * Whether to leave the cheap target out: where P(escalate) > 1 − c_w/c_s the cascade costs more than going to the stronger one at once (its
 * cost is c_w + P·c_s), and where l_w + P·l_s is more than the time there is, it would be late.
 */
export function goDirect(rungs: Rungs): GateFacts['direct'] {
  const { rate, weakCost, strongCost, weakLatency, strongLatency, left } = rungs
  const p = rate.probability
  if (p === undefined) return undefined
  const late = weakLatency + p * strongLatency > left
  const dear = weakCost !== undefined && strongCost !== undefined && p * strongCost > strongCost - weakCost
  if (!(late || dear) || rate.probes()) return undefined
  return late ? 'direct_faster' : 'direct_cheaper'
}

/** What has been done for a request, and what one more answer would take; costs in picodollars, times in ms. */
export interface Asking {
  readonly escalations: number
  /** Undefined where something has no price. */
  readonly spent: number | undefined
  readonly next: number | undefined
  /** What the first answer was expected to cost. */
  readonly first: number | undefined
  readonly latency: number
  readonly left: number
}

/** Why no stronger target is to be asked, undefined where one may be. Money that cannot be counted is not spent. */
export function bound(
  { maxEscalations, budget }: Gate,
  { escalations, spent, next, first, latency, left }: Asking,
): 'max_escalations' | 'deadline' | 'budget' | undefined {
  if (escalations >= maxEscalations) return 'max_escalations'
  if (left <= latency) return 'deadline'
  if (!budget) return undefined
  const { most = Infinity, multiple } = budget
  const limit = multiple === undefined ? most : Math.min(most, multiple * (first ?? Number.NaN))
  return affordable(limit, spent, next) ? undefined : 'budget'
}

/** Whether one more call is within the money; not where something of it cannot be counted. */
export const affordable = (limit: number, spent: number | undefined, next: number | undefined): boolean =>
  spent !== undefined && next !== undefined && spent + next <= limit
