import type { AttemptFacts, Exchange } from '../exchange.ts'

/** Audits that are under way at a time, over all rules of the sidecar. */
const MOST = 8

/** What a rule may still spend on audits, picodollars. It starts empty: nothing is lent but the last audit. */
export interface Purse {
  balance: number
}

/** What calls have cost, picodollars; those without a price are not counted. */
export const priced = (attempts: readonly Pick<AttemptFacts, 'cost'>[]): number =>
  attempts.reduce((sum, { cost = 0 }) => sum + cost, 0)

/** Bounds the audits of a sidecar: how many at a time, what they cost, and none once it is stopping. */
export class AuditDesk {
  private readonly purses = new Map<string, Purse>()
  /** The calls that are under way. */
  private readonly calls = new Set<Exchange>()
  private running = 0
  private closed = false

  /** The purse of a rule, which outlives the configuration that names it. */
  purse(route: string, rule: string): Purse {
    const key = `${route} ${rule}`
    let purse = this.purses.get(key)
    if (!purse) this.purses.set(key, (purse = { balance: 0 }))
    return purse
  }

  /** Whether one more may begin; if so, it has. */
  enter(): boolean {
    if (this.closed || this.running >= MOST) return false
    this.running++
    return true
  }

  /** One is over. */
  leave(): void {
    this.running--
  }

  /** A call of an audit goes out, or is over. */
  began(call: Exchange): void {
    this.calls.add(call)
    if (this.closed) call.end('draining')
  }

  ended(call: Exchange): void {
    this.calls.delete(call)
  }

  /** The sidecar is stopping: no audit begins any more, and those that are under way end at once. */
  close(): void {
    this.closed = true
    for (const call of this.calls) call.end('draining')
  }
}
