import { CONDITIONS } from '../../api/conditions.ts'
import type { ExperimentStatus } from '../../api/experiment.ts'
import type { Happening } from '../events.ts'
import type { Untimed } from '../settle.ts'

/** What happened between two states of an experiment that people want to hear of: that it began, was decided, or cannot be read. */
export function experimentHappening(
  before: ExperimentStatus | undefined,
  { rule, name, phase, decision, winner, reason, message, version }: ExperimentStatus,
): Happening | undefined {
  if (before?.version === version && before.phase === phase && before.reason === reason) return undefined
  const called = `Experiment ${name} of rule ${rule}`
  if (phase === 'Decided')
    return { type: 'Normal', reason: `Experiment${decision}`, note: `${called}: ${winner}. ${message}` }
  if (phase === 'Blocked') return { type: 'Warning', reason: 'ExperimentBlocked', note: `${called}: ${message}` }
  if (before?.version === version && before.phase === phase) return undefined
  return { type: 'Normal', reason: 'ExperimentRunning', note: `${called} runs.` }
}

/** How much a phase is worth saying where rules are in several. */
const WEIGHTY: readonly ExperimentStatus['phase'][] = ['Blocked', 'Running', 'Decided']

/** Whether every experiment of the route is decided. */
export function decidedCondition(items: readonly ExperimentStatus[], generation: number): Untimed | undefined {
  const all = items.toSorted((a, b) => WEIGHTY.indexOf(a.phase) - WEIGHTY.indexOf(b.phase))
  const [first] = all
  if (!first) return undefined
  return {
    type: CONDITIONS.decided,
    status: first.phase === 'Decided' ? 'True' : first.phase === 'Blocked' ? 'False' : 'Unknown',
    reason: first.phase === 'Running' ? first.phase : first.reason,
    message: all
      .map(({ rule, name, decision, winner, message }) =>
        `Experiment ${name} of rule ${rule}: ${decision ? `${decision}, ${winner}. ` : ''}${message}`.trim(),
      )
      .join(' ')
      .slice(0, 32768),
    observedGeneration: generation,
  }
}
