import type { Plan } from './plan.ts'
import type { State } from './state.ts'
import { evidenceOf } from './words.ts'

/** A change that people want to hear of. */
export interface Happening {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly note: string
}

/** What happened between two states: a change of phase, of step, or of the weight in force, with the evidence that there was. */
export function happenings(plan: Plan, before: State | undefined, after: State): readonly Happening[] {
  const same = before?.phase === after.phase && before.step === after.step && before.weight === after.weight
  if (same && before?.name === after.name) return []
  const known = after.readings.some(({ n }) => n.canary > 0) ? ` ${evidenceOf(after.readings)}.` : ''
  const where = `Step ${after.step + 1} of ${plan.steps.length}, ${Number(after.weight.toFixed(2))} %`
  const [reason, words] = said(before, after, where)
  const bad = after.phase === 'RollingBack' || after.reason === 'SampleRatioMismatch'
  // The message of a rollback, and of a promotion, has the evidence.
  const told = words.endsWith(after.message) && after.phase !== 'Paused' ? words : `${words}${known}`
  return [{ type: bad ? 'Warning' : 'Normal', reason, note: told.slice(0, 1024) }]
}

function said(before: State | undefined, after: State, where: string): readonly [string, string] {
  switch (after.phase) {
    case 'Pending':
      return ['RolloutPending', `The rollout of ${after.canary} waits to begin.`]
    case 'Progressing':
      return before?.phase === 'Paused' && before.step === after.step
        ? ['RolloutResumed', `The rollout goes on. ${where}.`]
        : ['RolloutStep', `${where}.`]
    case 'Paused':
      return ['RolloutPaused', `${after.reason}: ${after.message}`]
    case 'RollingBack':
      return ['RolloutRollingBack', `${after.reason}: ${after.message}`]
    case 'RolledBack':
      return [
        'RolloutRolledBack',
        `No sidecar sends requests to the canary any more; ${after.harmedBefore + after.harmed} were harmed.`,
      ]
    case 'Promoted':
      return ['RolloutPromoted', after.message]
  }
}
