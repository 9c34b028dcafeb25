import type { RolloutView } from '../rollouts.ts'
import { Delivery } from './delivery.ts'
import type { DeliveryOptions } from './delivery.ts'
import { changeOf, messageOf } from './message.ts'
import type { Subscription } from './subscription.ts'

/** A change of phase that is older was told by whoever led then, ms. */
const RECENT = 10 * 60_000
const REMEMBERED = 10_000

/**
 * Tells receivers of each change of a rollout's phase. Only the leader does. One that begins to lead tells again what changed in the last ten
 * minutes, since the one before may not have: each change is told at least once, by one id. Never makes the engine wait.
 */
export class Notifier {
  readonly #views: () => readonly RolloutView[]
  readonly #deliveries: readonly { readonly to: Subscription; readonly by: Delivery }[]
  readonly #told = new Set<string>()
  #leading = false

  /** `views`: the rollouts as they are. */
  constructor(subscriptions: readonly Subscription[], views: () => readonly RolloutView[], options: DeliveryOptions) {
    this.#views = views
    this.#deliveries = subscriptions.map((to) => ({ to, by: new Delivery(to, options) }))
  }

  /** How many messages have not come to their end. */
  get waiting(): number {
    return this.#deliveries.reduce((sum, { by }) => sum + by.waiting, 0)
  }

  /** Says whether this replica leads. What has not arrived by then, the next leader tells. */
  lead(leading: boolean): void {
    this.#leading = leading
    if (leading) return this.changed()
    for (const { by } of this.#deliveries) for (const { id } of by.clear()) this.#told.delete(id)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#deliveries.map(({ by }) => by.close()))
  }

  /** What has become of the rollouts of a route, or of any, is written down. */
  changed(route?: string): void {
    if (!this.#leading || this.#deliveries.length === 0) return
    for (const rollout of this.#views()) {
      if (route !== undefined && rollout.route !== route) continue
      const id = changeOf(rollout)
      if (this.#told.has(id)) continue
      this.#told.add(id)
      if (Date.now() - Date.parse(rollout.since) > RECENT) continue
      const namespace = rollout.route.slice(0, rollout.route.indexOf('/'))
      for (const { to, by } of this.#deliveries)
        if (to.on.includes(rollout.phase) && (to.namespaces?.includes(namespace) ?? true))
          by.take(messageOf(rollout, to))
    }
    // The oldest first: what is forgotten is too old to be told again.
    for (const id of this.#told) {
      if (this.#told.size <= REMEMBERED) break
      this.#told.delete(id)
    }
  }
}
