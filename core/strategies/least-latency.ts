import type { Strategy } from './strategy.ts'
import { rendezvous } from '../sticky.ts'

/** The fastest first, by peak-EWMA latency and requests in flight; weights do not count. A sticky key keeps its target. */
export const leastLatency = {
  type: 'LeastLatency',
  make:
    (targets) =>
    ({ key }) => {
      const loads = new Map(targets.map((target) => [target, target.load()]))
      const order = targets.toSorted((a, b) => (loads.get(a) ?? 0) - (loads.get(b) ?? 0))
      const first = key === undefined ? undefined : rendezvous(targets, key)
      return first ? [first, ...order.filter((target) => target !== first)] : order
    },
} as const satisfies Strategy
