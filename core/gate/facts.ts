import type { CheckType } from './checks/index.ts'

/** How a stream is gated; an answer that is not streamed is whole when it is judged, whatever the mode but for Audit. */
export type GateMode = 'Buffer' | 'Prefix' | 'Audit'

/** What looked at an answer: one of the checks, or one of those that cost more. */
export type Examiner = CheckType | 'LogProbs' | 'Learned' | 'Agreement' | 'Judge' | 'Finished'

/** What one examiner found. Never holds words of the answer. */
export interface Finding {
  readonly check: Examiner
  readonly failed: boolean
  /** Why it failed, in a few words. */
  readonly detail?: string
  /** What was measured, in the unit of the check's bar: a log-probability, a share of agreement, a mark, P(wrong). */
  readonly score?: number
}

/** One answer that was looked at. */
export interface GatedAnswer {
  /** `namespace/name model` of the target that gave it; the same in two, the model as configured. */
  readonly target: string
  readonly endpoint: string
  readonly model: string
  readonly findings: readonly Finding[]
}

/**
 * Why the answer that the caller got is the one: it was found good; nothing could be said of it; there is no stronger target that could be
 * asked, so that it was not examined; no more escalations are left; it was found wanting, and time or money is short, or a stronger target
 * was asked and failed; or nothing but a record was wanted.
 */
export type GateReason =
  | 'passed'
  | 'unjudged'
  | 'strongest'
  | 'max_escalations'
  | 'deadline'
  | 'budget'
  | 'stronger_failed'
  | 'audited'

/** What the gate did about a request. */
export interface GateFacts {
  readonly mode: GateMode
  /** The target that would have answered, and the one that did; ids. */
  first: string
  final: string
  /**
   * Why it did not begin with the one that was chosen: going to a stronger one directly is cheaper, or the only way to be in time; or what is
   * to judge cheap answers did not load, so that none would be trusted.
   */
  direct: 'direct_cheaper' | 'direct_faster' | 'direct_untaught' | undefined
  reason: GateReason
  escalations: number
  /** Of the answer that was given, as the learned gate has it, 0…1. */
  wrong: number | undefined
  readonly answers: GatedAnswer[]
}
