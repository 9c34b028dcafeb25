import type { Random } from '../learning/random.ts'
import type { Estimate } from './off-policy.ts'

/** What a statistic is made of: how often each row counts. */
export type Statistic = (weights: Float64Array) => number

/**
 * Percentile-bootstrap intervals of several statistics over the same rows, 95 % (Efron 1979): each resample draws as many rows as there are,
 * with replacement, and is the same for all statistics, so that they can be compared.
 */
export function bootstrap<Name extends string>(
  rows: number,
  statistics: Readonly<Record<Name, Statistic>>,
  { random, resamples }: { readonly random: Random; readonly resamples: number },
): Readonly<Record<Name, Estimate>> {
  const names = Object.keys(statistics) as Name[] // its own keys
  const ones = new Float64Array(rows).fill(1)
  const draws = new Map<Name, number[]>(names.map((name) => [name, []]))
  const weights = new Float64Array(rows)
  for (let draw = 0; draw < resamples; draw++) {
    weights.fill(0)
    for (let row = 0; row < rows; row++) {
      const at = Math.floor(random() * rows)
      weights[at] = (weights[at] ?? 0) + 1
    }
    for (const name of names) draws.get(name)?.push(statistics[name](weights))
  }
  const estimate = (name: Name): Estimate => {
    const sorted = (draws.get(name) ?? []).toSorted((a, b) => a - b)
    const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN
    return { value: statistics[name](ones), low: at(0.025), high: at(0.975) }
  }
  return Object.fromEntries(names.map((name) => [name, estimate(name)])) as Record<Name, Estimate> // all of them
}

/** The weighted mean of values. */
export function meanOf(values: Float64Array, weights: Float64Array): number {
  let [sum, total] = [0, 0]
  for (let row = 0; row < values.length; row++) {
    const weight = weights[row] ?? 0
    sum += weight * (values[row] ?? 0)
    total += weight
  }
  return sum / total
}
