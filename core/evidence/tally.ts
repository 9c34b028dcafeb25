import { added, NO_SUMS } from '../statistics/sums.ts'
import type { Sums } from '../statistics/sums.ts'
import { Sketch } from './sketch.ts'
import type { Sketched } from './sketch.ts'

/** What became of the exchanges of one arm. All of it are sums: those of several places add up, in any order. */
export interface Tally {
  /** Exchanges for which the arm's target was chosen first at random. */
  readonly n: number
  /** In which the chosen target's last attempt failed, and not by the caller's fault; whatever fallback then did. */
  readonly errors: number
  /** Whose answer stopped after its first byte. */
  readonly truncations: number
  /** Whose answer ended with a refusal, or by a filter. */
  readonly refusals: number
  /** That a gate escalated. */
  readonly escalations: number
  /** Of the whole exchange, USD, where it is known. */
  readonly cost: Sums
  /** 0…1, from feedback, gate or judge; fewer than `n`, and later. */
  readonly quality: Sums
  /** Of the request, KiB, where that is asked for: it explains some of the cost and the time, and no arm has changed it. */
  readonly size: Sums
  /** As the caller saw it, ms, where the chosen target answered. */
  readonly latency: Sketched
  /** The same, to the first token. */
  readonly firstToken: Sketched
}

export const NO_TALLY: Tally = {
  n: 0,
  errors: 0,
  truncations: 0,
  refusals: 0,
  escalations: 0,
  cost: NO_SUMS,
  quality: NO_SUMS,
  size: NO_SUMS,
  latency: new Sketch(),
  firstToken: new Sketch(),
}

/** The tally of the exchanges of both. */
export const plus = (a: Tally, b: Tally): Tally => ({
  n: a.n + b.n,
  errors: a.errors + b.errors,
  truncations: a.truncations + b.truncations,
  refusals: a.refusals + b.refusals,
  escalations: a.escalations + b.escalations,
  cost: added(a.cost, b.cost),
  quality: added(a.quality, b.quality),
  size: added(a.size, b.size),
  latency: a.latency.plus(b.latency),
  firstToken: a.firstToken.plus(b.firstToken),
})
