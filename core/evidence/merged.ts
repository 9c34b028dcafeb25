import type { Addition } from '../merging/merged.ts'
import { Counter } from './counter.ts'
import type { Tally } from './tally.ts'

/** How the tallies of places add up, arm by arm. */
export const tallies: Addition<Tally> = {
  sum(parts) {
    const sums = new Map<string, Counter>()
    for (const part of parts)
      for (const [arm, tally] of part) {
        const known = sums.get(arm)
        const sum = known ?? new Counter()
        if (!known) sums.set(arm, sum)
        sum.take(tally)
      }
    return sums
  },
  count: ({ n }) => n,
}
