import { certain } from '../statistics/multiple.ts'
import type { Analysis, Comparison, MetricPlan, Question } from './analysis.ts'
import { differs, spelled } from './words.ts'

/** What an experiment is to find out, and how long it may take. */
export interface Design extends Question {
  /** Requests of each arm, before which nothing is decided but harm. */
  readonly samples: number
  /** ms. */
  readonly maxDuration: number
}

/** Running: not decided yet; Blocked: what there is cannot be read; Decided: for good. */
export const EXPERIMENT_PHASES = ['Running', 'Blocked', 'Decided'] as const
/** Ship: an arm is better; Stop: none is, and the control stays. */
export const DECISIONS = ['Ship', 'Stop'] as const

/** Where an experiment is. */
export interface Standing {
  readonly phase: (typeof EXPERIMENT_PHASES)[number]
  readonly decision?: (typeof DECISIONS)[number]
  /** The arm that won: the control, where it stopped. */
  readonly winner?: string
  /** One word in CamelCase. */
  readonly reason: string
  /** The same in sentences, with the evidence. */
  readonly message: string
}

/**
 * What follows from what is known. Harm: an arm for which some metric is shown to be worse by more than its least effect is out, and with no
 * arm left the experiment stops. Ship: of the arms that are shown to be better in the primary metric (Holm over arms) and shown to be no
 * worse in every other by its least effect, the best. No effect: no arm that is left can be better by the least effect any more. Each holds
 * for all looks at once: shipping an arm that is not better, and stopping an arm that does no harm, each have at most the chance alpha.
 */
export function decide(design: Design, analysis: Analysis, elapsed: number): Standing {
  const { arms, ratio, comparisons } = analysis
  const split = arms.map(({ name, n }) => `${name} ${n}`).join(', ')
  if (ratio.mismatch)
    return {
      phase: 'Blocked',
      reason: 'SampleRatioMismatch',
      message: `Requests do not fall to the arms as their weights have it (${split}; E-value ${spelled(ratio.evidence)} of ${ratio.needs}): something keeps them from an arm, or has callers of one ask more often. What is measured of those that are left says nothing of the arms, and is withheld. Find out why, and begin anew with another salt.`,
    }
  const plan = (comparison: Comparison) => design.metrics.find(({ metric }) => metric === comparison.metric)
  const harmful = rejected(
    comparisons.flatMap((it) => (it.known ? [{ it, evidence: it.known.harm }] : [])),
    design.alpha,
  )
  const harmed = new Set(harmful.map(({ it }) => it.arm))
  const left = arms.filter(({ name }) => name !== design.control && !harmed.has(name)).map(({ name }) => name)
  const told = (list: readonly Comparison[]) => list.map((it) => differs(it, design.control)).join(' ')
  const stop = (reason: string, message: string): Standing => ({
    phase: 'Decided',
    decision: 'Stop',
    winner: design.control,
    reason,
    message,
  })
  if (left.length === 0)
    return stop('Harmful', `No arm is left that does no harm. ${told(harmful.map(({ it }) => it))}`)
  const few = arms.some(({ n }) => n < design.samples)
  const primary = comparisons.filter((it) => it.primary && left.includes(it.arm))
  const late = elapsed >= design.maxDuration
  // Not enough to block it, and too much to believe the rest: more requests tell.
  const doubtful = ratio.evidence >= 1 / design.alpha
  if (!few && !doubtful) {
    const better = rejected(
      comparisons.flatMap((it) => (it.primary && it.known ? [{ it, evidence: it.known.evidence }] : [])),
      design.alpha,
    )
      .map(({ it }) => it)
      .filter((it) => left.includes(it.arm) && gain(it, plan(it)) > 0)
    const safe = better.filter(({ arm }) =>
      comparisons.every((it) => it.arm !== arm || it.primary || isSafe(it, plan(it))),
    )
    const [best] = safe.toSorted((a, b) => gain(b, plan(b)) - gain(a, plan(a)))
    if (best) {
      const guards = comparisons.filter((it) => it.arm === best.arm && !it.primary)
      const words = guards.length === 0 ? '' : ` No other metric is worse by what would count. ${told(guards)}`
      return {
        phase: 'Decided',
        decision: 'Ship',
        winner: best.arm,
        reason: 'Better',
        message: `${differs(best, design.control)}${words}`,
      }
    }
    if (primary.every((it) => isFutile(it, plan(it))))
      return stop('NoEffect', `No arm can be better by what would count any more. ${told(primary)}`)
  }
  if (late)
    return stop('DeadlineExceeded', `It was not decided within its maxDuration (${split}). ${told(primary)}`.trim())
  if (few)
    return {
      phase: 'Running',
      reason: 'Collecting',
      message: `Each arm needs ${design.samples} requests before anything but harm is decided: ${split}.`,
    }
  if (doubtful)
    return {
      phase: 'Running',
      reason: 'Doubtful',
      message: `Whether requests fall to the arms as their weights have it is in doubt (${split}; E-value ${spelled(ratio.evidence)} of ${ratio.needs}), so that nothing but harm is decided.`,
    }
  const open = comparisons.filter((it) => left.includes(it.arm) && (it.primary || !isSafe(it, plan(it))))
  return { phase: 'Running', reason: 'Undecided', message: told(open) }
}

/** Those whose evidence is certain together (Holm's procedure): at a moment of one's choice, as that of e-values is. */
function rejected<T extends { readonly evidence: number }>(tests: readonly T[], alpha: number): readonly T[] {
  const sure = certain(
    tests.map(({ evidence }) => evidence),
    alpha,
  )
  return tests.filter((_, at) => sure[at])
}

const gain = ({ known }: Comparison, plan: MetricPlan | undefined): number =>
  known ? (plan?.direction === 'Increase' ? known.estimate : -known.estimate) : Number.NaN

/** Whether it is shown not to be worse by the least effect that counts. */
function isSafe({ known }: Comparison, plan: MetricPlan | undefined): boolean {
  if (!known || !plan) return false
  return plan.direction === 'Increase' ? known.lower > -plan.minimumEffect : known.upper < plan.minimumEffect
}

/** Whether it is shown not to be better by the least effect that counts. */
function isFutile({ known }: Comparison, plan: MetricPlan | undefined): boolean {
  if (!known || !plan) return false
  return plan.direction === 'Increase' ? known.upper < plan.minimumEffect : known.lower > -plan.minimumEffect
}
