import type { Tally } from '../../core/evidence/tally.ts'
import { against, Guardrail } from '../../core/statistics/guardrail.ts'
import type { Arms, Metric, Reading } from '../../core/statistics/guardrail.ts'
import { normal } from '../../core/statistics/means.ts'

/** After each look at both arms' totals so far: the names of the rules that would roll back now. */
export type Judge = (totals: Arms<Tally>) => readonly string[]

/** Margins as docs/statistics.md advises them. */
const MARGINS: Readonly<Record<Metric, number>> = {
  ErrorRate: 0.01,
  Truncations: 0.01,
  Refusals: 0.01,
  Escalations: 0.02,
  Latency: 0.1,
  FirstToken: 0.1,
  Cost: 0.1,
  Quality: 0.02,
}
/** All but escalations, which only a gate has. */
const SEVEN: readonly Metric[] = ['ErrorRate', 'Truncations', 'Refusals', 'Latency', 'FirstToken', 'Cost', 'Quality']
export const ONE = (metric: Metric) => `Tradewind, one guardrail (${metric}, margin ${MARGINS[metric]})`
export const ALL = 'Tradewind, seven guardrails'
export const ANY = '– the same, α split and no more (any one by itself)'
export const WIDE = 'Tradewind, one guardrail (ErrorRate, margin 0.02)'
export const TIGHT = 'Tradewind, one guardrail (ErrorRate, margin 0)'
export const EIGHT = 'Tradewind, eight guardrails (Escalations too)'
export const PEEKING = 'z-test at 5 %, looked at after every batch'
export const FLAGGER = 'fixed: success ≥ 99 % over the last 60, five failed checks (Flagger’s example)'
export const ARGO = 'fixed: success ≥ 95 % over the last 60, four failed checks (Argo Rollouts’ example)'

const ALPHA = 0.05
const guardrails = (metrics: readonly Metric[], margin?: number) =>
  metrics.map(
    (metric) => new Guardrail({ metric, margin: margin ?? MARGINS[metric], alpha: ALPHA, share: 1 / metrics.length }),
  )

/** The real guardrails, on real tallies. `watched`: the metric that a rule of one guardrail has. */
export function ours(watched: Metric): Judge {
  const sets: readonly (readonly [string, readonly Guardrail[], (readings: readonly Reading[]) => boolean])[] = [
    [ONE(watched), guardrails([watched]), (it) => against(it) >= 1],
    ...(watched === 'ErrorRate'
      ? ([
          [WIDE, guardrails(['ErrorRate'], 0.02), (it) => against(it) >= 1],
          [TIGHT, guardrails(['ErrorRate'], 0), (it) => against(it) >= 1],
          [EIGHT, guardrails([...SEVEN, 'Escalations']), (it) => against(it) >= 1],
        ] satisfies typeof sets)
      : []),
  ]
  const seven = guardrails(SEVEN)
  return (totals) => {
    for (const it of seven) it.update(totals)
    const readings = seven.map(({ reading }) => reading)
    const said = sets.flatMap(([name, set, says]) => {
      for (const it of set) it.update(totals)
      return says(set.map(({ reading }) => reading)) ? [name] : []
    })
    if (against(readings) >= 1) said.push(ALL)
    if (readings.some(({ evidence, needs }) => evidence >= needs)) said.push(ANY)
    return said
  }
}

/** A test for one look, looked at after every batch: errors alone, one-sided at 5 %. */
export const peeking = (): Judge => {
  return ({ canary, stable }) => {
    const pooled = (canary.errors + stable.errors) / (canary.n + stable.n)
    const error = Math.sqrt(pooled * (1 - pooled) * (1 / canary.n + 1 / stable.n))
    const z = (canary.errors / canary.n - stable.errors / stable.n) / error
    return error > 0 && 1 - normal(z) < 0.05 ? [PEEKING] : []
  }
}

/** A fixed threshold of the canary's success over the last three looks, and how many failed checks roll back; stable is not looked at. */
export function threshold(name: string, success: number, failures: number): Judge {
  const seen: (readonly [n: number, errors: number])[] = [[0, 0]]
  let failed = 0
  return ({ canary }) => {
    seen.push([canary.n, canary.errors])
    const [n, errors] = seen.at(-4) ?? seen[0] ?? [0, 0]
    if (1 - (canary.errors - errors) / (canary.n - n) < success) failed++
    return failed >= failures ? [name] : []
  }
}
