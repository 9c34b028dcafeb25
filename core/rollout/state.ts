import type { Arms, GuardrailState, Metric, Reading } from '../statistics/guardrail.ts'

/**
 * Where a rollout can be. Pending: not begun; Progressing: on its way up; Paused: it stays where it is, and guardrails still count;
 * RollingBack: weight 0, and not every sidecar has it; RolledBack; Promoted: weight 100 everywhere.
 */
export const PHASES = ['Pending', 'Progressing', 'Paused', 'RollingBack', 'RolledBack', 'Promoted'] as const
export type Phase = (typeof PHASES)[number]

/** What people may do to a rollout. */
export const VERBS = ['pause', 'resume', 'promote', 'abort', 'retry'] as const
export type Verb = (typeof VERBS)[number]

/** Why a rollout is where it is. */
export type Reason =
  | 'New'
  | 'CoolingDown'
  | 'WaitingForSidecars'
  | 'NoSidecars'
  | 'CanaryUnavailable'
  | 'CanaryUnhealthy'
  | 'Dwelling'
  | 'NoData'
  | 'EvidenceIncomplete'
  | 'CollectingSamples'
  | 'AwaitingProof'
  | 'Promoting'
  | 'Promoted'
  | 'PausedByHand'
  | 'ManualGate'
  | 'WeightSetByHand'
  | 'SampleRatioMismatch'
  | 'GuardrailBroken'
  | 'DeadlineExceeded'
  | 'Aborted'

/**
 * All that is known of a rollout, as JSON: who goes on from it comes to the same. Times are ms since the epoch.
 */
export interface State {
  readonly phase: Phase
  readonly reason: Reason
  /** The reason in a sentence. */
  readonly message: string
  readonly canary: string
  /** A digest of steps and guardrails: with others, evidence begins anew. */
  readonly plan: string
  /** Names this rollout among all that the rule has had. */
  readonly name: string
  /** Rises with every version, so that no two are the same. */
  readonly attempt: number
  /** From 0. */
  readonly step: number
  /** In force, percent; a whole number unless it was set by hand. */
  readonly weight: number
  /** The canary's own weight in the manifest when it was looked at last. */
  readonly ownWeight: number
  readonly started?: number
  readonly since: number
  readonly stepSince: number
  /** Since when every sidecar has the version; absent: not yet. */
  readonly acknowledged?: number
  /** How long it was paused before, ms: that is not counted. */
  readonly pausedFor: number
  readonly rolledBack?: number
  readonly by?: string
  /** The last order that came as an annotation: it is done once. */
  readonly asked?: string
  readonly guardrails: readonly { readonly metric: Metric; readonly state: GuardrailState }[]
  readonly readings: readonly Reading[]
  /** Requests of the version that were taken as evidence. */
  readonly seen: Arms<number>
  /** What the version had come to when its first requests had been answered: the shares are looked at from there on. */
  readonly settled?: Arms<number>
  /** From when on they are looked at again after a breaker was open. */
  readonly calm?: number
  /** Since when requests are not shared out as configured. */
  readonly uneven?: number
  /** Requests that the canary failed beyond the stable targets' share: in versions before, and in this one. */
  readonly harmedBefore: number
  readonly harmed: number
  /** Pods that have not acknowledged the version, some of them, and how many. */
  readonly waitsFor: readonly string[]
  readonly waiting: number
}

/** What evidence is told under: another one with every step and try. */
export const versionOf = ({ name, step, attempt }: Pick<State, 'name' | 'step' | 'attempt'>): string =>
  `${name}.${step}.${attempt}`
