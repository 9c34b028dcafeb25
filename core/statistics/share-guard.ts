import type { Tally } from '../evidence/tally.ts'
import type { Arms, Estimates, Guard } from './guardrail.ts'
import { NO_COUNT, Proportions, shareDifference } from './proportions.ts'
import type { Count, ProportionsState } from './proportions.ts'
import { scaleOf, sequence } from './means.ts'

export interface ShareState {
  readonly kind: 'share'
  /** Of the step: what was bet on. */
  readonly taken: Arms<Count>
  readonly bets: ProportionsState
}

const NONE: Arms<Count> = { canary: NO_COUNT, stable: NO_COUNT }

/** Watches the share of requests in which something happened. */
export class ShareGuard implements Guard {
  private readonly hits: (tally: Tally) => number
  private readonly margin: number
  private readonly bets: Proportions
  private taken: Arms<Count>

  constructor(hits: (tally: Tally) => number, margin: number, state?: ShareState) {
    this.hits = hits
    this.margin = margin
    this.bets = new Proportions(margin, state?.bets)
    this.taken = state?.taken ?? NONE
  }

  get state(): ShareState {
    return { kind: 'share', taken: this.taken, bets: this.bets.state }
  }

  get evidence(): number {
    return this.bets.evidence
  }

  update({ canary, stable }: Arms<Tally>): boolean {
    const totals = { canary: this.countOf(canary), stable: this.countOf(stable) }
    const more = { canary: less(totals.canary, this.taken.canary), stable: less(totals.stable, this.taken.stable) }
    if (!more.canary || !more.stable) return false
    // Requests of one arm alone wait for some of the other: they are compared with those of their time.
    if (more.canary.n > 0 && more.stable.n > 0) {
      this.bets.update({ canary: more.canary, control: more.stable })
      this.taken = totals
    }
    return true
  }

  step(): void {
    this.taken = NONE
  }

  estimates(alpha: number): Estimates {
    const { canary, stable } = this.taken
    const n = { canary: canary.n, stable: stable.n }
    if (canary.n === 0 || stable.n === 0) return { n }
    const [lower, upper] = sequence(shareDifference(canary, stable), alpha, scaleOf(this.margin))
    return { n, canary: canary.hits / canary.n, stable: stable.hits / stable.n, lower, upper }
  }

  private countOf(tally: Tally): Count {
    return { n: tally.n, hits: this.hits(tally) }
  }
}

/** What came since; undefined where it is less than before. */
export function less(now: Count, before: Count): Count | undefined {
  const [n, hits] = [now.n - before.n, now.hits - before.hits]
  return n < 0 || hits < 0 || hits > n ? undefined : { n, hits }
}
