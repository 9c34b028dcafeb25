/** A target as a strategy sees it. Those with weight 0, or that do not resolve, are not among them. */
export interface Choosable {
  readonly weight: number
  /** The model's place on the ladder from cheap to strong. */
  readonly rank: number
  /** Peak-EWMA latency × (in flight + 1) at this moment, ms; lower is better. */
  readonly load: () => number
  /**
   * How much of its weight it may use at this moment, 0…1: 0 while its breaker is open or it cools, the step while it ramps up, else 1.
   * Always 1 where the rule says `onUnavailable: Fail`, so that the share of a dead target stays its own.
   */
  readonly available: () => number
  /** A stable name for hashing, `namespace/name model`. */
  readonly id: string
}

/** What a strategy may look at. */
export interface Choice {
  /** The sticky key, where the rule has one and the request carries it. */
  readonly key: string | undefined
}

/**
 * How a rule picks among the targets of one priority. `make` runs once for each rule and configuration; what it returns gives, for a
 * request, the targets in the order in which they are to be asked: all of them, so that fallback needs no strategy code.
 */
export interface Strategy {
  readonly type: string
  readonly make: <T extends Choosable>(targets: readonly T[], random: () => number) => (choice: Choice) => readonly T[]
}
