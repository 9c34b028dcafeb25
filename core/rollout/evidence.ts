import type { Reading } from '../statistics/guardrail.ts'
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
  const readings = guardrails.map(({ guardrail }) => finite(guardrail.reading))
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

/** Without what is no number: JSON has none but these. */
function finite({ canary, stable, lower, upper, evidence, ...rest }: Reading): Reading {
  const known = Object.entries({ canary, stable, lower, upper }).filter(([, value]) => Number.isFinite(value))
  return { ...rest, evidence: Math.min(evidence, Number.MAX_VALUE), ...Object.fromEntries(known) }
}

/** Whether requests are compared now: both arms get some. */
export const gathers = ({ phase, weight }: State): boolean =>
  (phase === 'Progressing' || phase === 'Paused') && weight > 0 && weight < 100

/** The Bayes factor from which on requests are not shared out as configured: an alarm in a thousand rollouts by chance. */
const MISMATCH = 1000
/**
 * Requests are counted when they have ended, and those of a slower arm later: what came in the first so many ms of a version is left out, and a
 * burst that only one arm has answered yet is over after so long.
 */
const SETTLED = 60_000

/**
 * Notes since when requests are not shared out as configured, where that says anything: not while a breaker is open, which sends them
 * elsewhere, nor while it lets them back in step by step.
 */
export function watched(plan: Plan, { state, whole }: Taken, { now, open }: Input): State {
  const { uneven, ...even } = state
  if (open.canary + open.stable > 0) {
    const { settled: _, ...anew } = even
    return { ...anew, calm: now + SETTLED }
  }
  const from = Math.max((state.acknowledged ?? Infinity) + SETTLED, state.calm ?? 0)
  if (!whole || !plan.oneByOne || state.reason === 'WeightSetByHand' || now < from) return even
  const { seen, settled = seen, weight } = state
  const counts = [seen.canary - settled.canary, seen.stable - settled.stable]
  const evidence = sampleRatioEvidence(counts, [weight / 100, 1 - weight / 100])
  return evidence >= MISMATCH ? { ...even, settled, uneven: uneven ?? now } : { ...even, settled }
}

/** Whether that has lasted. */
export const isUneven = ({ uneven }: State, now: number): boolean => uneven !== undefined && now >= uneven + SETTLED
