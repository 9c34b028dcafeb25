const GOLDEN = (Math.sqrt(5) - 1) / 2

/**
 * Draws indices in exact proportion to `weights` by a low-discrepancy sequence: the additive recurrence of the golden ratio, from a random
 * start, so that many quiet pods together hit the split too (Kuipers and Niederreiter, Uniform Distribution of Sequences, 1974, 2.3).
 * The share of any index after n draws is off by O(log n / n). Weights are not all 0.
 *
 * `available(index)`, 0…1, is how much of its weight an index may use at this moment (a dead one: 0, one that ramps up: its step); the
 * others take what it leaves in proportion to their weights. With all at 0 the weights alone decide.
 */
export function sequence(
  weights: readonly number[],
  random: () => number,
): (available?: (index: number) => number) => number {
  const bounds: number[] = []
  let total = 0
  for (const weight of weights) bounds.push((total += weight))
  const shares = new Float64Array(weights.length)
  let at = random()
  return (available) => {
    at = (at + GOLDEN) % 1
    let sum = 0
    let whole = true
    if (available)
      for (let index = 0; index < weights.length; index++) {
        const part = available(index)
        whole &&= part >= 1
        shares[index] = sum += (weights[index] ?? 0) * part
      }
    return whole || sum === 0 ? pick(bounds, at * total) : pick(shares, at * sum)
  }
}

/** The first index whose bound lies above `point`: one of weight 0 has the bound of the one before it, and so is never drawn. */
function pick(bounds: ArrayLike<number>, point: number): number {
  for (let index = 0; index < bounds.length; index++) if (point < (bounds[index] ?? 0)) return index
  // Rounding may put the point on the last bound: the last index that has a share of its own.
  let last = bounds.length - 1
  while (last > 0 && bounds[last] === bounds[last - 1]) last--
  return last
}
