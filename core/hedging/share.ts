/** What one more request costs, and what may be saved up. */
const ONE = 100
const MOST = 10 * ONE

/** Bounds what is asked twice to a share of the requests, over any stretch of them but for ten that may be saved up. */
export class Share {
  private readonly percent: number
  private credit = 0

  constructor(percent: number) {
    this.percent = percent
  }

  /** A request has come. */
  request(): void {
    this.credit = Math.min(this.credit + this.percent, MOST)
  }

  /** Whether it may be asked twice; if so, that is counted. */
  take(): boolean {
    if (this.credit < ONE) return false
    this.credit -= ONE
    return true
  }
}
