import type { Tally } from '../evidence/tally.ts'
import type { Metric } from '../statistics/guardrail.ts'
import { meansEvidence, mixtureEvidence, sequenceWidth } from '../statistics/means.ts'
import { sampleRatioEvidence } from '../statistics/sample-ratio.ts'
import { normalOf, studentOf } from '../statistics/student.ts'
import type { Arm } from './assignment.ts'
import { contrast, measured } from './contrast.ts'
import type { Contrast, Measured } from './contrast.ts'
import { MEASURES } from './metric.ts'
import type { Direction, Measure } from './metric.ts'

/** What is compared, and what of it would count. */
export interface MetricPlan {
  readonly metric: Metric
  /** The one that decides; the others only must not be harmed. */
  readonly primary: boolean
  /** Which way is better. */
  readonly direction: Direction
  /** Of shares and quality in points of 0…1, of the others as a part of the control's mean. */
  readonly minimumEffect: number
}

/** What an experiment is to find out. */
export interface Question {
  readonly arms: readonly Arm[]
  /** The name of the arm that the others are compared with. */
  readonly control: string
  readonly metrics: readonly MetricPlan[]
  /** How likely a difference may be seen where there is none, however long and often one looks. */
  readonly alpha: number
  /** Whether each request is a unit of its own: then its size is nothing that an arm has changed. */
  readonly oneByOne: boolean
}

/** The tallies of each arm's clusters. */
export type Evidence = ReadonlyMap<string, readonly Tally[]>

/** How an arm compares with the control in one metric. */
export interface Comparison {
  readonly arm: string
  readonly metric: Metric
  readonly primary: boolean
  /** Values of each. */
  readonly n: { readonly arm: number; readonly control: number }
  /** Means: a share, ms, USD, or a mark of 0…1; absent where there are no values. */
  readonly means: { readonly arm?: number; readonly control?: number }
  /** What is known of the difference; absent while there are too few values, or too few units. */
  readonly known?: Known
}

export interface Known {
  /** Arm less control, in points or as a part of the control's mean. */
  readonly estimate: number
  /** With chance 1 − α, for all arms and at every look at once, it is between these. */
  readonly lower: number
  readonly upper: number
  /** The e-value against "there is no difference": 1 says nothing. */
  readonly evidence: number
  /** And against "the arm is worse by no more than the least effect that counts". */
  readonly harm: number
}

export interface Analysis {
  /** Requests of each arm. */
  readonly arms: readonly { readonly name: string; readonly n: number }[]
  /** Whether requests fall to the arms as their weights have it: the e-value against that, and the one from which nothing else is read. */
  readonly ratio: { readonly evidence: number; readonly needs: number; readonly mismatch: boolean }
  /** Empty where the ratio is not as it should be: whatever it is that keeps requests from an arm, it may choose which. */
  readonly comparisons: readonly Comparison[]
}

/** Fewer values of an arm than this are not compared, nor fewer clusters that tell something. */
const FEWEST = 50
const FEWEST_CLUSTERS = 8
/** The ratio is not as it should be where this would happen by chance one time in so many (Fabijan and others, KDD 2019: p < 0.0005). */
const NEEDS = 2000

/** What is known of an experiment. Pure: a function of the sums so far, which may be looked at as often as one likes. */
export function analyse(question: Question, evidence: Evidence): Analysis {
  const { arms, control, metrics, alpha, oneByOne } = question
  const tallies = (arm: string) => evidence.get(arm) ?? []
  const ratio = sampleRatio(arms, evidence, oneByOne)
  const level = alpha / Math.max(1, arms.length - 1)
  const comparisons = metrics.flatMap((plan) => {
    const measure = MEASURES[plan.metric]
    const base = measured(tallies(control), measure)
    return arms
      .filter(({ name }) => name !== control)
      .map(({ name }) => compared(name, plan, measured(tallies(name), measure), base, { level, oneByOne }))
  })
  const sizes = arms.map(({ name }) => ({ name, n: tallies(name).reduce((sum, { n }) => sum + n, 0) }))
  return { arms: sizes, ratio, comparisons: ratio.mismatch ? [] : comparisons }
}

/**
 * The sequential multinomial test. Where units ask more than once their requests come in bunches, and count for as many fewer as their sums
 * over clusters vary more than single ones would (Rao and Scott, The analysis of categorical data from complex sample surveys, JASA 76, 1981).
 */
