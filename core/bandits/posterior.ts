import type { Evidence } from './evidence.ts'
import { backward, cholesky, forward, triangle } from './symmetric.ts'

/** What is believed of one arm in one context. */
export interface Belief {
  /** Of the quality, 0…1. */
  readonly mean: number
  /** √(xᵀ A⁻¹ x): the standard error of the mean, in units of the rewards' own deviation. */
  readonly width: number
}

/** ρ: what is expected beforehand counts as much as one answer does. */
const RIDGE = 1
/** The largest deviation that values in [0, 1] can have (Popoviciu), and the quantile that a tenth lies below. */
const DEVIATION = 0.5
const TENTH = 1.2816

/** The quality that lies below the true one with a probability of nine in ten; `above`: over it. */
export const lowerBound = ({ mean, width }: Belief): number => mean - TENTH * DEVIATION * width
export const upperBound = ({ mean, width }: Belief): number => mean + TENTH * DEVIATION * width

/** The most observations between two factorisations. */
const REFRESH = 20

/**
 * Ridge regression of the quality on the context, apart for each arm (the disjoint model of Li et al., LinUCB, WWW 2010, algorithm 1), about
 * a prior mean: θ = θ₀ + A⁻¹ (b − D θ₀) with A = ρI + D. With a context of one number, always 1, it is the mean with `RIDGE` answers of the
 * prior's quality. D is factorised anew after 20 observations, or sooner while there are few.
 */
export class Posterior {
  readonly #factor: Float64Array
  readonly #theta: Float64Array
  /** A⁻¹ e₀. */
  readonly #first: Float64Array
  readonly #scratch: Float64Array
  readonly #size: number
  #stale = Infinity

  constructor(size: number) {
    this.#size = size
    this.#factor = new Float64Array(triangle(size))
    this.#theta = new Float64Array(size)
    this.#first = new Float64Array(size)
    this.#scratch = new Float64Array(size)
  }

  /** So many observations have come since, or all is different: Infinity. */
  changed(by: number): void {
    this.#stale += by
  }

  /** Whether it is time to factorise anew, with evidence of that weight. */
  due(weight: number): boolean {
    return this.#stale > 0 && this.#stale >= Math.min(REFRESH, 1 + weight / 10)
  }

  /** Factorises anew. `prior` is θ₀. */
  refresh(evidence: Evidence, prior: Float64Array): void {
    this.#stale = 0
    cholesky(evidence.matrix, RIDGE, this.#size, this.#factor)
    // ρθ₀ + b: the prior is θ₀ with precision ρ.
    for (let at = 0; at < this.#size; at++) this.#scratch[at] = (evidence.vector[at] ?? 0) + RIDGE * (prior[at] ?? 0)
    forward(this.#factor, this.#scratch, this.#theta)
    backward(this.#factor, this.#theta)
    this.#scratch.fill(0)
    this.#scratch[0] = 1
    forward(this.#factor, this.#scratch, this.#first)
    backward(this.#factor, this.#first)
  }

  /** `more` was expected beforehand than the prior says, of every context; it counts for less with each answer that was seen. */
  belief(x: Float64Array, more = 0): Belief {
    forward(this.#factor, x, this.#scratch)
    let mean = 0
    let square = 0
    for (let at = 0; at < this.#size; at++) {
      mean += ((this.#theta[at] ?? 0) + more * RIDGE * (this.#first[at] ?? 0)) * (x[at] ?? 0)
      square += (this.#scratch[at] ?? 0) ** 2
    }
    return { mean: Math.min(1, Math.max(0, mean)), width: Math.sqrt(square) }
  }
}
