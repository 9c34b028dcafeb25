/** The chance that a value drawn from Beta(a, b) is below x (the regularised incomplete beta function; Press et al., Numerical Recipes, section 6.4). */
export function betaBelow(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x))
  // The fraction converges fast on this side of the mean; on the other it is its complement that does.
  return x < (a + 1) / (a + b + 2) ? (front * fraction(x, a, b)) / a : 1 - (front * fraction(1 - x, b, a)) / b
}

const TINY = 1e-300

/** The continued fraction, by Lentz's method. */
function fraction(x: number, a: number, b: number): number {
  const apart = (value: number): number => (Math.abs(value) < TINY ? TINY : value)
  let c = 1
  let d = 1 / apart(1 - ((a + b) * x) / (a + 1))
  let sum = d
  for (let m = 1; m <= 200; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / apart(1 + even * d)
    c = apart(1 + even / c)
    sum *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / apart(1 + odd * d)
    c = apart(1 + odd / c)
    const step = d * c
    sum *= step
    if (Math.abs(step - 1) < 1e-10) break
  }
  return sum
}

const LANCZOS = [
  76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2,
  -0.5395239384953e-5,
]

/** ln Γ(x) for x > 0 (Lanczos 1964). */
function logGamma(x: number): number {
  const base = x + 5.5 - (x + 0.5) * Math.log(x + 5.5)
  const series = LANCZOS.reduce((sum, each, index) => sum + each / (x + 1 + index), 1.000000000190015)
  return Math.log((2.5066282746310007 * series) / x) - base
}
