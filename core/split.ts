const GOLDEN = (Math.sqrt(5) - 1) / 2

/**
 * Draws indices in exact proportion to `weights` by a low-discrepancy sequence: the additive recurrence of the golden ratio, from a random
 * start, so that many quiet pods together hit the split too (Kuipers and Niederreiter, Uniform Distribution of Sequences, 1974, 2.3).
 * The share of any index after n draws is off by O(log n / n). Weights are not all 0.
 */
export function sequence(weights: readonly number[], random: () => number): () => number {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const bounds: number[] = []
  let sum = 0
  for (const weight of weights) bounds.push((sum += weight) / total)
  let at = random()
  return () => {
    at = (at + GOLDEN) % 1
    const index = bounds.findIndex((bound) => at < bound)
    return index < 0 ? bounds.length - 1 : index
  }
}
