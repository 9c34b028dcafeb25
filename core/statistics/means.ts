/** The difference of two means as it is known: its estimate, and the variance of that. */
export interface Difference {
  readonly estimate: number
  readonly variance: number
}

/**
 * Evidence against "the difference is at most `margin`": the mixture sequential probability ratio test with a half-normal mixture of scale
 * `tau` over differences above the margin (Robbins, Statistical methods related to the law of the iterated logarithm, 1970; Johari, Koomen,
 * Pekelis and Walsh, Always valid inference, Operations Research 70, 2022). Variances are estimated, so that it holds for many values, and is
 * a function of all of them so far: it may be looked at at any time. 1 says nothing.
 */
export function meansEvidence({ estimate, variance: v }: Difference, margin: number, tau: number): number {
  const d = estimate - margin
  const t = tau * tau
  const log = 0.5 * Math.log(v / (v + t)) + (t * d * d) / (2 * v * (v + t))
  return 2 * Math.exp(Math.min(log, 700)) * normal((d * tau) / Math.sqrt(v * (v + t)))
}

/** Evidence against "there is no difference": of the normal mixture of scale `tau`. It reaches 1 ÷ α where `sequence` leaves 0 out. */
export function mixtureEvidence({ estimate, variance: v }: Difference, tau: number): number {
  const t = tau * tau
  const log = 0.5 * Math.log(v / (v + t)) + (t * estimate * estimate) / (2 * v * (v + t))
  return Math.exp(Math.min(log, 700))
}

/**
 * A confidence sequence of the difference: with chance 1 − α it holds at every look at once. The normal mixture's, of the same sources; with
 * estimated variances (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic confidence
 * sequences, Annals of Statistics 52, 2024).
 */
export function sequence(known: Difference, alpha: number, tau: number): readonly [lower: number, upper: number] {
  const width = sequenceWidth(known.variance, alpha, tau)
  return [known.estimate - width, known.estimate + width]
}

/** Half of the width of that sequence, where the estimate has the variance `v`. */
export function sequenceWidth(v: number, alpha: number, tau: number): number {
  const t = tau * tau
  return Math.sqrt(((2 * v * (v + t)) / t) * Math.log(Math.sqrt((v + t) / v) / alpha))
}

/** The scale by which bounds exclude harm beyond a margin soonest: the margin itself, where it is not next to nothing. */
export const scaleOf = (margin: number): number => Math.max(margin, 0.005)

/** The distribution function of the standard normal, to 7.5e-8 (Abramowitz and Stegun 26.2.17). */
export function normal(z: number): number {
  const x = Math.abs(z)
  const t = 1 / (1 + 0.2316419 * x)
  const tail =
    0.3989422804014327 *
    Math.exp((-x * x) / 2) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return z >= 0 ? 1 - tail : tail
}
