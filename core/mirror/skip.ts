/**
 * Why a request that was drawn is not mirrored: as many are under way as may be; the candidate is not to be asked now (it cools, its breaker or its
 * health checks keep it out, its rate limit is nearly used up, it is as busy as it may be, or the mirror itself has met failures in a row); the budget; it
 * has no price; what it costs at most is not known; the request does something, or rests on something, that cannot be repeated; it is none of the
 * operations that are mirrored; the candidate's API cannot say it; it takes the caller's own key; it has given the answer itself; the caller left, or its request was at fault; the body is
 * too large; it made room for a caller's call; the sidecar is stopping.
 */
export const SKIPS = [
  'busy',
  'unavailable',
  'unaffordable',
  'unpriced',
  'unbounded',
  'stateful',
  'operation',
  'unsupported',
  'passthrough',
  'same',
  'left',
  'refused',
  'too_large',
  'displaced',
  'stopping',
] as const
export type Skip = (typeof SKIPS)[number]

/** Ends what was to become a mirrored call, before it has gone out. */
export class Skipped extends Error {
  override readonly name = 'Skipped'
  readonly reason: Skip

  constructor(reason: Skip) {
    super(reason)
    this.reason = reason
  }
}
