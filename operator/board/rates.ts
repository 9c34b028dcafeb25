import type { Rate } from '../../api/board.ts'
import { Sketch } from '../../core/evidence/sketch.ts'
import { readSketch } from '../../core/evidence/wire.ts'
import type { ObservedTarget } from '../fleet.ts'

/** Picodollars in a dollar. */
const PICO = 1e12
const MINUTES = 60
/** Length of a step of a history, s, and how many of the last whole ones tell how much there is now. */
const STEP = 5
const RECENT = 3

/** What was observed of several targets in the last minute, put together. */
export function rateOf(targets: readonly ObservedTarget[]): Rate {
  let [requests, errors, cost] = [0, 0, 0]
  let told = false
  const counts = new Map<number, number>()
  for (const target of targets) {
    requests += target.requests
    errors += target.errors
    if (target.cost === undefined) continue
    told = true
    cost += target.cost
    for (const [bucket, count] of bucketsOf(target)) counts.set(bucket, (counts.get(bucket) ?? 0) + count)
  }
  const latency = new Sketch(counts)
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

/** Sketches are read once: what nobody told anew stays the same object. */
const read = new WeakMap<ObservedTarget, ReturnType<Sketch['buckets']>>()

function bucketsOf(target: ObservedTarget): ReturnType<Sketch['buckets']> {
  let buckets = read.get(target)
  if (!buckets) read.set(target, (buckets = readSketch(target.latency ?? [])?.buckets() ?? []))
  return buckets
}
