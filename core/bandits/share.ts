import { add, copyOf, fade, noEvidence } from './evidence.ts'
import type { Evidence } from './evidence.ts'
import type { Share as ShareOf } from '../merging/merged.ts'

/**
 * Forgetting that can be merged. Each arm has a clock of the whole fleet, which follows from counts alone: one tick for each reward of its own
 * and a twentieth for each of another arm. Evidence is kept as it was worth at some clock, and is worth γ^ticks less later (forward decay:
 * Cormode, Shkapenyuk, Srivastava and Xu, ICDE 2009), so that a sum needs no order.
 */

/** How fast an arm forgets while others have the rewards. */
const REST = 1 / 20

/** What is known of one arm, as it was worth when its clock was `clock`. */
export interface Dated {
  readonly evidence: Evidence
  clock: number
}

/** What one place has seen since it began, by arm. */
export type Share = ShareOf<Dated>

/** Where the clock of an arm stands after so many rewards of its own, and so many of all arms. */
export const clockAt = (own: number, all: number): number => own + REST * (all - own)

/** What is left after so many ticks; evidence of a later clock than asked for is not made stronger. */
export const worth = (gamma: number, ticks: number): number => gamma ** Math.max(0, ticks)

/** Lets the clock of a dated evidence run to `clock`. */
export function advance(dated: Dated, clock: number, gamma: number): void {
  fade(dated.evidence, worth(gamma, clock - dated.clock))
  dated.clock = Math.max(dated.clock, clock)
}

/** The sum of several shares: a function of the set, whatever the order in which they came. */
export function sumOf(shares: Iterable<ReadonlyMap<string, Dated>>, gamma: number): ReadonlyMap<string, Dated> {
  const parts = new Map<string, Dated[]>()
  for (const share of shares)
    for (const [arm, dated] of share) {
      const known = parts.get(arm)
      if (known) known.push(dated)
      else parts.set(arm, [dated])
    }
  const counts = new Map([...parts].map(([arm, list]) => [arm, list.reduce((sum, it) => sum + it.evidence.count, 0)]))
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
  return new Map(
    [...parts].map(([arm, list]) => {
      // Counts say where the clock stands; where some were lost, no evidence is from the future all the same.
      const clock = Math.max(clockAt(counts.get(arm) ?? 0, all), ...list.map((it) => it.clock))
      const sum = noEvidence(list[0]?.evidence.vector.length ?? 0)
      for (const { evidence, clock: at } of list) add(sum, evidence, worth(gamma, clock - at))
      return [arm, { evidence: sum, clock }]
    }),
  )
}

export function copyOfDated(arms: ReadonlyMap<string, Dated>): Map<string, Dated> {
  return new Map([...arms].map(([arm, { evidence, clock }]) => [arm, { evidence: copyOf(evidence), clock }]))
}
