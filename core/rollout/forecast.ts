import type { Metric } from '../statistics/guardrail.ts'
import { samplesToClear, samplesToFind } from '../statistics/power.ts'
import type { Plan } from './plan.ts'

/** What is taken to be so. */
export interface Assumed {
  /** Requests a second that are shared out between the canary and the stable targets; undefined: nobody knows. */
  readonly rate: number | undefined
  /** The chance that harm is found, or excluded, by so many requests. */
  readonly power: number
  /** What stable is like: as in `samplesToFind`. */
  readonly usual: Readonly<Record<Metric, number>>
  /** Harm whose finding is forecast, as margins are said. */
  readonly worse: Readonly<Record<Metric, number>>
}

/** Requests of each arm, and how long they take to come; absent where that is never, or nobody knows. */
export interface Needed {
  readonly canary?: number
  readonly stable?: number
  readonly seconds?: number
}

export interface GuardrailForecast extends Needed {
  readonly metric: Metric
  readonly margin: number
  readonly worse: number
  readonly usual: number
}

export interface StepForecast {
  readonly weight: number
  readonly manual: boolean
  /** How long the step takes at least, by its dwell and its samples. */
  readonly lasts?: number
  /** What it takes for harm to be found in this step alone: what steps before have found makes it less. */
  readonly found: readonly GuardrailForecast[]
}

export interface Forecast {
  readonly steps: readonly StepForecast[]
  /** What a harmless canary needs in the last step before it is promoted, to exclude harm beyond each margin. */
  readonly promotion: readonly GuardrailForecast[]
  /** How long a harmless canary takes at least from the first step to its promotion, without manual gates. */
  readonly lasts?: number
}

/** How soon a rollout finds harm, step by step, and how long it takes a good canary. */
export function forecast(plan: Pick<Plan, 'steps' | 'guardrails' | 'alpha'>, assumed: Assumed): Forecast {
  const { rate, power, usual, worse } = assumed
  const steps = plan.steps.filter(({ weight }) => weight < 100)
  const each = (weight: number, count: (metric: Metric, question: Parameters<typeof samplesToClear>[0]) => number) =>
    plan.guardrails.map(({ metric, margin, share }) => {
      const ratio = (100 - weight) / weight
      const question = { metric, margin, share, alpha: plan.alpha, usual: usual[metric], ratio, power }
      const n = count(metric, question)
      return { metric, margin, worse: worse[metric], usual: usual[metric], ...needed(n, weight, rate) }
    })
  const told = steps.map(({ weight, dwell, samples, manual }) => ({
    weight,
    manual,
    ...(rate === undefined
      ? {}
      : { lasts: Math.max(dwell / 1000, samples / ((rate * Math.min(weight, 100 - weight)) / 100)) }),
    found: each(weight, (metric, question) => samplesToFind(question, worse[metric])),
  }))
  const last = steps.at(-1)?.weight
  const promotion = last === undefined ? [] : each(last, (_, question) => samplesToClear(question))
  return { steps: told, promotion, ...total(told, promotion) }
}

function needed(n: number, weight: number, rate: number | undefined): Needed {
  if (!Number.isFinite(n)) return {}
  const stable = Math.ceil((n * (100 - weight)) / weight)
  return { canary: n, stable, ...(rate === undefined ? {} : { seconds: (n * 100) / (weight * rate) }) }
}

/** The last step goes on until harm is excluded. */
function total(steps: readonly StepForecast[], promotion: readonly Needed[]): { lasts?: number } {
  const lasts = steps.map(({ lasts }) => lasts ?? Number.NaN)
  const proof = Math.max(0, ...promotion.map(({ seconds }) => seconds ?? Number.NaN))
  const sum = lasts.slice(0, -1).reduce((a, b) => a + b, 0) + Math.max(proof, lasts.at(-1) ?? 0)
  return Number.isFinite(sum) ? { lasts: sum } : {}
}
