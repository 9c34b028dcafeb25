/** How strongly the expected shares are held to, in units: a difference is found later with more. */
const WEIGHT = 100

/**
 * Evidence against "units fall to the arms by these shares": the Bayes factor of a Dirichlet mixture around them, an e-process that may be
 * looked at at any time (Lindon and Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022). `shares` sum to 1.
 */
export function sampleRatioEvidence(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0)
  let log = lnGamma(WEIGHT) - lnGamma(WEIGHT + total)
  for (const [arm, count] of counts.entries()) {
    const share = shares[arm] ?? 0
    if (share <= 0) {
      if (count > 0) return Number.POSITIVE_INFINITY
      continue
    }
    log += lnGamma(WEIGHT * share + count) - lnGamma(WEIGHT * share) - count * Math.log(share)
  }
  return Math.exp(Math.min(log, 700))
}

/** The logarithm of the gamma function, to 1e-10 above 0 (Lanczos, SIAM Journal on Numerical Analysis B 1, 1964; g = 7, n = 9). */
export function lnGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - lnGamma(1 - x)
  const z = x - 1
  let sum = 0.99999999999980993
  for (const [at, c] of COEFFICIENTS.entries()) sum += c / (z + at + 1)
  const t = z + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum)
}

const COEFFICIENTS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]
