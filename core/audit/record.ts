import { totalCost, usd } from '../cost.ts'
import type { AttemptFacts } from '../exchange.ts'
import type { Verdict } from '../learning/audit.ts'

/** What was made of two answers: marks by the judge, or whether both came to the same; or one was the other's, since the gate had asked for it. */
export type ComparedBy = 'Judge' | 'Agreement' | 'Escalation'

/**
 * What came of an audit: nothing could be said of the two answers; the other one did not come whole; or it did not begin, since enough were under way, or
 * enough was spent.
 */
export type AuditOutcome = 'compared' | 'incomparable' | 'failed' | 'busy' | 'unaffordable'

/** One request that was answered by both models. Holds none of its words. */
export interface AuditRecord {
  /** `x-request-id` of the request. */
  readonly id: string
  readonly route: string
  readonly rule: string
  /** The artefact's hash. */
  readonly version: string
  readonly kind: 'kept' | 'novel'
  readonly segment: string
  readonly score: number
  /** Ids: who gave the caller's answer, and who was asked besides. */
  readonly own: string
  readonly other: string
  readonly outcome: AuditOutcome
  readonly by: ComparedBy | undefined
  /** How good both were, 0…1; of answers that were only compared 1 is "as good as the other". */
  readonly quality: { readonly own: number; readonly other: number } | undefined
  /** What stands since then; undefined where it says nothing of a promise. */
  readonly verdict: Verdict | undefined
  /** Its own calls. */
  readonly attempts: readonly AttemptFacts[]
}

/** A line of the decision log about a request that was answered by both models, to be joined with its decision by `id`. `wall`: ms since the epoch. */
export function auditLine(record: AuditRecord, wall: number): string {
  const { attempts, verdict, quality, ...rest } = record
  const cost = totalCost(attempts)
  const { threshold = Infinity, evidence, alarm } = verdict ?? {}
  return JSON.stringify({
    time: wall,
    msg: 'audit',
    ...rest,
    ...(quality ? { quality, loss: quality.other - quality.own } : {}),
    ...(verdict ? { evidence, threshold: Number.isFinite(threshold) ? threshold : null } : {}),
    ...(alarm ? { alarm: true } : {}),
    ...(cost === undefined ? {} : { cost: Number(usd(cost)) }),
  })
}
