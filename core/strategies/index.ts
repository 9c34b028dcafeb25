import { bandit } from './bandit.ts'
import { classifier } from './classifier.ts'
import { leastCost } from './least-cost.ts'
import { leastLatency } from './least-latency.ts'
import type { Strategy } from './strategy.ts'
import { weighted } from './weighted.ts'

const all = [weighted, leastLatency, leastCost, classifier, bandit] as const

export type StrategyType = (typeof all)[number]['type']

/** Every strategy, in the order in which they are listed. */
export const strategies: readonly Strategy[] = all

/** The names that `strategy.type` takes. */
export const strategyTypes: readonly StrategyType[] = all.map((strategy) => strategy.type)

const byType: ReadonlyMap<string, Strategy> = new Map(all.map((strategy) => [strategy.type, strategy]))

/** The strategy of that type; an unknown one is a fault of the program, since the schema admits only these. */
export function strategy(type: StrategyType): Strategy {
  const found = byType.get(type)
  if (!found) throw new Error(`unknown strategy ${type}`)
  return found
}
