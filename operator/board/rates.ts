import type { Rate } from '../../api/board.ts'
import { DenseSketch } from '../../core/evidence/dense.ts'
import type { ObservedTarget } from '../fleet.ts'

/** Picodollars in a dollar. */
const PICO = 1e12
const MINUTES = 60
/** Length of a step of a history, s, and how many of the last whole ones tell how much there is now. */
const STEP = 5
const RECENT = 3

/** Used again for each: it is large. */
const latency = new DenseSketch()

/** What was observed of several targets in the last minute, put together. */
export function rateOf(targets: readonly ObservedTarget[]): Rate {
  let [requests, errors, cost] = [0, 0, 0]
  let told = false
  latency.clear()
  for (const target of targets) {
    requests += target.requests
    errors += target.errors
    if (target.cost === undefined) continue
    told = true
    cost += target.cost
    latency.add(target.latency ?? [])
  }
  const quantile = (q: number) => (latency.count === 0 ? null : Math.round(latency.quantile(q) * 10) / 10)
  const recent = historyOf(targets).slice(-RECENT - 1, -1)
  return {
    requests: recent.length === 0 ? requests / 60 : recent.reduce((sum, it) => sum + it, 0) / (recent.length * STEP),
    errors: requests === 0 ? null : Math.round((errors / requests) * 1e4) / 1e4,
    p50: quantile(0.5),
    p95: quantile(0.95),
    cost: told ? Number(((cost / PICO) * MINUTES).toPrecision(4)) : null,
  }
}

/** Attempts on all of them in each step of the clock, the newest last; of several replicas, whose clocks differ, to a step. */
export function historyOf(targets: readonly ObservedTarget[]): readonly number[] {
  const sums: number[] = []
  for (const { history = [] } of targets)
    for (const [at, count] of history.entries()) sums[at] = (sums[at] ?? 0) + count
  return sums
}
