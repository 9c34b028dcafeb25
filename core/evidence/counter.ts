import { NO_SUMS } from '../statistics/sums.ts'
import type { Sums } from '../statistics/sums.ts'
import { Sketch } from './sketch.ts'
import type { Tally } from './tally.ts'

/** What became of one exchange. */
export interface Sample {
  readonly error?: boolean
  readonly truncated?: boolean
  readonly refused?: boolean
  readonly escalated?: boolean
  /** USD; undefined: not known. */
  readonly cost?: number | undefined
  /** ms; undefined: the arm's target did not answer. */
  readonly latency?: number | undefined
  readonly firstToken?: number | undefined
  /** Of the request, KiB: what is known of it before anybody is asked. */
  readonly size?: number | undefined
}

/** A tally that grows with each exchange. */
export class Counter implements Tally {
  n = 0
  errors = 0
  truncations = 0
  refusals = 0
  escalations = 0
  cost: Sums = NO_SUMS
  quality: Sums = NO_SUMS
  size: Sums = NO_SUMS
  readonly latency = new Sketch()
  readonly firstToken = new Sketch()

  /** One more exchange. */
  add({ error, truncated, refused, escalated, cost, latency, firstToken, size }: Sample): void {
    this.n++
    if (error) this.errors++
    if (truncated) this.truncations++
    if (refused) this.refusals++
    if (escalated) this.escalations++
    if (cost !== undefined) this.cost = moved(this.cost, 1, sumsOf(cost))
    if (latency !== undefined) this.latency.add(latency)
    if (firstToken !== undefined) this.firstToken.add(firstToken)
    if (size !== undefined) this.size = moved(this.size, 1, sumsOf(size))
  }

  /** How good the answer of one of its exchanges was, 0…1. `instead`: what was said of it before, which no longer counts. */
  rate(quality: number, instead?: number): void {
    this.quality = moved(this.quality, 1, sumsOf(quality))
    if (instead !== undefined) this.quality = moved(this.quality, -1, sumsOf(instead))
  }

  /** All that another has counted, besides; or, where `times` is -1, no longer what this one has told before. */
  take(tally: Tally, times: 1 | -1 = 1): void {
    this.n += times * tally.n
    this.errors += times * tally.errors
    this.truncations += times * tally.truncations
    this.refusals += times * tally.refusals
    this.escalations += times * tally.escalations
    this.cost = moved(this.cost, times, tally.cost)
    this.quality = moved(this.quality, times, tally.quality)
    this.size = moved(this.size, times, tally.size)
    this.latency.take(tally.latency, times)
    this.firstToken.take(tally.firstToken, times)
  }
}

const sumsOf = (value: number): Sums => ({ n: 1, sum: value, squares: value * value })

const moved = (a: Sums, times: 1 | -1, b: Sums): Sums => ({
  n: a.n + times * b.n,
  sum: a.sum + times * b.sum,
  squares: a.squares + times * b.squares,
})
