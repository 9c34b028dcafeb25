import type { Comparison } from './analysis.ts'
import { MEASURES } from './metric.ts'

/** A number as people read it: three digits that count. */
export function spelled(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'unknown' : 'without bound'
  const size = Math.abs(value)
  if (size >= 1e6) return value.toExponential(1)
  return `${Number(value.toPrecision(3))}`
}

/** A difference in its unit: points of a share, or percent of the control's mean. */
export function difference(value: number, metric: Comparison['metric']): string {
  if (!Number.isFinite(value)) return spelled(value)
  const sign = value > 0 ? '+' : ''
  return `${sign}${Number((100 * value).toFixed(Math.abs(value) < 0.01 ? 2 : 1))} ${MEASURES[metric].relative ? '%' : 'points'}`
}

/** What is known of an arm in one metric, as a sentence. */
export function differs({ arm, metric, means, n, known }: Comparison, control: string): string {
  const values = `${spelled(means.arm ?? Number.NaN)} of ${n.arm} against ${spelled(means.control ?? Number.NaN)} of ${n.control}`
  if (!known) return `${metric} of ${arm} is not known yet: ${values} of ${control}.`
  const { estimate, lower, upper, evidence } = known
  return `${metric} of ${arm} differs from ${control} by ${difference(estimate, metric)}, ${difference(lower, metric)} to ${difference(upper, metric)} (${values}; E-value ${spelled(evidence)}).`
}
