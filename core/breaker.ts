/** When a breaker opens, how it probes and how it comes back. Times in ms. */
export interface BreakerConfig {
  /** Failures in a row that open it. */
  readonly consecutive: number
  /** The share of failures that opens it, given at least `minimum` outcomes `within` the window. */
  readonly percent: number
  readonly minimum: number
  readonly within: number
  /** How long it stays open. */
  readonly openFor: number
  /** Requests at a time, and successes in a row, while it is half-open. */
  readonly probes: number
  /** Percent of its share after it closes, each step a tenth of `openFor` long; the last is 100. */
  readonly rampUp: readonly number[]
}

export type BreakerState = 'closed' | 'open' | 'half-open' | 'ramp'

/** What `admit` gives and the outcome hands back; 0: not admitted. */
export type Ticket = number

const BUCKETS = 10

/**
 * A circuit breaker with real requests as probes and a ramp after them (Nygard, Release It!, 2007; the ramp is slow start as Envoy has
 * it). Opens after failures in a row, or at a share of failures in a sliding window with a minimum of outcomes: never at a bare count,
 * which a busy endpoint reaches in good health.
 *
 * Outcomes carry the ticket of their admission, so that a request from before the breaker opened is no evidence of what came after.
 */
export class Breaker {
  /** Hears every change of state; those that time brings are noticed at the next request or look. */
  onChange: ((state: BreakerState) => void) | undefined
  private config: BreakerConfig
  private readonly now: () => number
  /** How long it stays open this time, ms; undefined: `openFor`. */
  private held: number | undefined
  private current: BreakerState = 'closed'
  private since = 0
  private epoch = 1
  private row = 0
  private probing = 0
  private passed = 0
  private readonly good = new Float64Array(BUCKETS)
  private readonly bad = new Float64Array(BUCKETS)
  private bucket = 0

  constructor(config: BreakerConfig, now: () => number) {
    this.config = config
    this.now = now
  }

  /** Takes effect at once and keeps the state: an edit of a threshold closes nothing. */
  configure(config: BreakerConfig): void {
    if (config.within !== this.config.within) this.forget()
    this.config = config
  }

  get state(): BreakerState {
    this.advance()
    return this.current
  }

  /** When the state began, of `now()`; for `closed` at the start: 0. */
  get changed(): number {
    return this.since
  }

  /** Opens it for so long, ms, whatever `openFor` says: it is known when asking will be of use again. Never shortens what holds already. */
  hold(ms: number): void {
    const until = this.now() + ms
    if (this.current === 'open' && this.reopens >= until) return
    if (this.current !== 'open') this.enter('open')
    this.held = until - this.since
  }

  /** Opened by `hold`, and still so. */
  get isHeld(): boolean {
    this.advance()
    return this.current === 'open' && this.held !== undefined
  }

  /** Whether a request may go: a ticket, which is handed back with its outcome, or 0. While half-open, `probes` go at a time. */
  admit(): Ticket {
    if (this.current === 'closed') return this.epoch
    this.advance()
    if (this.current === 'open') return 0
    if (this.current === 'half-open') {
      if (this.probing >= this.config.probes) return 0
      this.probing++
    }
    return this.epoch
  }

  /** What made it open is gone: probes go at once, not only after `openFor`. In any other state nothing changes. */
  probeNow(): void {
    if (this.current === 'open') this.enter('half-open')
  }

  /** How much of its share the target may have now, 0…1: for the choice, before anything is admitted. */
  share(): number {
    if (this.current === 'closed') return 1
    this.advance()
    if (this.current === 'open') return 0
    if (this.current === 'half-open') return this.probing < this.config.probes ? 1 : 0
    return this.current === 'ramp' ? this.step() / 100 : 1
  }

  /** The target did what it should. */
  success(ticket: Ticket): void {
    if (ticket !== this.epoch) return
    if (this.current === 'half-open') {
      this.probing--
      if (++this.passed >= this.config.probes) this.enter('ramp')
      return
    }
    this.row = 0
    this.rotate()
    this.good[this.bucket % BUCKETS] = (this.good[this.bucket % BUCKETS] ?? 0) + 1
  }

  /** The target failed. */
  failure(ticket: Ticket): void {
    if (ticket !== this.epoch) return
    if (this.current === 'half-open') {
      this.enter('open')
      return
    }
    this.rotate()
    this.bad[this.bucket % BUCKETS] = (this.bad[this.bucket % BUCKETS] ?? 0) + 1
    const { consecutive, percent, minimum } = this.config
    const failures = sum(this.bad)
    const outcomes = failures + sum(this.good)
    if (++this.row >= consecutive || (outcomes >= minimum && failures * 100 >= outcomes * percent)) this.enter('open')
  }

  /** The request ended in a way that says nothing of the target, such as with its caller leaving. */
  release(ticket: Ticket): void {
    if (ticket === this.epoch && this.current === 'half-open') this.probing--
  }

  private advance(): void {
    if (this.current === 'open' && this.now() >= this.reopens) this.enter('half-open')
    else if (this.current === 'ramp' && this.step() >= 100) this.enter('closed')
  }

  /** When an open one becomes half-open, of `now()`. */
  private get reopens(): number {
    return this.since + (this.held ?? this.config.openFor)
  }

  /** Percent of its share, while it ramps up. */
  private step(): number {
    const { openFor, rampUp } = this.config
    return rampUp[Math.floor((this.now() - this.since) / (openFor / 10))] ?? 100
  }

  private enter(state: BreakerState): void {
    this.current = state
    this.since = this.now()
    this.probing = this.passed = 0
    this.held = undefined
    // What was admitted during the ramp stays evidence once the ramp is over.
    if (state !== 'closed') {
      this.epoch++
      this.row = 0
      this.forget()
    }
    this.onChange?.(state)
    if (state === 'ramp') this.advance()
  }

  private forget(): void {
    this.good.fill(0)
    this.bad.fill(0)
  }

  /** Empties the buckets that time has passed over. */
  private rotate(): void {
    const at = Math.floor(this.now() / (this.config.within / BUCKETS))
    if (at === this.bucket) return
    // A change of the window's length may number the buckets backwards; all are empty then.
    const passed = at > this.bucket ? Math.min(at - this.bucket, BUCKETS) : BUCKETS
    for (let i = 0; i < passed; i++) this.good[(at - i) % BUCKETS] = this.bad[(at - i) % BUCKETS] = 0
    this.bucket = at
  }
}

function sum(buckets: Float64Array): number {
  let total = 0
  for (const count of buckets) total += count
  return total
}
