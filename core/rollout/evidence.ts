import { sampleRatioEvidence } from '../statistics/sample-ratio.ts'
import type { Input } from './input.ts'
import type { Plan } from './plan.ts'
import type { State } from './state.ts'
import { guardrailOf } from './steps.ts'

/** What was found with the newest totals, which is not all written down: it is found again from the same totals. */
export interface Taken {
  readonly state: State
  /** All that was known of the version is known still, and was taken. */
  readonly whole: boolean
  /** Metrics of guardrails that have nothing to compare. */
  readonly blind: readonly string[]
  /** Metrics of guardrails for which harm beyond the margin is not excluded. */
  readonly unproven: readonly string[]
}

/** Takes the totals of the version. Fewer than were taken before: who has seen the rest has not told it yet, and nothing is taken. */
export function taken(plan: Plan, state: State, { totals }: Input): Taken {
  const nothing: Taken = { state, whole: false, blind: [], unproven: plan.guardrails.map(({ metric }) => metric) }
  if (!gathers(state) || !totals) return nothing
  const { canary, stable } = totals
  if (canary.n < state.seen.canary || stable.n < state.seen.stable) return nothing
  const guardrails = plan.guardrails.map((it) => ({
    metric: it.metric,
    guardrail: guardrailOf(plan, it, state.guardrails.find(({ metric }) => metric === it.metric)?.state),
  }))
  const all = guardrails.map(({ guardrail }) => guardrail.update(totals))
  const readings = guardrails.map(({ guardrail }) => guardrail.reading)
  const expected = stable.n === 0 ? 0 : (canary.n * stable.errors) / stable.n
  return {
    state: {
      ...state,
      guardrails: guardrails.map(({ metric, guardrail }) => ({ metric, state: guardrail.state })),
      readings,
      seen: { canary: canary.n, stable: stable.n },
      harmed: Math.round(Math.max(0, canary.errors - expected)),
    },
    whole: all.every(Boolean),
    blind: readings.filter(({ n }) => n.canary === 0 || n.stable === 0).map(({ metric }) => metric),
    unproven: guardrails.filter(({ guardrail }) => !guardrail.harmless).map(({ metric }) => metric),
  }
}

/** Whether requests are compared now: both arms get some. */
export const gathers = ({ phase, weight }: State): boolean =>
  (phase === 'Progressing' || phase === 'Paused') && weight > 0 && weight < 100

/** The Bayes factor from which on requests are not shared out as configured: an alarm in a thousand rollouts by chance. */
const MISMATCH = 1000

/** How far what was seen speaks against the configured shares, where it says anything and is too far: undefined where it is not. */
export function mismatch(plan: Plan, { seen, weight, reason }: State, { open }: Input): number | undefined {
  if (!plan.oneByOne || reason === 'WeightSetByHand' || open.canary + open.stable > 0) return undefined
  const evidence = sampleRatioEvidence([seen.canary, seen.stable], [weight / 100, 1 - weight / 100])
  return evidence >= MISMATCH ? evidence : undefined
}
