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
  readonly canary: Count
  readonly control: Count
}

/** How much worse a harmful canary may be, above the margin: nobody knows, so that each is bet on. */
const LIFTS = [0.01, 0.03, 0.07, 0.15, 0.35]
/** What the control's share is taken for before there is any: Jeffreys' prior, weighed as one trial. */
const PRIOR = 0.5
const LEAST = 1e-4

/**
 * An e-process against "the canary's share is at most the control's plus a margin": two streams of yes and no, in batches of any sizes
 * (Turner, Ly and Grünwald, Generic E-variables for exact sequential k-sample tests that allow for optional stopping, JSPI 230, 2024). Each
 * batch is bet on with what was known before it, so that `evidence` reaches 1 ÷ α with chance at most α while the canary is harmless,
 * however often it is looked at, whatever part of the traffic it has. The alternatives are mixed.
 */
export class Proportions {
  private readonly margin: number
  private logs: number[]
  private canary: Count
  private control: Count

  /** `margin`: of the share, 0…1. */
  constructor(margin: number, state?: ProportionsState) {
    this.margin = margin
    this.logs = [...(state?.logs ?? LIFTS.map(() => 0))]
    this.canary = state?.canary ?? NO_COUNT
    this.control = state?.control ?? NO_COUNT
  }

  get state(): ProportionsState {
    return { logs: this.logs, canary: this.canary, control: this.control }
  }

  /** Takes the outcomes since the last time. A batch of one arm alone says nothing of a difference, and waits for the other. */
  update({ canary, control }: Pair): void {
    const base = (this.control.hits + PRIOR * 0.04) / (this.control.n + PRIOR)
    if (canary.n > 0 && control.n > 0)
      this.logs = this.logs.map((log, at) => {
        const share = clamp(base)
        const worse = clamp(share + this.margin + (LIFTS[at] ?? 0))
        const [nearest, nearestWorse] = projection(worse, canary.n, share, control.n, this.margin)
        return (
          log +
          likelihood(canary, worse) -
          likelihood(canary, nearestWorse) +
          likelihood(control, share) -
          likelihood(control, nearest)
        )
      })
    this.canary = plus(this.canary, canary)
    this.control = plus(this.control, control)
  }

  /** 1 says nothing, 1 ÷ α is the evidence that a test at level α asks for. */
  get evidence(): number {
    return this.logs.reduce((sum, log) => sum + Math.exp(log), 0) / this.logs.length
  }
}

/**
 * The harmless pair that is nearest to an alternative, by the divergence of a batch: the reverse information projection onto the boundary,
 * where the canary's share is the control's plus the margin. The divergence is convex in the control's share.
 */
function projection(worse: number, n: number, share: number, m: number, margin: number): readonly [number, number] {
  if (margin === 0) {
    const pooled = (n * worse + m * share) / (n + m)
    return [pooled, pooled]
  }
  const at = (control: number) => m * divergence(share, control) + n * divergence(worse, control + margin)
  let [low, high] = [LEAST, Math.max(LEAST, Math.min(1 - LEAST, worse) - margin)]
  for (let step = 0; step < 48; step++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3]
    if (at(a) < at(b)) high = b
    else low = a
  }
  const control = (low + high) / 2
  return [control, control + margin]
}

const divergence = (p: number, q: number): number => p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q))
const likelihood = ({ n, hits }: Count, p: number): number => hits * Math.log(p) + (n - hits) * Math.log(1 - p)
const clamp = (p: number): number => Math.min(1 - LEAST, Math.max(LEAST, p))
const plus = (a: Count, b: Count): Count => ({ n: a.n + b.n, hits: a.hits + b.hits })

/**
 * The canary's share less the control's. Its variance is as if each arm had one hit and one miss more (Agresti and Caffo, Simple and effective
 * confidence intervals for proportions, American Statistician 54, 2000): none of a few is no proof of none.
 */
export function shareDifference(canary: Count, control: Count): Difference {
  const variance = ({ n, hits }: Count): number => ((hits + 1) * (n - hits + 1)) / (n + 2) ** 3
  return { estimate: canary.hits / canary.n - control.hits / control.n, variance: variance(canary) + variance(control) }
}
