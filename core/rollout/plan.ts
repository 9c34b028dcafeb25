/** What guardrails compare. */
export const METRICS = [
  'ErrorRate',
  'Truncations',
  'Refusals',
  'Escalations',
  'Latency',
  'FirstToken',
  'Cost',
  'Quality',
] as const
export type Metric = (typeof METRICS)[number]

/** What a rollout is to do: the manifest's `rollout`, read. Times in ms, weights in percent. */
export interface Plan {
  /** The target's id, `endpoint` or `endpoint/model`, as in facts and evidence. */
  readonly canary: string
  /** The canary's share by the weights of the manifest, percent, for when somebody sets it by hand. */
  readonly byHand: number
  /** They rise, and the last has weight 100. */
  readonly steps: readonly Step[]
  readonly guardrails: readonly {
    readonly metric: Metric
    readonly margin: number
    /** Its own part of alpha. */
    readonly alpha: number
  }[]
  readonly maxDuration: number
  readonly cooldown: number
  /** Whether requests are shared out one by one; those of a sticky key all go the same way, so that their numbers tell nothing. */
  readonly oneByOne: boolean
}

export interface Step {
  readonly weight: number
  readonly dwell: number
  readonly samples: number
  readonly manual: boolean
}
