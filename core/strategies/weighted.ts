import type { Choosable, Strategy } from './strategy.ts'
import { sequence } from '../split.ts'
import { rendezvous } from '../sticky.ts'
import { nearestRank } from '../rank.ts'

/** How much of its weight a target may use now. */
const available = (target: Choosable): number => target.available()

/** Exact shares by weight, or by weighted rendezvous hash where the request has a sticky key. */
export const weighted = {
  type: 'Weighted',
  make: (targets, random) => {
    const next = sequence(
      targets.map((target) => target.weight),
      random,
    )
    const part = (index: number) => targets[index]?.available() ?? 0
    return ({ key }) => {
      if (targets.length < 2) return targets
      const sticky = key === undefined ? undefined : (rendezvous(targets, key, available) ?? rendezvous(targets, key))
      const first = sticky ?? targets[next(part)]
      return first ? nearestRank(targets, first) : targets
    }
  },
} as const satisfies Strategy
