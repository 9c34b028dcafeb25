import { against } from '../statistics/guardrail.ts'
import { edited } from './edits.ts'
import { gathers, isUneven, taken, watched } from './evidence.ts'
import { happenings } from './happenings.ts'
import type { Happening } from './happenings.ts'
import { holds } from './holds.ts'
import type { Input } from './input.ts'
import { ordered } from './orders.ts'
import type { Plan } from './plan.ts'
import type { State } from './state.ts'
import { back, enter, fresh, gather, into } from './steps.ts'
import { evidenceOf, percent } from './words.ts'

/** So many pods are named. */
const NAMED = 10

/**
 * What becomes of a rollout at a moment: a pure function, so that whoever goes on from the same state with the same input comes to the same.
 * It makes at most one step, and none forward that not every sidecar has acknowledged. `state` undefined: it is new.
 */
export function advance(
  plan: Plan,
  state: State | undefined,
  input: Input,
): { readonly state: State; readonly happenings: readonly Happening[] } {
  const seen = edited(plan, state ?? fresh(plan, input), input)
  // What was written down is what sidecars are asked about: one that an edit has just made is not there yet.
  const same = state !== undefined && state.attempt === seen.attempt
  const at: Input = same ? input : { ...input, totals: undefined, sidecars: { ...input.sidecars, inForce: false } }
  const next = moved(plan, acknowledged(ordered(plan, seen, at), at), at, seen.attempt)
  return { state: next, happenings: happenings(plan, state, next) }
}

/** Notes who has what. */
function acknowledged(state: State, { now, sidecars: { inForce, behind } }: Input): State {
  const all = inForce && behind.length === 0
  const waitsFor = inForce ? behind.slice(0, NAMED) : []
  const waiting = inForce ? behind.length : 0
  return {
    ...state,
    ...(all && state.acknowledged === undefined ? { acknowledged: now } : {}),
    waitsFor,
    waiting,
  }
}

/** `attempt`: of the version that the input is about. */
function moved(plan: Plan, state: State, input: Input, attempt: number): State {
  const { now } = input
  // Somebody has just ordered another version.
  if (state.attempt !== attempt) return withoutAcknowledgement(state)
  switch (state.phase) {
    case 'Pending':
      return begun(plan, state, input)
    case 'Progressing':
    case 'Paused':
      return compared(plan, state, input)
    case 'RollingBack':
      return state.acknowledged === undefined || state.waiting > 0
        ? state
        : { ...enter(state, now, 'RolledBack', state.reason, state.message), rolledBack: now }
    case 'RolledBack':
    case 'Promoted':
      return state
  }
}

function withoutAcknowledgement(state: State): State {
  const { acknowledged: _, ...rest } = state
  return { ...rest, waitsFor: [], waiting: 0 }
}

function begun(plan: Plan, state: State, input: Input): State {
  const { now } = input
  const until = (state.rolledBack ?? -Infinity) + plan.cooldown
  if (now < until)
    return enter(state, now, 'Pending', 'CoolingDown', `The last canary was rolled back: this one begins ${at(until)}.`)
  const hold = holds.begin(state, input)
  if (hold) return enter(state, now, 'Pending', hold.reason, hold.message)
  if (plan.steps[0]?.manual)
    return enter(state, now, 'Paused', 'ManualGate', 'Its first step is to be let in by hand: resume the rollout.')
  return into(plan, state, now, 0)
}

function compared(plan: Plan, before: State, input: Input): State {
  const { now } = input
  const taking = taken(plan, before, input)
  if (input.totals && !taking.whole && gathers(before) && input.complete?.()) return lost(plan, before, now)
  const state = watched(plan, taking, input)
  const found = { ...taking, state }
  if (against(state.readings) >= 1)
    return back(state, now, 'GuardrailBroken', `The canary is worse than it may be: ${evidenceOf(state.readings)}.`)
  if (state.phase === 'Paused') return state
  const deadline = (state.started ?? now) + state.pausedFor + plan.maxDuration
  if (now >= deadline)
    return back(
      state,
      now,
      'DeadlineExceeded',
      `It was not promoted within maxDuration. ${evidenceOf(state.readings)}.`,
    )
  if (isUneven(state, now)) return enter(state, now, 'Paused', 'SampleRatioMismatch', unequal(state))
  if (state.weight === 100) {
    const hold = holds.acknowledge(state, input)
    if (hold) return enter(state, now, 'Progressing', 'Promoting', hold.message)
    return enter(state, now, 'Promoted', 'Promoted', `The canary takes all requests. ${evidenceOf(state.readings)}.`)
  }
  const next = plan.steps[state.step + 1]
  const hold = holds.step(plan, found, input) ?? (next?.weight === 100 ? holds.promote(found) : undefined)
  if (hold) return enter(state, now, 'Progressing', hold.reason, hold.message)
  if (next?.manual)
    return enter(
      state,
      now,
      'Paused',
      'ManualGate',
      `Step ${state.step + 2} of ${plan.steps.length} is to be let in by hand: resume the rollout.`,
    )
  return into(plan, state, now, state.step + 1)
}

/** Sidecars have gone with what they had counted, and nobody knows it: the step is counted anew, and what was found so far counts on. */
const lost = (plan: Plan, state: State, now: number): State => gather(plan, state, now, state.step, state.weight)

function unequal({ seen, settled = seen, weight }: State): string {
  const canary = seen.canary - settled.canary
  const share = canary / (canary + seen.stable - settled.stable)
  return `${percent(share)} of the requests went to the canary where ${weight} % are configured: what is compared is not comparable. Find out why (rate limits that are used up, say), and resume the rollout: the step begins again.`
}

/** When something is due by the clock alone, ms since the epoch; undefined: nothing is. */
export function due(plan: Plan, state: State, now: number): number | undefined {
  const times: number[] = []
  if (state.phase === 'Pending' && state.rolledBack !== undefined) times.push(state.rolledBack + plan.cooldown)
  if (state.phase === 'Progressing') {
    times.push((state.started ?? now) + state.pausedFor + plan.maxDuration)
    const { dwell = 0 } = plan.steps[state.step] ?? {}
    if (state.acknowledged !== undefined) times.push(state.acknowledged + dwell)
  }
  const next = Math.min(...times.filter((time) => time > now))
  return Number.isFinite(next) ? next : undefined
}

const at = (time: number): string => `at ${new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')}`
