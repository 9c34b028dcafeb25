import { CONDITIONS, REASONS } from '../../api/conditions.ts'
import { describeFault } from '../../core/faults/describe.ts'
import { inForce, LONGEST } from '../../core/faults/fault.ts'
import type { RouteResult } from '../compile/route.ts'
import type { Untimed } from '../settle.ts'
import type { Reach } from './view.ts'

/** Faults that are named in one message. */
const NAMED = 5

/** What is injected on purpose at a time, ms since the epoch; nothing where none is, and none is still to be. */
export function faultsInjected({ body, generation }: RouteResult, reach: Reach, wall: number): Untimed[] {
  const faults = body.rules.flatMap(({ name, faults = [] }) => faults.map((fault) => ({ rule: name, ...fault })))
  if (faults.length === 0) return []
  const now = faults.filter((fault) => inForce(fault, wall))
  const later = faults.filter(({ until }) => until - wall > LONGEST)
  const condition = (status: Untimed['status'], reason: string, parts: readonly string[]): Untimed[] => [
    { type: CONDITIONS.faultsInjected, status, reason, message: parts.join(' '), observedGeneration: generation },
  ]
  const waiting = later.map(
    ({ rule, until }) =>
      `A fault of rule ${rule} ends ${new Date(until).toISOString()}, and nothing of it is injected until 24 hours before.`,
  )
  if (now.length === 0) return later.length > 0 ? condition('False', REASONS.faultsTooFarAhead, listed(waiting)) : []
  const old = [...reach.groups].reduce((sum, [{ lacks }, members]) => sum + (lacks.includes('faults') ? members : 0), 0)
  return condition('True', REASONS.faultsInjected, [
    'Failures are injected on purpose.',
    ...listed([...now.map((fault) => `Rule ${fault.rule}: ${describeFault(fault)}.`), ...waiting]),
    ...(old > 0 ? [`${old} of ${reach.connected} connected sidecars are too old for it and inject nothing.`] : []),
  ])
}

function listed(parts: readonly string[]): readonly string[] {
  return parts.length > NAMED ? [...parts.slice(0, NAMED), `And ${parts.length - NAMED} more.`] : parts
}

/** The times at which what is said of a route's faults changes, ms since the epoch. */
export function turns({ body }: Pick<RouteResult, 'body'>): readonly number[] {
  return body.rules.flatMap(({ faults = [] }) => faults.flatMap(({ until }) => [until - LONGEST, until]))
}
