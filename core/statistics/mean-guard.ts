import type { Tally } from '../evidence/tally.ts'
import type { Arms, Estimates, Guard } from './guardrail.ts'
import { meansEvidence, scaleOf, sequenceWidth } from './means.ts'
import type { Difference } from './means.ts'
import { meanOf, NO_SUMS, varianceOf } from './sums.ts'
import type { Sums } from './sums.ts'

export interface MeanState {
  readonly kind: 'mean'
  /** What the steps before came to, the oldest first. */
  readonly past: readonly Strata[]
  /** What this step has come to. */
  readonly now: Arms<Sums>
}

/** Sums over steps, or of one, of the means of each arm and their variances, each step with the weight of what it tells of a difference. */
interface Strata {
  readonly weight: number
  readonly means: Arms<number>
  readonly variances: Arms<number>
}

const NONE: Arms<Sums> = { canary: NO_SUMS, stable: NO_SUMS }
const NOTHING: Strata = { weight: 0, means: { canary: 0, stable: 0 }, variances: { canary: 0, stable: 0 } }
/** Fewer values of an arm than this say nothing of their variance. */
const FEWEST = 50
/** And fewer than this give no bounds: where values are skewed, as costs are, few that are all small look alike and much too sure. */
export const FEWEST_FOR_BOUNDS = { cost: 400, quality: 100 }
/** Harm of about so much is found soonest: of stable's mean cost, and in points of quality. */
export const SCALES = { cost: 0.25, quality: 0.05 }
/** Costs that hardly differ are taken to differ by this part of their mean: a few alike are no proof that all are. */
const EVEN = 0.02
/** So many steps have a stake of their own, and so much of all is the first one's. */
const STARTS = 8
export const FIRST = 0.5

/** Watches a mean: of cost, relative to stable's, or of quality, downwards. */
export class MeanGuard implements Guard {
  private readonly of: 'cost' | 'quality'
  private readonly margin: number
  private past: readonly Strata[]
  private now: Arms<Sums>

  constructor(of: 'cost' | 'quality', margin: number, state?: MeanState) {
    this.of = of
    this.margin = margin
    this.past = state?.past ?? []
    this.now = state?.now ?? NONE
  }

  get state(): MeanState {
    return { kind: 'mean', past: this.past, now: this.now }
  }

  /**
   * The mixture sequential probability ratio test over steps, a function of all values so far. A part of the stake waits for each step and is bet
   * on that and those after it alone, so that a canary which goes bad late is not acquitted by its past (a mixture over the time of the change, as
   * in Shin, Ramdas and Rinaldo, E-detectors, New England Journal of Statistics in Data Science 2, 2024).
   */
  get evidence(): number {
    let since = this.stratum(this.now)
    let evidence = 1
    for (let step = this.past.length; step >= 0; step--) {
      if (step < this.past.length) since = joined(since, this.past[step] ?? NOTHING)
      if (since.weight > 0) evidence += (step === 0 ? FIRST : (1 - FIRST) / (STARTS - 1)) * (this.test(since) - 1)
    }
    return evidence
  }

  private test(strata: Strata): number {
    if (this.of === 'quality') {
      const { estimate, variance } = contrast(strata, 1)
      return meansEvidence({ estimate: -estimate, variance }, this.margin, SCALES.quality)
    }
    return meansEvidence(contrast(strata, 1 + this.margin), 0, (SCALES.cost * strata.means.stable) / strata.weight)
  }

  update({ canary, stable }: Arms<Tally>): boolean {
    const totals = { canary: canary[this.of], stable: stable[this.of] }
    if (totals.canary.n < this.now.canary.n || totals.stable.n < this.now.stable.n) return false
    this.now = totals
    return true
  }

  step(): void {
    const now = this.stratum(this.now)
    const last = this.past.at(-1)
    // A step with too few values is none. Where all stakes are out, what follows is bet on by the last of them.
    if (now.weight > 0)
      this.past =
        last && this.past.length === STARTS ? [...this.past.slice(0, -1), joined(last, now)] : [...this.past, now]
    this.now = NONE
  }

  estimates(alpha: number): Estimates {
    const { canary, stable } = this.now
    const n = { canary: canary.n, stable: stable.n }
    const step = this.stratum(this.now)
    if (step.weight === 0) return { n }
    const means = { canary: meanOf(canary), stable: meanOf(stable) }
    const few = FEWEST_FOR_BOUNDS[this.of]
    if (canary.n < few || stable.n < few) return { n, ...means }
    if (this.of === 'cost') return { n, ...means, ...ratio(step, means, alpha, scaleOf(this.margin)) }
    const { estimate, variance } = contrast(step, 1)
    const width = sequenceWidth(variance, alpha, scaleOf(this.margin))
    return { n, ...means, lower: estimate - width, upper: estimate + width }
  }

  /** One step: weighed by how well it tells of a difference, which is a matter of counts alone. */
  private stratum({ canary, stable }: Arms<Sums>): Strata {
    if (canary.n < FEWEST || stable.n < FEWEST) return NOTHING
    const weight = (canary.n * stable.n) / (canary.n + stable.n)
    return {
      weight,
      means: { canary: weight * meanOf(canary), stable: weight * meanOf(stable) },
      variances: {
        canary: (weight ** 2 * this.variance(canary)) / canary.n,
        stable: (weight ** 2 * this.variance(stable)) / stable.n,
      },
    }
  }

  /** Of a value; as if it were known a little beforehand: of quality, by one value of 0 and one of 1 (Agresti and Caffo, 2000). */
  private variance(sums: Sums): number {
    if (this.of === 'cost') return Math.max(varianceOf(sums), (EVEN * meanOf(sums)) ** 2, Number.MIN_VALUE)
    return varianceOf({ n: sums.n + 2, sum: sums.sum + 1, squares: sums.squares + 1 })
  }
}

const joined = (a: Strata, b: Strata): Strata => ({
  weight: a.weight + b.weight,
  means: { canary: a.means.canary + b.means.canary, stable: a.means.stable + b.means.stable },
  variances: { canary: a.variances.canary + b.variances.canary, stable: a.variances.stable + b.variances.stable },
})

/** The canary's mean less `factor` times stable's. */
function contrast({ weight, means, variances }: Strata, factor: number): Difference {
  return {
    estimate: (means.canary - factor * means.stable) / weight,
    variance: (variances.canary + factor ** 2 * variances.stable) / weight ** 2,
  }
}

/** Bounds of the relative difference: the factors whose contrast the sequence does not tell from 0 (Fieller, 1954). */
function ratio(step: Strata, means: Arms<number>, alpha: number, scale: number): { lower?: number; upper?: number } {
  if (!(means.stable > 0) || !(means.canary >= 0)) return {}
  const inside = (factor: number): boolean => {
    const { estimate, variance } = contrast(step, factor)
    return Math.abs(estimate) <= sequenceWidth(variance, alpha, scale * means.stable * Math.max(1, factor))
  }
  const middle = means.canary / means.stable
  const upper = inside(MOST) ? undefined : edge(middle, MOST, inside)
  return { lower: (inside(0) ? 0 : edge(middle, 0, inside)) - 1, ...(upper === undefined ? {} : { upper: upper - 1 }) }
}

/** A canary that may cost more than this many times as much has no upper bound yet. */
const MOST = 100

function edge(from: number, to: number, inside: (factor: number) => boolean): number {
  let [near, far] = [from, to]
  for (let step = 0; step < 50; step++) {
    const middle = (near + far) / 2
    if (inside(middle)) near = middle
    else far = middle
  }
  return far
}
