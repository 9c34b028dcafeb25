import { nearestRank } from '../rank.ts'
import { PUT_OFF } from './out.ts'
import type { Out } from './out.ts'

/**
 * The one decision function: what every strategy, rule, tier and schedule comes down to. It is pure, so that a decision that was written
 * down can be made again from its own record (`replay`).
 *
 *     m* = argmax over feasible m of  wq·q̂ − λ·(ĉ + switch)/c_ref − μ·max(0, l̂ − slo)/slo
 *
 * Rules, adjustments, capabilities and health change what is feasible, or the terms, and never this function.
 */

/** What is expected of a target for one request; NaN: not known. */
export interface Values {
  /** Of the answer, 0…1. */
  readonly quality: number
  /** Of the call, picodollars, with what leaving the cache of another target costs. */
  readonly cost: number
  /** Of the first token, or of a whole answer that is not streamed; ms. */
  readonly latency: number
}

/** How much each of them counts. */
export interface Terms {
  /** wq: 1 where quality is weighed against cost, 0 where it is a floor only. */
  readonly quality: number
  /** λ: what the whole price of the dearest target is worth in quality. */
  readonly lambda: number
  /** μ: what it is worth to be no slower than `slo`. */
  readonly mu: number
  /** ms; 0: every millisecond counts. */
  readonly slo: number
}

/** As the decision sees a target. */
export interface Decidable {
  /** Its place on the ladder from cheap to strong. */
  readonly rank: number
  readonly weight: number
}

/** All that the order of the targets of one priority follows from. Lists are by the targets' own order. */
export interface Given<T> {
  /** Goes before the others wherever it is feasible: drawn by weight, pinned, or the owner of a sticky key. */
  readonly first?: T | undefined
  /** Why a target is not to be asked, or only after all others; undefined: none is out. */
  readonly outs?: readonly (Out | undefined)[] | undefined
  readonly values?: readonly Values[] | undefined
  /** Undefined: after the first, the others follow by rank. */
  readonly terms?: Terms | undefined
}

/**
 * The targets of one priority in the order in which they are to be asked: the feasible ones, then those that are put off, the least bad
 * first. Those that are ruled out are not among them.
 */
export function decide<T extends Decidable>(
  targets: readonly T[],
  { first, outs, values, terms }: Given<T>,
): readonly T[] {
  if (!outs && !terms) return first ? nearestRank(targets, first) : targets
  const place = (index: number) => outs?.[index]
  const feasible = targets.filter((_, index) => !place(index))
  const scores = terms && values ? new Map(score(targets, values, terms, outs)) : undefined
  const head = first && feasible.includes(first) ? first : undefined
  const ordered = scores
    ? feasible.toSorted((a, b) => compare(scores.get(b) ?? 0, scores.get(a) ?? 0) || a.rank - b.rank)
    : nearest(feasible, head)
  const chosen = head && ordered[0] !== head ? [head, ...ordered.filter((target) => target !== head)] : ordered
  if (!outs) return chosen
  const later = targets
    .map((target, index) => ({ target, index, grade: PUT_OFF[place(index)?.code ?? 'denied'] ?? 0 }))
    .filter(({ grade }) => grade > 0)
    .sort(
      (a, b) =>
        a.grade - b.grade ||
        (place(a.index)?.code === 'quality' ? best(values, b.index, a.index) : 0) ||
        b.target.rank - a.target.rank,
    )
  return later.length === 0 ? chosen : [...chosen, ...later.map(({ target }) => target)]
}

/** The score of every target that is not out; the cost that others are measured by is that of the dearest among them. */
export function score<T>(
  targets: readonly T[],
  values: readonly Values[],
  { quality, lambda, mu, slo }: Terms,
  outs: readonly (Out | undefined)[] | undefined,
): [T, number][] {
  let dearest = 0
  for (const [index, { cost }] of values.entries()) if (!outs?.[index] && cost > dearest) dearest = cost
  return targets.map((target, index) => {
    const value = values[index]
    if (!value) return [target, Number.NEGATIVE_INFINITY]
    // What is unknown counts as bad: no quality, the dearest price.
    const known = Number.isNaN(value.quality) ? 0 : value.quality
    const part = dearest === 0 ? 0 : Number.isNaN(value.cost) ? 1 : value.cost / dearest
    const late = Math.max(0, value.latency - slo) / (slo || 1)
    return [target, minus(quality === 0 ? 0 : quality * known, lambda * part, mu === 0 ? 0 : mu * late)]
  })
}

const minus = (quality: number, cost: number, late: number): number => quality - cost - late
/** Not a plain difference: two may both be infinitely bad. */
const compare = (a: number, b: number): number => (a === b ? 0 : a - b)
const best = (values: readonly Values[] | undefined, a: number, b: number): number =>
  compare(values?.[a]?.quality ?? 0, values?.[b]?.quality ?? 0)

/** By rank from the first; where there is none, from the cheapest that is feasible. */
function nearest<T extends Decidable>(targets: readonly T[], first: T | undefined): readonly T[] {
  const from = first ?? targets[0]
  return from ? nearestRank(targets, from) : targets
}
