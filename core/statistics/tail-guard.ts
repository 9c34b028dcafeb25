import { ACCURACY, LAST } from '../evidence/sketch.ts'
import type { Sketched } from '../evidence/sketch.ts'
import type { Tally } from '../evidence/tally.ts'
import type { Arms, Estimates, Guard } from './guardrail.ts'
import { sequenceWidth } from './means.ts'
import { NO_COUNT, Proportions, shareDifference } from './proportions.ts'
import type { Count, ProportionsState } from './proportions.ts'
import { less } from './share-guard.ts'

export interface TailState {
  readonly kind: 'tail'
  /** Above which stable's requests are slow, ms; of what was known before the next. */
  readonly threshold?: number | undefined
  /** Of the step: what was bet on, and what of it is above the threshold. */
  readonly taken: Arms<Count>
  readonly bets: ProportionsState
}

const NONE: Arms<Count> = { canary: NO_COUNT, stable: NO_COUNT }
export const QUANTILE = 0.95
/** Fewer values than this have no 95th percentile to speak of. */
export const FEWEST = 40
/** And fewer than this give no bounds: hardly one of them is above it. */
const FEWEST_FOR_BOUNDS = 100
/** Differences of about this many points of the share above the percentile are found soonest by the bounds. */
export const SCALE = 0.03

/**
 * Watches the 95th percentile of a duration. What is slow is said by stable's requests so far, before those that are bet on: its 95th
 * percentile, and for the canary that times 1 + margin. A canary is harmless whose share of slow requests is no larger than stable's:
 * whatever the distribution, and whatever it does in time to both. A bet is fair only where its threshold is known before it is made.
 */
export class TailGuard implements Guard {
  private readonly sketch: (tally: Tally) => Sketched
  private readonly margin: number
  private readonly bets: Proportions
  private threshold: number | undefined
  private taken: Arms<Count>
  /** What the step has come to: only estimates are made of it, so that it is not remembered. */
  private seen: Arms<Sketched> | undefined

  constructor(sketch: (tally: Tally) => Sketched, margin: number, state?: TailState) {
    this.sketch = sketch
    this.margin = margin
    this.bets = new Proportions(0, state?.bets)
    this.threshold = state?.threshold
    this.taken = state?.taken ?? NONE
  }

  get state(): TailState {
    return { kind: 'tail', threshold: this.threshold, taken: this.taken, bets: this.bets.state }
  }

  get evidence(): number {
    return this.bets.evidence
  }

  update(totals: Arms<Tally>): boolean {
    const seen = { canary: this.sketch(totals.canary), stable: this.sketch(totals.stable) }
    const now = this.countsOf(seen)
    const more = { canary: less(now.canary, this.taken.canary), stable: less(now.stable, this.taken.stable) }
    if (!more.canary || !more.stable) return false
    this.seen = seen
    if (this.threshold === undefined) {
      // What came before there was a threshold says where it is, and is not bet on.
      if (seen.stable.count >= FEWEST) this.learn(seen)
    } else if (more.canary.n > 0 && more.stable.n > 0) {
      this.bets.update({ canary: more.canary, control: more.stable })
      this.learn(seen)
    }
    return true
  }

  step(): void {
    this.threshold = undefined
    this.taken = NONE
    this.seen = undefined
  }

  estimates(alpha: number): Estimates {
    if (!this.seen) return { n: { canary: this.taken.canary.n, stable: this.taken.stable.n } }
    const { canary, stable } = this.seen
    const n = { canary: canary.count, stable: stable.count }
    if (canary.count === 0 || stable.count === 0) return { n }
    const quantiles = { canary: canary.quantile(QUANTILE), stable: stable.quantile(QUANTILE) }
    if (canary.count < FEWEST_FOR_BOUNDS || stable.count < FEWEST_FOR_BOUNDS) return { n, ...quantiles }
    const [lower, upper] = relative(canary, stable, alpha)
    return { n, ...quantiles, lower, upper }
  }

  private learn(seen: Arms<Sketched>): void {
    this.threshold = seen.stable.quantile(QUANTILE)
    this.taken = this.countsOf(seen)
  }

  private countsOf({ canary, stable }: Arms<Sketched>): Arms<Count> {
    const at = this.threshold
    return {
      canary: { n: canary.count, hits: at === undefined ? 0 : canary.above(beyond(at, this.margin)) },
      stable: { n: stable.count, hits: at === undefined ? 0 : stable.above(at) },
    }
  }
}

/** So much more than the bound that a sketch counts from at `threshold`: the canary's own bound is never less. */
const beyond = (threshold: number, margin: number): number => (threshold / (1 - ACCURACY)) * (1 + margin) * (1 - 1e-9)

/**
 * Bounds of how much the canary's 95th percentile is more than stable's, relative to that: the factors for which the canary's share above
 * stable's percentile times the factor is not told from 5 %, with what stable's own share is uncertain by (Woodruff, Confidence intervals
 * for medians and other position measures, JASA 47, 1952; by the sequence of a difference of shares). A bound that nothing speaks for yet is absent.
 */
function relative(
  canary: Sketched,
  stable: Sketched,
  alpha: number,
): readonly [number | undefined, number | undefined] {
  const above = survival(canary.buckets())
  // By the name of the percentile, and not by what is above it: where many values are equal that is less.
  const slow = { n: stable.count, hits: (1 - QUANTILE) * stable.count }
  const at = positionOf(stable.buckets(), slow.hits)
  const side = (margin: number): number => {
    const hits = above(at + Math.log1p(margin) / WIDTH)
    const known = shareDifference({ n: canary.count, hits }, slow)
    const width = sequenceWidth(known.variance, alpha, SCALE)
    return known.estimate > width ? 1 : known.estimate < -width ? -1 : 0
  }
  const [least, most] = [-0.99, 99]
  return [
    side(least) === 1 ? crossing(least, most, (margin) => side(margin) === 1) : undefined,
    side(most) === -1 ? crossing(least, most, (margin) => side(margin) !== -1) : undefined,
  ]
}

type Buckets = ReturnType<Sketched['buckets']>
/** Of a bucket, in the logarithm of values. */
const WIDTH = Math.log((1 + ACCURACY) / (1 - ACCURACY))

/** How many values are above a position: bucket 7 is from 6 to 7. Those of one bucket are taken to lie evenly in it. */
function survival(buckets: Buckets): (position: number) => number {
  const from = new Float64Array(LAST + 3)
  for (const [bucket, count] of buckets) from[bucket + 1] = count
  for (let at = LAST; at >= 0; at--) from[at] = (from[at] ?? 0) + (from[at + 1] ?? 0)
  // Now those at `at` and above are of buckets `at - 1` and above.
  return (position) => {
    const end = Math.min(LAST + 1, Math.max(0, position + 1))
    const bucket = Math.ceil(end)
    const above = from[bucket + 1] ?? 0
    return above + (bucket - end) * ((from[bucket] ?? 0) - above)
  }
}

/** The position that so many values are above. */
function positionOf(buckets: Buckets, hits: number): number {
  let left = hits
  for (const [bucket, count] of buckets.toReversed()) {
    if (count >= left) return bucket - left / count
    left -= count
  }
  return 0
}

/** Where, from one on that it holds for to one that it does not, it ends to. */
function crossing(from: number, to: number, holds: (margin: number) => boolean): number {
  let [low, high] = [Math.log1p(from), Math.log1p(to)]
  for (let step = 0; step < 18; step++) {
    const middle = (low + high) / 2
    if (holds(Math.expm1(middle))) low = middle
    else high = middle
  }
  return Math.expm1(high)
}
