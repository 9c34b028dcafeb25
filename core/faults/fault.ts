import type { Asked } from '../match/match.ts'

/**
 * What is done to a call of a target on purpose. Delay: its answer comes later; Abort: it answers with an error at once, and is not called;
 * Cut: the connection dies in the middle of its answer's body; Stall: nothing more comes of that, and the connection stays.
 */
export const FAULT_TYPES = ['Delay', 'Abort', 'Cut', 'Stall'] as const
export type FaultType = (typeof FAULT_TYPES)[number]

/** A fault is injected in the last 24 hours before its end only, ms: no typing error of a year makes an outage of a year. */
export const LONGEST = 86_400_000

interface Common {
  /** In words, as `describeFault` has them. */
  readonly said: string
  /** How many of a hundred requests. */
  readonly percent: number
  /** What it is for, by `namespace/name` of the endpoint; undefined: all that the rule asks. */
  readonly targets: readonly { readonly endpoint: string; readonly model?: string | undefined }[] | undefined
  /** The requests that it is for; undefined: all. */
  readonly test: ((asked: Asked) => boolean) | undefined
  /** ms since the epoch: from then on nothing is injected, whoever can be reached. */
  readonly until: number
}

/** One fault of a rule; `delay` in ms. */
export type Fault = Common &
  (
    | { readonly type: 'Delay'; readonly delay: number }
    | { readonly type: 'Abort'; readonly status: number }
    | { readonly type: 'Cut' | 'Stall'; readonly afterBytes: number }
  )

/** Whether something is injected at a time, ms since the epoch. */
export function inForce({ until }: { readonly until: number }, wall: number): boolean {
  return wall < until && until - wall <= LONGEST
}
