/**
 * Which of several hypotheses are rejected so that the share of wrong ones among the rejected is at most α on average: e-BH (Wang and Ramdas,
 * False discovery rate control with e-values, JRSS B 84, 2022). Takes e-values, 1 says nothing; they may depend on each other in any way, and on
 * when one looked. For experiments with many metrics: what is worth a look. Gives true where it is rejected, in the order given.
 */
export function discoveries(evidence: readonly number[], alpha: number): readonly boolean[] {
  const m = evidence.length
  const sorted = evidence.toSorted((a, b) => b - a)
  let least = Number.POSITIVE_INFINITY
  for (const [at, e] of sorted.entries()) if (e * (at + 1) * alpha >= m) least = e
  return evidence.map((e) => e >= least)
}

/**
 * Which of several hypotheses are rejected so that the chance of even one wrong rejection is at most α: Holm (A simple sequentially rejective
 * multiple test procedure, Scandinavian Journal of Statistics 6, 1979), with 1 ÷ e for p-values, which holds at every look at once. For experiments
 * that ship or stop by more than one comparison. Gives true where it is rejected, in the order given.
 */
export function certain(evidence: readonly number[], alpha: number): readonly boolean[] {
  const order = evidence.map((_, at) => at).toSorted((a, b) => (evidence[b] ?? 0) - (evidence[a] ?? 0))
  const rejected = evidence.map(() => false)
  for (const [rank, at] of order.entries()) {
    if (!((evidence[at] ?? 0) * alpha >= evidence.length - rank)) break
    rejected[at] = true
  }
  return rejected
}
