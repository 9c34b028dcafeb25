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
  /** USD; absent: not known. */
  readonly cost?: number | undefined
  /** ms; absent: the chosen target did not answer. */
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
    if (cost !== undefined) this.cost = withValue(this.cost, cost)
    if (latency !== undefined) this.latency.add(latency)
    if (firstToken !== undefined) this.firstToken.add(firstToken)
    if (size !== undefined) this.size = withValue(this.size, size)
  }

  /** How good the answer of one of its exchanges was, 0…1. `instead`: what was said of it before, which no longer counts. */
  rate(quality: number, instead?: number): void {
    const { n, sum, squares } = this.quality
    this.quality =
      instead === undefined
        ? withValue(this.quality, quality)
        : { n, sum: sum + quality - instead, squares: squares + quality * quality - instead * instead }
  }
}

const withValue = ({ n, sum, squares }: Sums, value: number): Sums => ({
  n: n + 1,
  sum: sum + value,
  squares: squares + value * value,
})
