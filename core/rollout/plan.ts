import type { Metric } from '../statistics/guardrail.ts'

/** What a rollout is to do: the manifest's `rollout`, read. Times in ms, weights in percent. */
export interface Plan {
  /** The canary's name in evidence: the id of the sidecars' target. */
  readonly canary: string
  /** The canary's own weight in the manifest, and the share that it comes to, percent: for when somebody changes it by hand. */
  readonly ownWeight: number
  readonly ownShare: number
  /** Two at least. They rise, and the last, and only that, has weight 100. */
  readonly steps: readonly Step[]
  readonly guardrails: readonly PlannedGuardrail[]
  readonly alpha: number
  readonly maxDuration: number
  readonly cooldown: number
  /** Whether requests are shared out one by one: those of a sticky key all go the same way, so that their numbers tell nothing. */
  readonly oneByOne: boolean
}

export interface PlannedGuardrail {
  readonly metric: Metric
  readonly margin: number
  /** Its part of alpha; all of them sum to 1. */
  readonly share: number
}

export interface Step {
  readonly weight: number
  readonly dwell: number
  readonly samples: number
  readonly manual: boolean
}
