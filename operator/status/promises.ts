import { CONDITIONS, REASONS } from '../../api/conditions.ts'
import type { ObservedPromise } from '../fleet.ts'
import type { Untimed } from '../settle.ts'

/** Promises that are named in one message. */
const NAMED = 5

/** Whether audits in service speak against what a route's artefacts promise; nothing where none was audited. */
export function promisesKept(promises: readonly ObservedPromise[], generation: number): Untimed[] {
  if (promises.length === 0) return []
  const broken = promises.filter(({ alarmed }) => alarmed > 0)
  const type = CONDITIONS.promisesKept
  if (broken.length === 0) {
    const message = 'Audits speak against nothing that the artefact promises.'
    return [{ type, status: 'True', reason: REASONS.promisesKept, message, observedGeneration: generation }]
  }
  const message = [
    ...broken.slice(0, NAMED).map(sentence),
    ...(broken.length > NAMED ? [`And ${broken.length - NAMED} more.`] : []),
    'Train an artefact on newer data, or put the one before back: until then nothing leads forward again.',
  ].join(' ')
  return [{ type, status: 'False', reason: REASONS.promiseBroken, message, observedGeneration: generation }]
}

function sentence({ rule, segment, told, alarmed, worst }: ObservedPromise): string {
  const where = `Rule ${rule}${segment === '*' ? '' : `, segment ${segment}`}`
  const whose = told === 1 ? 'the one sidecar that audits' : `${alarmed} of ${told} sidecars`
  if (!worst) return `${where}: ${whose} has taken a promise back.`
  const { from, to, evidence, audits } = worst
  const now =
    to === undefined ? 'all requests go to the strong model' : `requests stay cheap from score ${figure(to)} on`
  return `${where}: on ${whose}, cheap answers lost more than was promised (evidence ${figure(evidence)} of 20, after ${audits} audits); ${now}, before from ${figure(from)} on.`
}

const figure = (value: number): string => String(Number(value.toPrecision(3)))
