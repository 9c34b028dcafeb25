/** What one who was never measured counts as while its first requests are out, ms: enough that they spread over the others too. */
const UNKNOWN = 1000

/**
 * Peak-EWMA latency × requests in flight (as Finagle's load balancer has it): a slower answer counts at once, faster ones pull the average
 * down with a half-life, and so does time without answers, so that one who was slow is tried again.
 */
export class PeakEwma {
  /** Requests that are out. */
  inFlight = 0
  private readonly now: () => number
  private readonly halfLife: number
  private average = 0
  private at = 0

  /** Times in ms. */
  constructor(now: () => number, halfLifeMs: number) {
    this.now = now
    this.halfLife = halfLifeMs
  }

  start(): void {
    this.inFlight++
  }

  end(): void {
    this.inFlight--
  }

  /** A latency that was seen, ms; or a penalty, so that failing fast attracts nothing. */
  observe(ms: number): void {
    const now = this.now()
    const weight = this.weight(now)
    this.average = Math.max(ms, this.average * weight + ms * (1 - weight))
    this.at = now
  }

  /** The average as it is by now, ms; 0 where nothing was seen. */
  latency(): number {
    return this.average === 0 ? 0 : this.average * this.weight(this.now())
  }

  /** Lower is better; 0 for one that is idle and unknown, which makes it the first to be tried. */
  load(): number {
    const latency = this.latency()
    return latency === 0 && this.inFlight > 0 ? UNKNOWN * this.inFlight : latency * (this.inFlight + 1)
  }

  /** What is left of the old average by now. */
  private weight(now: number): number {
    return 2 ** ((this.at - now) / this.halfLife)
  }
}
