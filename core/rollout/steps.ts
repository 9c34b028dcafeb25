import { digest } from '../digest.ts'
import { Guardrail } from '../statistics/guardrail.ts'
import type { Arms, GuardrailState } from '../statistics/guardrail.ts'
import type { Input } from './input.ts'
import type { Plan, PlannedGuardrail } from './plan.ts'
import type { Phase, Reason, State } from './state.ts'

const NONE: Arms<number> = { canary: 0, stable: 0 }

/** What evidence rests on: with other steps or guardrails it begins anew. */
export const planDigest = ({ steps, guardrails, alpha }: Plan): string => digest({ steps, guardrails, alpha })

/** A guardrail of the plan, as it was left. */
export function guardrailOf(
  plan: Plan,
  { metric, margin, share }: PlannedGuardrail,
  state?: GuardrailState,
): Guardrail {
  return new Guardrail({ metric, margin, share, alpha: plan.alpha }, state)
}

/** A rollout that has not begun. `before` is what the rule had: its attempts go on being counted, and its rollback is waited for. */
export function fresh(plan: Plan, { now, of, annotation }: Input, before?: State): State {
  // What stands there when a rollout begins was said of another one.
  const asked = before ? before.asked : annotation?.value
  const rolledBack = before?.phase === 'RollingBack' ? now : before?.rolledBack
  return {
    phase: 'Pending',
    reason: 'New',
    message: 'It has not begun.',
    canary: plan.canary,
    plan: planDigest(plan),
    name: digest([of, plan.canary, now]).slice(0, 8),
    attempt: (before?.attempt ?? -1) + 1,
    step: 0,
    weight: 0,
    ownWeight: plan.ownWeight,
    since: now,
    stepSince: now,
    pausedFor: 0,
    ...(rolledBack === undefined ? {} : { rolledBack }),
    ...(asked === undefined ? {} : { asked }),
    ...anew(plan),
    seen: NONE,
    harmedBefore: 0,
    harmed: 0,
    waitsFor: [],
    waiting: 0,
  }
}

/** Guardrails that know nothing. */
export function anew(plan: Plan): Pick<State, 'guardrails' | 'readings'> {
  const guardrails = plan.guardrails.map((it) => guardrailOf(plan, it))
  const readings = guardrails.map(({ reading }) => reading)
  return { guardrails: guardrails.map(({ state, reading: { metric } }) => ({ metric, state })), readings }
}

/** Into a phase, or for another reason in the same. */
export function enter(state: State, now: number, phase: Phase, reason: Reason, message: string): State {
  if (phase === state.phase) return { ...state, reason, message }
  const pausedFor = state.phase === 'Paused' ? state.pausedFor + now - state.since : state.pausedFor
  return { ...state, phase, reason, message, since: now, pausedFor }
}

/** Another version: what sidecars tell of the one before is not heard any more, and all of them have to acknowledge this one. */
function renew(state: State, now: number, step: number, weight: number): State {
  const { acknowledged: _, settled: __, calm: ___, uneven: ____, ...rest } = state
  return { ...rest, attempt: state.attempt + 1, step, weight, stepSince: now }
}

/** The same for a version that gathers evidence: its requests are counted from 0, what was found so far counts on. */
export function gather(plan: Plan, state: State, now: number, step: number, weight: number): State {
  return {
    ...renew(state, now, step, weight),
    started: state.started ?? now,
    guardrails: plan.guardrails.map((it) => {
      const guardrail = guardrailOf(plan, it, state.guardrails.find(({ metric }) => metric === it.metric)?.state)
      guardrail.step()
      return { metric: it.metric, state: guardrail.state }
    }),
    seen: NONE,
    harmedBefore: state.harmedBefore + state.harmed,
    harmed: 0,
  }
}

/** Into a step: the next, or another one after an edit. The last is the promotion, which is compared with nothing. */
export function into(plan: Plan, state: State, now: number, step: number): State {
  const { weight } = plan.steps[step] ?? PROMOTION
  if (weight < 100) {
    const next = gather(plan, state, now, step, weight)
    return enter(next, now, 'Progressing', 'WaitingForSidecars', 'The sidecars are being told of the step.')
  }
  const next = { ...renew(state, now, step, weight), started: state.started ?? now }
  return enter(next, now, 'Progressing', 'Promoting', 'The sidecars are being told of the promotion.')
}

const PROMOTION = { weight: 100 }

/** To weight 0; its evidence stays as it was found. */
export function back(state: State, now: number, reason: Reason, message: string): State {
  return enter(renew(state, now, state.step, 0), now, 'RollingBack', reason, message)
}
