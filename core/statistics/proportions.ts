import type { Difference } from './means.ts'

/** How often something happened in so many trials. */
export interface Count {
  readonly n: number
  readonly hits: number
}

export const NO_COUNT: Count = { n: 0, hits: 0 }

/** One batch of both arms, observed at the same time. */
export interface Pair {
  readonly canary: Count
  readonly control: Count
}

/** All that the next batch needs, as JSON. */
export interface ProportionsState {
  /** Logarithms of the e-values, one for each alternative. */
  readonly logs: readonly number[]
  /** What the arms were like lately. */
  readonly canary: Count
  readonly control: Count
}

/**
 * How much worse a harmful canary may be, above the margin, and the part of the stake that is on it. Nobody knows, so that each is bet on;
 * most on a few points more, where a bet too small costs most requests: what is far worse shows at once whatever is on it.
 */
const LIFTS = [0.01, 0.03, 0.07, 0.15, 0.35]
const STAKES = [0.1, 0.4, 0.2, 0.07, 0.03]
/** The part of the stake that goes on what the canary was like lately, and so bets on nothing while it is harmless. */
const LATELY = 0.2
/** After so many samples of an arm, what was before counts half: a canary may go bad late, a control's provider at any time. */
const HALF = { canary: 150, control: 1500 }
/** What the control's share is taken for before there is any, weighed as half a trial. */
const PRIOR = { n: 0.5, hits: 0.02 }
const LEAST = 1e-4

/**
 * An e-process against "the canary's share is at most the control's plus a margin": two streams of yes and no, in batches of any sizes
 * (Turner, Ly and Grünwald, Generic E-variables for exact sequential k-sample tests that allow for optional stopping, JSPI 230, 2024). Each
 * batch is bet on with what was known before it, so that `evidence` reaches 1 ÷ α with chance at most α while the canary is harmless,
 * however often it is looked at, whatever part of the traffic it has. The alternatives are mixed: some fixed, which find a canary that is
 * harmful from the first, and one that follows what it is like, which finds it when it becomes so late.
 */
export class Proportions {
  private readonly margin: number
  private logs: number[]
  private canary: Count
  private control: Count

  /** `margin`: of the share, 0…1. */
  constructor(margin: number, state?: ProportionsState) {
    this.margin = margin
    this.logs = [...(state?.logs ?? [...STAKES, LATELY].map(() => 0))]
    this.canary = state?.canary ?? PRIOR
    this.control = state?.control ?? PRIOR
  }

  get state(): ProportionsState {
    return { logs: this.logs, canary: this.canary, control: this.control }
  }

  /** Takes the outcomes since the last time. A batch of one arm alone says nothing of a difference. */
  update({ canary, control }: Pair): void {
    if (canary.n > 0 && control.n > 0) {
      const share = clamp(this.control.hits / this.control.n)
      const lifts = [...LIFTS, this.canary.hits / this.canary.n - share - this.margin]
      this.logs = this.logs.map((log, at) => log + this.gain({ canary, control }, share, lifts[at] ?? 0))
    }
    this.canary = lately(this.canary, canary, HALF.canary)
    this.control = lately(this.control, control, HALF.control)
  }

  /** 1 says nothing, 1 ÷ α is the evidence that a test at level α asks for. */
  get evidence(): number {
    return this.logs.reduce((sum, log, at) => sum + (STAKES[at] ?? LATELY) * Math.exp(Math.min(log, 700)), 0)
  }

  /** The logarithm of what a batch multiplies the stake by that is on a canary so much worse than the margin. */
  private gain({ canary, control }: Pair, share: number, lift: number): number {
    const bet = betOn(share, this.margin, lift, canary.n, control.n)
    if (!bet) return 0
    const { worse, nearest } = bet
    return (
      likelihood(canary, worse) -
      likelihood(canary, nearest + this.margin) +
      likelihood(control, share) -
      likelihood(control, nearest)
    )
  }
}

/** An alternative, and the control's share in the harmless pair that is nearest to it; undefined where it is none. */
function betOn(share: number, margin: number, lift: number, n: number, m: number) {
  const worse = clamp(share + margin + lift)
  return lift <= 0 || worse <= share + margin ? undefined : { worse, nearest: projection(worse, n, share, m, margin) }
}

/** What the logarithm of a stake grows by with each request of the canary, and the variance of that. */
export interface Growth {
  /** The part of all that is staked so. */
  readonly stake: number
  readonly mean: number
  readonly variance: number
}

/** How each of the fixed alternatives fares where the shares are these, with `ratio` requests of the control to one of the canary. */
export function growths(canary: number, control: number, margin: number, ratio: number): readonly Growth[] {
  const share = clamp(control)
  return LIFTS.flatMap((lift, at) => {
    const bet = betOn(share, margin, lift, 1, ratio)
    if (!bet) return []
    const [own, others] = [outcome(canary, bet.worse, bet.nearest + margin), outcome(control, share, bet.nearest)]
    const [mean, variance] = [own.mean + ratio * others.mean, own.variance + ratio * others.variance]
    return [{ stake: STAKES[at] ?? 0, mean, variance }]
  })
}

/** Of the logarithm of the likelihood ratio of p and q, where p is `share`. */
function outcome(share: number, p: number, q: number): { mean: number; variance: number } {
  const [hit, miss] = [Math.log(p / q), Math.log((1 - p) / (1 - q))]
  return { mean: share * hit + (1 - share) * miss, variance: share * (1 - share) * (hit - miss) ** 2 }
}

/** Counts with a batch more, what was before fading. */
function lately(before: Count, batch: Count, half: number): Count {
  const kept = 0.5 ** (batch.n / half)
  return { n: kept * before.n + batch.n, hits: kept * before.hits + batch.hits }
}

/**
 * The harmless pair that is nearest to an alternative, by the divergence of a batch: the reverse information projection onto the boundary,
 * where the canary's share is the control's plus the margin; the control's. The divergence is convex in it.
 */
function projection(worse: number, n: number, share: number, m: number, margin: number): number {
  if (margin === 0) return (n * worse + m * share) / (n + m)
  const at = (control: number) => m * divergence(share, control) + n * divergence(worse, control + margin)
  let [low, high] = [LEAST, Math.max(LEAST, Math.min(1 - LEAST, worse) - margin)]
  for (let step = 0; step < 30; step++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3]
    if (at(a) < at(b)) high = b
    else low = a
  }
  return (low + high) / 2
}

const divergence = (p: number, q: number): number => p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q))
const likelihood = ({ n, hits }: Count, p: number): number => hits * Math.log(p) + (n - hits) * Math.log(1 - p)
const clamp = (p: number): number => Math.min(1 - LEAST, Math.max(LEAST, p))

/**
 * The canary's share less the control's. Its variance is as if each arm had one hit and one miss more (Agresti and Caffo, Simple and effective
 * confidence intervals for proportions, American Statistician 54, 2000): none of a few is no proof of none.
 */
export function shareDifference(canary: Count, control: Count): Difference {
  const variance = ({ n, hits }: Count): number => ((hits + 1) * (n - hits + 1)) / (n + 2) ** 3
  return { estimate: canary.hits / canary.n - control.hits / control.n, variance: variance(canary) + variance(control) }
}
