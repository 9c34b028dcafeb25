import type { ExperimentStatus } from '../../api/experiment.ts'
import type { State } from '../../core/experiment/advance.ts'
import type { Comparison } from '../../core/experiment/analysis.ts'
import type { ExperimentInForce } from '../../core/experiment/in-force.ts'
import { short } from '../../core/rollout/words.ts'
import { discoveries } from '../../core/statistics/multiple.ts'
import type { Planned } from './plan.ts'

const time = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')

/** An experiment as its status has it. */
export function itemOf({ rule, name, design, targets }: Planned, state: State): ExperimentStatus {
  const { phase, decision, winner, reason, message, version, started, since, analysis } = state
  const { arms, ratio, comparisons } = analysis
  const shown = discoveries(
    comparisons.map(({ known }) => known?.evidence ?? 0),
    design.alpha,
  )
  return {
    rule,
    name,
    phase,
    ...(decision ? { decision } : {}),
    ...(winner === undefined ? {} : { winner }),
    reason,
    message: message.slice(0, 4096),
    version,
    started: time(started),
    since: time(since),
    ratio: short(ratio.evidence),
    arms: arms.map(({ name: arm, n }) => ({ name: arm, target: targets.get(arm) ?? '', requests: n })),
    metrics: comparisons.map((it, at) => metricOf(it, shown[at] ?? false, direction(it))),
  }

  function direction({ metric }: Comparison): 'Decrease' | 'Increase' {
    return design.metrics.find((it) => it.metric === metric)?.direction ?? 'Decrease'
  }
}

function metricOf(
  { arm, metric, primary, n, means, known }: Comparison,
  shown: boolean,
  better: 'Decrease' | 'Increase',
): ExperimentStatus['metrics'][number] {
  const isBetter = known && (better === 'Increase') === known.estimate > 0
  return {
    metric,
    primary,
    arm,
    ...(means.arm === undefined ? {} : { value: short(means.arm) }),
    ...(means.control === undefined ? {} : { control: short(means.control) }),
    measured: n.arm,
    ...(known
      ? {
          estimate: short(known.estimate),
          ...(Number.isFinite(known.lower) ? { lower: short(known.lower) } : {}),
          ...(Number.isFinite(known.upper) ? { upper: short(known.upper) } : {}),
          evidence: short(known.evidence),
        }
      : {}),
    verdict: known ? (shown ? (isBetter ? 'Better' : 'Worse') : 'Open') : 'Unknown',
  }
}

/** What is gone on from of a status, by whoever leads next: what is known in detail is found again from the same evidence. */
export function stateOf(item: ExperimentStatus): State {
  const { phase, decision, winner, reason, message, version, started, since, ratio, arms } = item
  return {
    phase,
    ...(decision ? { decision } : {}),
    ...(winner === undefined ? {} : { winner }),
    reason,
    message,
    version,
    started: Date.parse(started),
    since: Date.parse(since),
    analysis: {
      arms: arms.map(({ name, requests }) => ({ name, n: requests })),
      ratio: { evidence: Number(ratio ?? 1), needs: Infinity, mismatch: false },
      comparisons: [],
    },
  }
}

/** What the compile has to know of a status; nothing of experiments that simply run. */
export function experimentsInForce(items: readonly ExperimentStatus[]): readonly ExperimentInForce[] {
  return items.flatMap(({ rule, version, phase, reason, winner }) => {
    const over = phase === 'Decided'
    const waits = reason === WAITS
    return over || waits ? [{ rule, version, over, waits, winner }] : []
  })
}

/** The reason of one that has to wait for another of its layer. */
export const WAITS = 'LayerOverlap'
