/**
 * The normal deviate whose tail is that of Student's `t` with so many degrees of freedom, and back: what a variance that was estimated from few
 * values costs (Wallace, Bounds on normal approximations to Student's and the chi-square distributions, Annals of Mathematical Statistics 30,
 * 1959; as Abramowitz and Stegun 26.7.8 has it). From 20 degrees of freedom on they are right to 2 % at any tail that counts.
 */
export function normalOf(t: number, df: number): number {
  return (t * (1 - 1 / (4 * df))) / Math.sqrt(1 + (t * t) / (2 * df))
}

/** The inverse of `normalOf`; infinite where no `t` says so much. */
export function studentOf(z: number, df: number): number {
  const rest = (1 - 1 / (4 * df)) ** 2 - (z * z) / (2 * df)
  return rest > 0 ? z / Math.sqrt(rest) : Number.POSITIVE_INFINITY
}
