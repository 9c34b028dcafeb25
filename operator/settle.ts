import { canonical } from '../core/digest.ts'
import { CONDITIONS } from '../api/conditions.ts'
import type { Condition } from '../api/conditions.ts'

/** A condition that does not say yet since when it holds. */
export type Untimed = Omit<Condition, 'lastTransitionTime'>

/** A status as the compile and the fleet make it. */
export interface Status {
  readonly conditions?: readonly Untimed[]
  readonly [field: string]: unknown
}

/** How much a wanted status differs from the stored one: `transition` is for people to see at once, `count` can wait. */
export type Difference = 'none' | 'count' | 'transition'

/** What others of our own write of a status, each under a field manager of its own: it is not for the status writer to compare. */
const FOREIGN: { readonly fields: readonly string[]; readonly conditions: readonly string[] } = {
  fields: ['rollout', 'rollouts', 'experiments'],
  conditions: [CONDITIONS.promoted, CONDITIONS.decided],
}

/** A stored status without what others of our own write. */
function ours(stored: unknown): unknown {
  if (stored === undefined || stored === null) return stored
  const fields = Object.entries(stored).filter(([name]) => !FOREIGN.fields.includes(name))
  const { conditions, ...rest } = Object.fromEntries(fields) as Status // the CRD's schema has checked it
  const left = conditions?.filter(({ type }) => !FOREIGN.conditions.includes(type))
  return left && left.length > 0 ? { ...rest, conditions: left } : rest
}

/** The conditions of a status as the API server holds it, whoever wrote it. */
export function conditionsOf(stored: unknown): readonly Condition[] {
  const { conditions } = Object(stored) as { conditions?: readonly Condition[] } // the CRD's schema has checked it
  return conditions ?? []
}

/** The wanted status with the time of each condition's last transition: as stored, unless its `status` differs. `now` is RFC 3339. */
export function settle(wanted: Status, stored: unknown, now: string): Status {
  const before = conditionsOf(stored)
  const conditions = wanted.conditions?.map((condition) => {
    const same = before.find(({ type, status }) => type === condition.type && status === condition.status)
    return { ...condition, lastTransitionTime: same?.lastTransitionTime ?? now }
  })
  return conditions ? { ...wanted, conditions } : wanted
}

/** Compares a wanted status with the stored one. */
export function difference(wanted: Status, whole: unknown): Difference {
  const stored = ours(whole)
  const before = conditionsOf(stored)
  const after = wanted.conditions ?? []
  const signature = (all: readonly Untimed[]) =>
    all
      .map(({ type, status, reason, observedGeneration }) => `${type} ${status} ${reason} ${observedGeneration}`)
      .sort()
      .join('\n')
  if (signature(after) !== signature(before)) return 'transition'
  const settled = settle(wanted, stored, '')
  return canonical(settled) === canonical(stored) ? 'none' : 'count'
}
