import type { Input } from './input.ts'
import type { Plan } from './plan.ts'
import { anew, enter, fresh, gather, into, planDigest } from './steps.ts'
import type { State } from './state.ts'

/** Takes in what somebody has changed of the manifest since it was looked at last. */
export function edited(plan: Plan, state: State, input: Input): State {
  if (state.canary !== plan.canary) return fresh(plan, input, state)
  return ownWeight(plan, otherPlan(plan, state, input), input)
}

/** Other steps or guardrails: it goes on at the first step that gives no less than is in force, with new evidence; never into the promotion. */
function otherPlan(plan: Plan, state: State, { now }: Input): State {
  const known = planDigest(plan)
  if (state.plan === known) return state
  const next: State = { ...state, plan: known }
  const { phase, weight, reason } = state
  if (phase !== 'Pending' && phase !== 'Progressing' && phase !== 'Paused') return next
  const clean: State = { ...next, ...anew(plan) }
  if (state.started === undefined) return clean
  const last = plan.steps.length - 1
  if (weight === 100) return { ...next, step: last }
  const found = plan.steps.findIndex((step) => step.weight >= weight)
  const step = found < 0 || found === last ? last - 1 : found
  if (phase === 'Progressing') return into(plan, clean, now, step)
  return gather(plan, clean, now, step, reason === 'WeightSetByHand' ? weight : (plan.steps[step]?.weight ?? weight))
}

/** The canary's own weight counts for nothing; who changes it while requests go to the canary wants just that. */
function ownWeight(plan: Plan, state: State, { now }: Input): State {
  if (state.ownWeight === plan.ownWeight) return state
  const next: State = { ...state, ownWeight: plan.ownWeight }
  const going = (state.phase === 'Progressing' || state.phase === 'Paused') && state.started !== undefined
  if (!going) return next
  const message = `The canary's weight was set to ${plan.ownWeight} in the manifest, ${Number(plan.ownShare.toFixed(2))} % of the requests, which is in force. Resume the rollout to go on with its steps.`
  return enter(gather(plan, next, now, state.step, plan.ownShare), now, 'Paused', 'WeightSetByHand', message)
}
