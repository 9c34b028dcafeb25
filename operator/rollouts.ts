import type { RolloutStatus } from '../api/rollout.ts'
import type { Verb } from '../core/rollout/state.ts'

/** A rollout as it is at the moment. */
export interface RolloutView extends Omit<RolloutStatus, 'memory'> {
  /** `namespace/name`. */
  readonly route: string
}

/** What may be done with rollouts, and seen of them. */
export interface RolloutsApi {
  /**
   * Does what somebody asks for, and resolves when it is written down. `route`: `namespace/name`; `by`: who asks. Throws a `RolloutError`
   * where there is no such rollout, its phase does not allow it, or this replica does not lead.
   */
  act(route: string, rule: string, verb: Verb, by: string): Promise<void>
  /** Every rollout as it is at the moment; on a follower as the leader has written it down. */
  views(): readonly RolloutView[]
  /** Calls the listener after each change of what `views` gives, and no more once what it returns is called. */
  onChange(listener: () => void): () => void
}

/** Why something could not be done with a rollout; the message is a full sentence. */
export class RolloutError extends Error {
  readonly code: 'not_found' | 'not_now' | 'not_leading' | 'not_written'
  constructor(code: RolloutError['code'], message: string) {
    super(message)
    this.code = code
  }
}
