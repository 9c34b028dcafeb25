import type { Way } from './splice.ts'
import type { Transcript } from './transcript.ts'

/** An answer that stopped and is to be gone on with: what the caller has of it. */
export interface Resume {
  readonly said: Transcript
  /** How the target that is being asked now was asked; set by each call. */
  way: Way
}
