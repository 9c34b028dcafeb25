import type { Difference } from './means.ts'
import { varianceOf } from './sums.ts'
import type { Sums } from './sums.ts'

/** Sums over the answers that a judge has marked, `y`, each with what a cheap score has said of it, `f`. */
export interface Judged {
  readonly n: number
  readonly y: number
  readonly yy: number
  readonly f: number
  readonly ff: number
  readonly yf: number
}

/** Fewer marks than this say nothing of how far the score is to be trusted. */
const FEWEST = 20

/**
 * The mean mark of all answers, though a judge has marked only a random sample of them, where a cheap score is known of all (prediction-powered
 * inference: Angelopoulos, Bates, Fannjiang, Jordan and Zrnic, Science 382, 2023; with the score weighed by how well it tells the mark, as in
 * Angelopoulos, Duchi and Zrnic, PPI++, 2023). The score may be biased or say nothing: it makes the variance smaller where it is any good, and is left
 * alone where it is not. `all`: of the score over all answers, those that are judged among them. Undefined where too few are judged.
 */
export function predictionPowered({ n, y, yy, f, ff, yf }: Judged, all: Sums): Difference | undefined {
  if (n < FEWEST) return undefined
  const rest = { n: all.n - n, sum: all.sum - f }
  const spread = varianceOf(all)
  const both = (yf - (y * f) / n) / (n - 1)
  const weight = rest.n > 0 && spread > 0 ? both / (spread * (1 + n / rest.n)) : 0
  // Of y − weight · f over those that are judged; as if there had been one mark of 0 and one of 1 more.
  const [sum, squares] = [y - weight * f, yy - 2 * weight * yf + weight * weight * ff]
  const left = varianceOf({ n: n + 2, sum: sum + 1, squares: squares + 1 })
  if (weight === 0) return { estimate: y / n, variance: left / n }
  return {
    estimate: sum / n + (weight * rest.sum) / rest.n,
    variance: left / n + (weight * weight * spread) / rest.n,
  }
}
