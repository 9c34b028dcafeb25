import type { Difference } from '../../core/statistics/means.ts'
import { meanOf, varianceOf } from '../../core/statistics/sums.ts'
import type { Sums } from '../../core/statistics/sums.ts'

/** Of two means, by their sums alone; undefined while an arm has fewer values than 50. */
export function difference(canary: Sums, control: Sums): Difference | undefined {
  if (canary.n < 50 || control.n < 50) return undefined
  const variance = varianceOf(canary) / canary.n + varianceOf(control) / control.n
  return variance > 0 ? { estimate: meanOf(canary) - meanOf(control), variance } : undefined
}
