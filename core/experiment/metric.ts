import type { Tally } from '../evidence/tally.ts'
import type { Metric } from '../statistics/guardrail.ts'
import { varianceOf } from '../statistics/sums.ts'
import type { Sums } from '../statistics/sums.ts'

export type Direction = 'Decrease' | 'Increase'

/** What is measured of requests: a mean of values, of which clusters keep count and sum. */
export interface Measure {
  /** Whether differences are told as a part of the control's mean, and not in units of their own. */
  readonly relative: boolean
  /** Which way is better, where nobody says otherwise. */
  readonly better: Direction
  /** The least difference that counts, where nobody says otherwise. */
  readonly minimumEffect: number
  readonly of: (tally: Tally) => Values
  /** A variance of the mean that few values alike, as they are early, do not fall below. */
  readonly least: (values: Values) => number
}

export interface Values {
  readonly n: number
  readonly sum: number
}

/**
 * As if each arm had one hit and one miss more (Agresti and Caffo, Simple and effective confidence intervals for proportions, American
 * Statistician 54, 2000): none of a few is no proof of none.
 */
const leastOfShare = ({ n, sum }: Values): number => ((sum + 1) * (n - sum + 1)) / (n + 2) ** 3
/** The same of values from 0 to 1: as if all of those were 0 or equal, which is the least that they may differ. */
const leastOfMark = ({ n, sum }: Values): number =>
  varianceOf({ n: n + 2, sum: sum + 1, squares: (sum * sum) / Math.max(1, n) + 1 }) / n
/** Durations and costs that hardly differ are taken to differ by this part of their mean. */
const EVEN = 0.02
const leastOfAmount = ({ n, sum }: Values): number => (EVEN * (sum / n)) ** 2 / n

const share = (minimumEffect: number, hits: (tally: Tally) => number): Measure => ({
  relative: false,
  better: 'Decrease',
  minimumEffect,
  of: (tally) => ({ n: tally.n, sum: hits(tally) }),
  least: leastOfShare,
})
const amount = (minimumEffect: number, of: (tally: Tally) => Values): Measure => ({
  relative: true,
  better: 'Decrease',
  minimumEffect,
  of,
  least: leastOfAmount,
})

/** What can be compared. Shares and quality differ by points of 0…1, the others by a part of the control's mean. */
export const MEASURES: Readonly<Record<Metric, Measure>> = {
  ErrorRate: share(0.01, ({ errors }) => errors),
  Truncations: share(0.01, ({ truncations }) => truncations),
  Refusals: share(0.01, ({ refusals }) => refusals),
  Escalations: share(0.02, ({ escalations }) => escalations),
  Latency: amount(0.1, ({ latency: { count, sum } }) => ({ n: count, sum })),
  FirstToken: amount(0.1, ({ firstToken: { count, sum } }) => ({ n: count, sum })),
  Cost: amount(0.05, ({ cost }) => cost),
  Quality: {
    relative: false,
    better: 'Increase',
    minimumEffect: 0.02,
    of: ({ quality }) => quality,
    least: leastOfMark,
  },
}

/** What is known of a request before anybody is asked. */
export const sizeOf = ({ size }: Tally): Sums => size
