import { CONDITIONS } from '../../api/conditions.ts'
import type { RolloutStatus } from '../../api/rollout.ts'
import { evidenceOf } from '../../core/rollout/words.ts'
import type { State } from '../../core/rollout/state.ts'
import type { Untimed } from '../settle.ts'

/** The rollouts of a route for the eye: `Progressing 2/6 5%`, and which rule where there are several. */
export function inShort(items: readonly Omit<RolloutStatus, 'memory'>[]): string {
  const one = ({ phase, step, steps, weight }: (typeof items)[number]) =>
    phase === 'Progressing' || phase === 'Paused' ? `${phase} ${step + 1}/${steps} ${weight}%` : phase
  return items
    .map((it) => (items.length > 1 ? `${it.rule}: ${one(it)}` : one(it)))
    .join(', ')
    .slice(0, 1024)
}

/** How much a phase is worth saying where rules are in several. */
const WEIGHTY: readonly State['phase'][] = ['RollingBack', 'RolledBack', 'Paused', 'Progressing', 'Pending', 'Promoted']

/** Whether every canary of the route has been promoted. */
export function promoted(states: ReadonlyMap<string, State>, generation: number): Untimed | undefined {
  const all = [...states].toSorted(([, a], [, b]) => WEIGHTY.indexOf(a.phase) - WEIGHTY.indexOf(b.phase))
  const [first] = all
  if (!first) return undefined
  const { phase } = first[1]
  const back = phase === 'RollingBack' || phase === 'RolledBack'
  return {
    type: CONDITIONS.promoted,
    status: back ? 'False' : phase === 'Promoted' ? 'True' : 'Unknown',
    reason: phase,
    message: all
      .map(([rule, state]) => sentence(rule, state))
      .join(' ')
      .slice(0, 32768),
    observedGeneration: generation,
  }
}

function sentence(rule: string, { reason, message, weight, readings }: State): string {
  const measured = readings.some(({ n }) => n.canary > 0)
  const evidence = measured && !message.includes('E-value') ? ` ${evidenceOf(readings)}.` : ''
  return `Rule ${rule}: ${reason}, ${Math.round(weight)} %. ${message}${evidence}`
}
