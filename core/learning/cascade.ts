/** Expected costs of one request, in any one unit, and times in ms. */
export interface CascadeCosts {
  /** The chance that the cheap answer is not kept, in [0, 1]. */
  readonly escalates: number
  readonly weak: number
  readonly strong: number
  /** What judging costs besides: a second cheap answer, a share of judges. */
  readonly judging: number
  readonly weakMs: number
  readonly strongMs: number
  /** The longest an answer may take; Infinity for no bound. */
  readonly sloMs: number
}

/**
 * Whether to ask the cheap endpoint first, or the strong one at once. A cascade costs weak + judging + P·strong and takes weak + P·strong; it is dearer where
 * P > 1 - (weak + judging) ÷ strong, and too slow where the time passes the objective.
 */
export function cascadeOrDirect(costs: CascadeCosts): 'Cascade' | 'DearerThanDirect' | 'SlowerThanObjective' {
  const { escalates, weak, strong, judging, weakMs, strongMs, sloMs } = costs
  if (weak + judging + escalates * strong > strong) return 'DearerThanDirect'
  return weakMs + escalates * strongMs > sloMs ? 'SlowerThanObjective' : 'Cascade'
}
