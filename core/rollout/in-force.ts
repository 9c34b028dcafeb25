import { gathers } from './evidence.ts'
import { versionOf } from './state.ts'
import type { State } from './state.ts'

/** What of a rollout sidecars are to do. */
export interface InForce {
  readonly rule: string
  /** The plan's, so that what was decided of one canary is not taken for another. */
  readonly canary: string
  readonly version: string
  /** The canary's share, percent; undefined: the weights of the manifest as they are. */
  readonly weight: number | undefined
  /** Whether what becomes of requests is evidence. */
  readonly gathers: boolean
}

export const inForce = (rule: string, state: State): InForce => ({
  rule,
  canary: state.canary,
  version: versionOf(state),
  weight: state.reason === 'WeightSetByHand' ? undefined : state.weight,
  gathers: gathers(state),
})