function sampleRatio(arms: readonly Arm[], evidence: Evidence, oneByOne: boolean): Analysis['ratio'] {
  const clusters = arms.map(({ name }) => (evidence.get(name) ?? []).map(({ n }) => n))
  const counts = clusters.map((sizes) => sizes.reduce((sum, n) => sum + n, 0))
  const total = arms.reduce((sum, { weight }) => sum + weight, 0)
  const bunched = oneByOne ? 1 : bunching(clusters)
  const found = sampleRatioEvidence(
    counts.map((count) => count / bunched),
    arms.map(({ weight }) => weight / total),
  )
  return { evidence: found, needs: NEEDS, mismatch: found >= NEEDS }
}

/** How much more the sizes of clusters vary than by chance alone, at most: the estimate and 2 of its standard errors. */
function bunching(clusters: readonly (readonly number[])[]): number {
  let [sum, df] = [0, 0]
  for (const sizes of clusters) {
    const mean = sizes.reduce((total, n) => total + n, 0) / sizes.length
    if (!(mean > 0)) continue
    sum += sizes.reduce((total, n) => total + (n - mean) ** 2, 0) / mean
    df += sizes.length - 1
  }
  return df > 0 ? Math.max(1, (sum / df) * (1 + 2 * Math.sqrt(2 / df))) : 1
}

function compared(
  name: string,
  { metric, primary, direction, minimumEffect }: MetricPlan,
  arm: Measured,
  control: Measured,
  { level, oneByOne }: { readonly level: number; readonly oneByOne: boolean },
): Comparison {
  const mean = ({ values }: Measured) => (values.n > 0 ? values.mean : undefined)
  const [own, others] = [mean(arm), mean(control)]
  const known = enough(arm) && enough(control) ? differenceOf(arm, control) : undefined
  return {
    arm: name,
    metric,
    primary,
    n: { arm: arm.values.n, control: control.values.n },
    means: { ...(own === undefined ? {} : { arm: own }), ...(others === undefined ? {} : { control: others }) },
    ...(known ? { known } : {}),
  }

  function differenceOf(arm: Measured, control: Measured): Known | undefined {
    const { relative }: Measure = MEASURES[metric]
    const base = control.values.mean
    if (relative && !(base > 0)) return undefined
    const unit = relative ? base : 1
    const tau = minimumEffect * unit
    const at = (factor: number) => contrast(arm, control, factor, oneByOne)
    const none = at(1)
    const sign = direction === 'Decrease' ? 1 : -1
    // Worse by just the least effect that counts: a contrast of its own where that is a part of the control's mean.
    const edge = relative ? at(1 + sign * minimumEffect) : none
    const worse = sign * edge.estimate - (relative ? 0 : minimumEffect)
    const [lower, upper] = relative ? ratioBounds(at, level, minimumEffect, base) : bounds(none, level, tau)
    return {
      estimate: none.estimate / unit,
      lower,
      upper,
      evidence: mixtureEvidence(normalised(none), tau),
      harm: meansEvidence(normalised({ ...edge, estimate: worse }), 0, tau),
    }
  }
}

const enough = ({ values }: Measured): boolean => values.n >= FEWEST && values.clusters >= FEWEST_CLUSTERS

/** The same with an estimate that is as telling under a variance that is known. */
function normalised({ estimate, variance, df }: Contrast): { estimate: number; variance: number } {
  const error = Math.sqrt(variance)
  return { estimate: error * normalOf(estimate / error, df), variance }
}

/** Half of the width of the confidence sequence. */
function width({ variance, df }: Contrast, alpha: number, tau: number): number {
  const error = Math.sqrt(variance)
  return error * studentOf(sequenceWidth(variance, alpha, tau) / error, df)
}

function bounds(known: Contrast, alpha: number, tau: number): readonly [lower: number, upper: number] {
  const half = width(known, alpha, tau)
  return [known.estimate - half, known.estimate + half]
}

/** An arm that may take more than this many times as much has no upper bound yet. */
const MOST = 100

/** Bounds of the relative difference: the factors whose contrast the sequence does not tell from 0 (Fieller, 1954). */
function ratioBounds(
  at: (factor: number) => Contrast,
  alpha: number,
  effect: number,
  base: number,
): readonly [lower: number, upper: number] {
  const outside = (factor: number): boolean => {
    const known = at(factor)
    return Math.abs(known.estimate) > width(known, alpha, effect * base * Math.max(1, factor))
  }
  const middle = Math.max(0, 1 + at(1).estimate / base)
  const lower = outside(0) ? edge(middle, 0, outside) : 0
  const upper = outside(MOST) ? edge(middle, MOST, outside) : Number.POSITIVE_INFINITY
  return [lower - 1, upper - 1]
}

function edge(from: number, to: number, outside: (factor: number) => boolean): number {
  let [near, far] = [from, to]
  for (let step = 0; step < 40; step++) {
    const middle = (near + far) / 2
    if (outside(middle)) far = middle
    else near = middle
  }
  return far
}
