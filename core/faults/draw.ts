import type { Deps } from '../deps.ts'
import type { Exchange } from '../exchange.ts'
import type { Target } from '../target.ts'
import { inForce } from './fault.ts'
import type { Fault } from './fault.ts'

/**
 * The faults to be injected into a call of a target. Chance decides once for each request and fault: its retries, its second calls and the
 * calls of other targets that the fault is for meet the same, so that an outage of 20 % of the requests cannot be retried away.
 */
export function drawn(
  exchange: Exchange,
  target: Target,
  faults: readonly Fault[],
  { random, wall }: Pick<Deps, 'random' | 'wall'>,
): readonly Fault[] {
  const now = wall()
  return faults.filter((fault) => inForce(fault, now) && isFor(fault, target) && isMet(fault, exchange, random))
}

function isFor({ targets }: Fault, { endpoint, model }: Target): boolean {
  if (!targets) return true
  return targets.some((it) => it.endpoint === endpoint.name && (it.model === undefined || it.model === model.name))
}

function isMet(fault: Fault, exchange: Exchange, random: () => number): boolean {
  const met = (exchange.faultsMet ??= new Map<Fault, boolean>())
  let known = met.get(fault)
  if (known === undefined) {
    known = (fault.test?.(exchange) ?? true) && random() * 100 < fault.percent
    met.set(fault, known)
  }
  return known
}
