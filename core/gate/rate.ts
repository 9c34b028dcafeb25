/** What is left of the weight of each observation at the next: about the last 200 count. */
const KEEP = 0.995
/** It takes so many to know anything. */
const ENOUGH = 20
/** One of so many requests begins with the cheap target even where that does not pay, so that the estimate stays one. */
const PROBE = 20

/** How often the answers of one target are found wanting, and how long they are: a running estimate by a rule's own counts. */
export class EscalationRate {
  private judged = 0
  private failed = 0
  private weight = 0
  private tokens = 0
  private skipped = 0

  observe(failed: boolean, tokens: number): void {
    this.judged++
    this.weight = this.weight * KEEP + 1
    this.failed = this.failed * KEEP + (failed ? 1 : 0)
    this.tokens = this.tokens * KEEP + tokens
  }

  /** P(escalate), 0…1; undefined while too few answers were judged. */
  get probability(): number | undefined {
    return this.judged < ENOUGH ? undefined : this.failed / this.weight
  }

  /** Tokens of an answer, on average; undefined where none has been seen. */
  get output(): number | undefined {
    return this.weight === 0 ? undefined : this.tokens / this.weight
  }

  /** Whether a request that would better go to the stronger target is to begin here nevertheless. */
  probes(): boolean {
    this.skipped = (this.skipped + 1) % PROBE
    return this.skipped === 0
  }
}
