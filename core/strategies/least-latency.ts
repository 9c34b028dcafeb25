import type { Choosable, Strategy } from './strategy.ts'
import { rendezvous } from '../sticky.ts'

/**
 * The fastest first, by peak-EWMA latency and requests in flight; weights do not count. One that ramps up counts as slower by what it may
 * not yet use, and those that are unavailable come last. A sticky key keeps its target while that is available.
 */
export const leastLatency = {
  type: 'LeastLatency',
  make:
    (targets) =>
    ({ key }) => {
      const loads = new Map(targets.map((target) => [target, load(target)]))
      const order = targets.toSorted((a, b) => compare(loads.get(a) ?? 0, loads.get(b) ?? 0))
      const first = key === undefined ? undefined : rendezvous(targets, key, (target) => target.available())
      return first ? [first, ...order.filter((target) => target !== first)] : order
    },
} as const satisfies Strategy

function load(target: Choosable): number {
  const part = target.available()
  return part === 0 ? Number.POSITIVE_INFINITY : target.load() / part
}

/** Not a plain difference: two targets may both be infinitely loaded. */
const compare = (a: number, b: number): number => (a === b ? 0 : a - b)
