import { score } from '../decide/decide.ts'
import { askable, replay } from '../decide/decision.ts'
import type { ConsideredTarget, Decision } from '../decide/decision.ts'

/** A target of a decision that was made again. */
export interface ReplayedTarget extends ConsideredTarget {
  /** Its place among those to be asked, from 1; absent where it was not to be asked. */
  readonly place?: number
  /** What it came to; absent where nothing was weighed, or it was out. */
  readonly score?: number
}

export interface Replayed {
  /** Whether the choice made again is the one that was made. */
  readonly exact: boolean
  /** Who is to be asked by the choice made again; ids. */
  readonly order: readonly string[]
  /** In the order in which they were to be asked, then those that were not. */
  readonly targets: readonly ReplayedTarget[]
}

/** Makes a decision again from what was written down of it, by the function that made it. */
export function replayed(decision: Decision): Replayed {
  const order = replay(decision)
  const scores = scoresOf(decision)
  const targets = decision.targets.map((target): ReplayedTarget => {
    const place = decision.order.indexOf(target.target)
    const own = target.out ? undefined : scores.get(target.target)
    return { ...target, ...(place < 0 ? {} : { place: place + 1 }), ...(own === undefined ? {} : { score: own }) }
  })
  const rank = ({ place = Number.POSITIVE_INFINITY }: ReplayedTarget) => place
  return {
    exact: order.length === decision.order.length && order.every((id, index) => id === decision.order[index]),
    order,
    targets: targets.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b))),
  }
}

/** What each target came to, among those of its priority. */
function scoresOf({ targets, terms }: Decision): ReadonlyMap<string, number> {
  if (!terms) return new Map()
  const priorities = [...new Set(targets.map(({ priority }) => priority))]
  return new Map(
    priorities.flatMap((priority) => {
      const group = targets.filter((target) => target.priority === priority)
      const values = group.map(({ quality = Number.NaN, cost = Number.NaN, latency = Number.POSITIVE_INFINITY }) => ({
        quality,
        cost,
        latency,
      }))
      const outs = group.map(({ out }) => out)
      return score(group, values, terms, outs).map(([{ target }, it]): [string, number] => [target, it])
    }),
  )
}

/** Whether a target was to be asked only when no other was left. */
export const putOff = (target: ConsideredTarget): boolean => target.out !== undefined && askable(target)
