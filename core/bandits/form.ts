import { CONTEXT, CONTEXT_FORM, PRIOR } from './context.ts'
import { contextual } from './policy.ts'
import type { Algorithm } from './policy.ts'

/** What evidence must have in common to be added up. */
export interface Form {
  /** Equal for equal ones. */
  readonly name: string
  /** Whether the request counts. */
  readonly contextual: boolean
  /** How many numbers a context has. */
  readonly size: number
  /** What an answer is still worth when the next of the same arm has come. */
  readonly gamma: number
}

/** `halfLife`: after so many rewards of an arm one of them counts half. */
export function formOf(algorithm: Algorithm, halfLife: number): Form {
  const is = contextual(algorithm)
  return {
    name: `${is ? CONTEXT_FORM : 'mean'} ${halfLife}`,
    contextual: is,
    size: is ? CONTEXT : 1,
    gamma: 2 ** (-1 / halfLife),
  }
}

/** θ₀: the quality that is expected beforehand is what is expected. Without contexts it is that of an arm nothing is known of. */
export function priorOf({ contextual: is, size }: Form): Float64Array {
  const theta = new Float64Array(size)
  if (is) theta[PRIOR] = 1
  else theta[0] = UNKNOWN
  return theta
}

/** The quality of an arm of which nothing is known. */
export const UNKNOWN = 0.5
