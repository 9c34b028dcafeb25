import type { Input } from './input.ts'
import type { Plan } from './plan.ts'
import type { State, Verb } from './state.ts'
import { back, enter, fresh, into } from './steps.ts'
import { refusal } from './verbs.ts'

/** Does what somebody asks for, where the phase allows it; an annotation's value once. */
export function ordered(plan: Plan, state: State, input: Input): State {
  const { order, annotation } = input
  let next = state
  if (annotation && annotation.value !== state.asked) {
    next = { ...next, asked: annotation.value }
    if (!refusal(next, annotation.verb)) next = done(plan, next, input, annotation.verb, annotation.by)
  }
  return order && !refusal(next, order.verb) ? done(plan, next, input, order.verb, order.by) : next
}

function done(plan: Plan, state: State, input: Input, verb: Verb, by: string): State {
  const { now } = input
  const mine: State = { ...state, by }
  switch (verb) {
    case 'pause':
      return enter(mine, now, 'Paused', 'PausedByHand', `${by} paused it. Its guardrails still count.`)
    case 'resume':
      return resumed(plan, mine, now)
    case 'promote':
      return into(plan, mine, now, plan.steps.length - 1)
    case 'abort':
      return back(mine, now, 'Aborted', `${by} aborted it.`)
    case 'retry': {
      const { rolledBack: _, ...next } = fresh(plan, input, mine)
      return { ...next, by }
    }
  }
}

function resumed(plan: Plan, state: State, now: number): State {
  const { reason, started, step, weight } = state
  if (reason === 'ManualGate') return into(plan, state, now, started === undefined ? 0 : step + 1)
  if (started === undefined) return enter(state, now, 'Pending', 'New', 'It has not begun.')
  // What is not as it was configured says nothing from here on: the step begins again.
  if (reason === 'WeightSetByHand' || reason === 'SampleRatioMismatch') return into(plan, state, now, step)
  return weight === 100
    ? enter(state, now, 'Progressing', 'Promoting', 'The sidecars are being told of the promotion.')
    : enter(state, now, 'Progressing', 'Dwelling', 'It goes on.')
}
