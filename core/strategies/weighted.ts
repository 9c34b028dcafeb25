import type { Strategy } from './strategy.ts'
import { sequence } from '../split.ts'
import { rendezvous } from '../sticky.ts'
import { nearestRank } from '../rank.ts'

/** Exact shares by weight, or by weighted rendezvous hash where the request has a sticky key. */
export const weighted = {
  type: 'Weighted',
  make: (targets, random) => {
    const next = sequence(
      targets.map((target) => target.weight),
      random,
    )
    return ({ key }) => {
      if (targets.length < 2) return targets
      const first = key === undefined ? targets[next()] : rendezvous(targets, key)
      return first ? nearestRank(targets, first) : targets
    }
  },
} as const satisfies Strategy
