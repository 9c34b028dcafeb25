/**
 * A confidence sequence for all quantiles at once: with chance 1 − α, at every n from the first, the share of values up to a point is
 * within this of the share seen (Howard and Ramdas, Sequential estimation of quantiles with applications to A/B testing and best-arm
 * identification, Bernoulli 28, 2022, Theorem 1).
 */
export function quantileWidth(n: number, alpha: number): number {
  return n < 1 ? 1 : 0.85 * Math.sqrt((Math.log(Math.log(Math.E * n)) + 0.8 * Math.log(1612 / alpha)) / n)
}
