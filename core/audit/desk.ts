import { Aside } from '../aside/aside.ts'
import type { AttemptFacts } from '../exchange.ts'

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
export class AuditDesk extends Aside {
  readonly #purses = new Map<string, Purse>()

  constructor() {
    super(MOST)
  }

  /** The purse of a rule, which outlives the configuration that names it. */
  purse(route: string, rule: string): Purse {
    const key = `${route} ${rule}`
    let purse = this.#purses.get(key)
    if (!purse) this.#purses.set(key, (purse = { balance: 0 }))
    return purse
  }
}
