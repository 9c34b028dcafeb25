import type { Reason } from '../strategies/strategy.ts'
import { decide } from './decide.ts'
import type { Terms } from './decide.ts'
import { PUT_OFF } from './out.ts'
import type { Out } from './out.ts'

/** What was known of one target when it was decided. */
export interface ConsideredTarget {
  /** `namespace/name model`. */
  readonly target: string
  /** Of the endpoint, `namespace/name`, and of the model; empty where the target does not resolve. */
  readonly endpoint: string
  readonly model: string
  readonly priority: number
  readonly rank: number
  readonly weight: number
  /** 0…1, expected; absent: not known, or not asked for. */
  readonly quality?: number
  /** Picodollars, expected; the same. */
  readonly cost?: number
  /** ms, expected; the same. */
  readonly latency?: number
  /** Why it is not to be asked, or only after the others. */
  readonly out?: Out
  /** How likely it was to be put first; absent where that is not known. */
  readonly propensity?: number
}

/** All that a choice followed from, and what it was: it can be written down, and made again from that alone. */
export interface Decision {
  readonly strategy: string
  readonly reason: Reason
  /** What of learned things it was decided by: an artefact's hash, the epoch of a learner. */
  readonly version?: string
  /** As the strategy was told to look at the request; absent: it did not. */
  readonly task?: string
  /** The places of the adjustments that applied. */
  readonly adjusted: readonly number[]
  /** What was put before the others of its priority, of each priority; ids. */
  readonly first: readonly string[]
  /** What was put before all others. */
  readonly pinned?: string
  /** Absent: not weighed. */
  readonly terms?: Terms
  /** The least quality that was asked for. */
  readonly floor?: number
  /** How sure the strategy was, 0…1. */
  readonly confidence?: number
  readonly targets: readonly ConsideredTarget[]
  /** Ids in the order in which they were to be asked. */
  readonly order: readonly string[]
}

/** The order that follows from what a decision was made of, by the function that made it. */
export function replay({ targets, first, pinned, terms }: Omit<Decision, 'order'>): readonly string[] {
  const priorities = [...new Set(targets.map(({ priority }) => priority))].sort((a, b) => a - b)
  const order = priorities.flatMap((priority) => {
    const group = targets.filter((target) => target.priority === priority)
    const outs = group.some(({ out }) => out) ? group.map(({ out }) => out) : undefined
    const values = group.map(({ quality = Number.NaN, cost = Number.NaN, latency = Number.NaN }) => ({
      quality,
      cost,
      // What cannot be written as JSON: infinitely late, since it may not be asked at all.
      latency: Number.isNaN(latency) && terms ? Number.POSITIVE_INFINITY : latency,
    }))
    return decide(group, { first: group.find(({ target }) => first.includes(target)), outs, values, terms })
  })
  return pin(order, ({ target }) => target === pinned).map(({ target }) => target)
}

/** Puts one before all others, where it is among them. */
export function pin<T>(order: readonly T[], is: (target: T) => boolean): readonly T[] {
  const found = order.find(is)
  return found === undefined || found === order[0] ? order : [found, ...order.filter((target) => target !== found)]
}

/** Whether a target may be asked at all. */
export const askable = ({ out }: { readonly out?: Out | undefined }): boolean =>
  out === undefined || PUT_OFF[out.code] !== undefined
