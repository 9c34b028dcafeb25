import { Split } from '../split.ts'
import { rendezvous } from '../sticky.ts'
import type { Choice, Choosable, Strategy } from './strategy.ts'

/** Exact shares by weight, or by weighted rendezvous hash where the request has a sticky key. */
export const weighted = {
  type: 'Weighted',
  make: ({ targets, random }) => {
    const split = new Split(
      targets.map((target) => target.weight),
      random,
    )
    const part = (index: number) => targets[index]?.available() ?? 0
    const [only] = targets
    if (targets.length < 2) return () => ({ reason: 'only_target', first: only })
    return (choice) => {
      const { key, outs } = choice
      const usable = outs ? (index: number) => (outs[index] ? 0 : part(index)) : part
      if (key !== undefined) {
        const first = owner(targets, key, choice)
        const all = targets.every((target) => target.available() >= 1)
        return { reason: 'sticky', first, share: all ? first : rendezvous(targets, key) }
      }
      const first = targets[split.draw(usable)]
      return { reason: 'weighted', first, share: targets[split.owner], propensities: () => shares(targets, usable) }
    }
  },
} as const satisfies Strategy

/** The part of requests that each target is drawn for; with all of them out, the weights alone decide. */
function shares(targets: readonly Choosable[], usable: (index: number) => number): readonly number[] {
  const parts = targets.map(({ weight }, index) => weight * usable(index))
  const sum = parts.reduce((total, part) => total + part, 0)
  if (sum > 0) return parts.map((part) => part / sum)
  const total = targets.reduce((all, { weight }) => all + weight, 0)
  return targets.map(({ weight }) => weight / total)
}

/** Whose a sticky key is: of those that can be asked, or of all where none can. */
function owner<T extends Choosable>(targets: readonly T[], key: string, { outs }: Choice): T | undefined {
  const feasible = outs ? targets.filter((_, index) => !outs[index]) : targets
  return rendezvous(feasible, key, (target) => target.available()) ?? rendezvous(feasible, key)
}
