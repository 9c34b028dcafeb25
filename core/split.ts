const GOLDEN = (Math.sqrt(5) - 1) / 2

/**
 * Draws indices in exact proportion to `weights` by a low-discrepancy sequence: the additive recurrence of the golden ratio, from a random
 * start, so that many quiet pods together hit the split too (Kuipers and Niederreiter, Uniform Distribution of Sequences, 1974, 2.3).
 * The share of any index after n draws is off by O(log n / n). Weights are not all 0.
 *
 * What is drawn for an index that takes less than all of its weight at the moment goes on to the others, as a whole or in part, by a sequence
 * of its own: so that the shares stay exact, and it is known whose share each draw was.
 */
export class Split {
  /** Whose share the last draw was. */
  owner = -1
  private readonly weights: readonly number[]
  private readonly bounds: readonly number[]
  private readonly total: number
  private at: number
  private elsewhere: number
  /** What each has been owed in part, and not been given yet. */
  private readonly owed: Float64Array
  private readonly shares: Float64Array

  constructor(weights: readonly number[], random: () => number) {
    let total = 0
    this.weights = weights
    this.bounds = weights.map((weight) => (total += weight))
    this.total = total
    this.at = random()
    this.elsewhere = this.at
    this.owed = new Float64Array(weights.length)
    this.shares = new Float64Array(weights.length)
  }

  /**
   * The next index. `available(index)`, 0…1, is how much of its weight an index may use at this moment (a dead one: 0, one that ramps up: its
   * step); the others take what it leaves in proportion to their weights. With all at 0 the weights alone decide.
   */
  draw(available?: (index: number) => number): number {
    this.at = (this.at + GOLDEN) % 1
    const owner = (this.owner = pick(this.bounds, this.at * this.total))
    const part = available?.(owner) ?? 1
    if (!available || part >= 1 || this.takes(owner, part)) return owner
    let sum = 0
    for (let index = 0; index < this.weights.length; index++)
      this.shares[index] = sum += (this.weights[index] ?? 0) * available(index)
    if (sum === 0) return owner
    this.elsewhere = (this.elsewhere + GOLDEN) % 1
    return pick(this.shares, this.elsewhere * sum)
  }

  /** Whether this is one of those draws that an index takes of its own. */
  private takes(index: number, part: number): boolean {
    const owed = (this.owed[index] ?? 0) + part
    this.owed[index] = owed >= 1 ? owed - 1 : owed
    return owed >= 1
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
