import { addOuter, triangle } from './symmetric.ts'

/**
 * What was seen of one arm: sufficient statistics, so that evidence of several places is a sum, and that of a past is a multiple. Rewards
 * are qualities in [0, 1]; what an arm costs is not among them, so that another price needs no new evidence.
 */
export interface Evidence {
  /** Rewards that came in, over all time: only ever grows. */
  count: number
  /** The same, less what has been forgotten. */
  weight: number
  /** Σ x xᵀ, lower triangle. */
  readonly matrix: Float64Array
  /** Σ r x. */
  readonly vector: Float64Array
}

export function noEvidence(size: number): Evidence {
  return { count: 0, weight: 0, matrix: new Float64Array(triangle(size)), vector: new Float64Array(size) }
}

export function copyOf({ count, weight, matrix, vector }: Evidence): Evidence {
  return { count, weight, matrix: matrix.slice(), vector: vector.slice() }
}

/** One reward in [0, 1] for an answer in the context `x`. */
export function observe(evidence: Evidence, x: Float64Array, reward: number): void {
  evidence.count++
  evidence.weight++
  addOuter(evidence.matrix, x)
  correct(evidence, x, reward)
}

/** The reward of something that was observed was other than was said, by `difference`. */
export function correct({ vector }: Evidence, x: Float64Array, difference: number): void {
  for (let at = 0; at < x.length; at++) vector[at] = (vector[at] ?? 0) + difference * (x[at] ?? 0)
}

/** Forgets: all but `part` of it, 0…1. What was counted stays counted. */
export function fade(evidence: Evidence, part: number): void {
  if (part === 1) return
  evidence.weight *= part
  for (let at = 0; at < evidence.matrix.length; at++) evidence.matrix[at] = (evidence.matrix[at] ?? 0) * part
  for (let at = 0; at < evidence.vector.length; at++) evidence.vector[at] = (evidence.vector[at] ?? 0) * part
}

/** into += part · evidence; the count whole, times `sign`. */
export function add(into: Evidence, evidence: Evidence, part: number, sign: 1 | -1 = 1): void {
  const factor = sign * part
  into.count += sign * evidence.count
  into.weight += factor * evidence.weight
  for (let at = 0; at < into.matrix.length; at++)
    into.matrix[at] = (into.matrix[at] ?? 0) + factor * (evidence.matrix[at] ?? 0)
  for (let at = 0; at < into.vector.length; at++)
    into.vector[at] = (into.vector[at] ?? 0) + factor * (evidence.vector[at] ?? 0)
}
