import { Counter } from '../../core/evidence/counter.ts'
import { seeded } from '../../core/learning/random.ts'
import type { Metric } from '../../core/statistics/guardrail.ts'
import { ARGO, FLAGGER, ours, peeking, threshold } from './rules.ts'
import { exchange } from './traffic.ts'
import type { Kind } from './traffic.ts'

/** What canary and stable are like, and how their requests come. */
export interface Scene {
  readonly canary: Kind
  readonly stable: Kind
  /** Which rule of one guardrail is asked besides. */
  readonly watched: Metric
  /** Requests of each arm between two looks. */
  readonly batch: readonly [canary: number, stable: number]
  /** The most that the canary gets. */
  readonly most: number
}

/** After how many of the canary's requests each rule rolled it back, in every run; Infinity: never. */
export type Found = ReadonlyMap<string, readonly number[]>

/** Simulates `count` canaries, each judged by all rules at once. */
export function runs(count: number, scene: Scene, from: number): Found {
  const found = new Map<string, number[]>()
  for (let run = 0; run < count; run++)
    for (const [name, n] of one(scene, from + run)) {
      const all = found.get(name) ?? []
      all.push(n)
      found.set(name, all)
    }
  return found
}

function one({ canary, stable, watched, batch, most }: Scene, seed: number): Map<string, number> {
  const random = seeded(seed)
  const judges = [ours(watched), peeking(), threshold(FLAGGER, 0.99, 5), threshold(ARGO, 0.95, 4)]
  const totals = { canary: new Counter(), stable: new Counter() }
  const first = new Map<string, number>()
  while (totals.canary.n < most) {
    for (let i = 0; i < batch[0]; i++) exchange(totals.canary, canary, random)
    for (let i = 0; i < batch[1]; i++) exchange(totals.stable, stable, random)
    for (const judge of judges) for (const name of judge(totals)) if (!first.has(name)) first.set(name, totals.canary.n)
  }
  return first
}
