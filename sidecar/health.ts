import { NO_BYTES } from '../core/bytes.ts'
import type { Deps, Receiver, Running } from '../core/deps.ts'
import { requestHeaders } from '../core/headers.ts'
import type { ConfiguredEndpoint, Place } from './endpoints.ts'

/** Asks each address of the endpoints that want it, at an interval of their own, and marks those that do not answer well. */
export class HealthChecks {
  /** Hears that an address is healthy again, or no more. */
  onChange: ((endpoint: string, address: string, healthy: boolean) => void) | undefined
  private readonly deps: Pick<Deps, 'random'>
  private readonly checks = new Map<Place, Check>()

  constructor(deps: Pick<Deps, 'random'>) {
    this.deps = deps
  }

  /** Starts the checks of new addresses, goes on with those that stay, and stops the others. */
  update(endpoints: Iterable<ConfiguredEndpoint>): void {
    const gone = new Set(this.checks.keys())
    for (const endpoint of endpoints) {
      if (!endpoint.config.health) continue
      for (const place of endpoint.addresses) {
        gone.delete(place)
        const check = this.checks.get(place)
        if (check) check.endpoint = endpoint
        else
          this.checks.set(place, new Check(endpoint, place, this.deps.random, (healthy) => this.tell(place, healthy)))
      }
    }
    for (const place of gone) {
      this.checks.get(place)?.stop()
      this.checks.delete(place)
    }
  }

  stop(): void {
    this.update([])
  }

  private tell(place: Place, healthy: boolean): void {
    this.onChange?.(this.checks.get(place)?.endpoint.name ?? '', place.name, healthy)
  }
}

/** The checks of one address: one at a time, counted in a row. */
class Check implements Receiver {
  endpoint: ConfiguredEndpoint
  private readonly place: Place
  private readonly random: () => number
  private readonly changed: (healthy: boolean) => void
  private timer: NodeJS.Timeout
  private running: Running | undefined
  private status = 0
  private row = 0

  constructor(endpoint: ConfiguredEndpoint, place: Place, random: () => number, changed: (healthy: boolean) => void) {
    this.endpoint = endpoint
    this.place = place
    this.random = random
    this.changed = changed
    // The first anywhere in an interval: pods that start together do not ask together.
    this.timer = setTimeout(() => this.ask(), random() * this.interval)
  }

  stop(): void {
    clearTimeout(this.timer)
    this.running?.abort()
  }

  // What becomes of the call. The body is of no interest.
  sent(): void {}
  head(status: number): void {
    this.status = status
  }
  data(): boolean {
    return true
  }
  ended(): void {
    this.over(this.status >= 200 && this.status < 300)
  }
  failed(): void {
    this.over(false)
  }

  private get interval(): number {
    return this.endpoint.config.health?.interval ?? 0
  }

  private ask(): void {
    const { endpoint, place } = this
    const { health } = endpoint.config
    if (!health) return
    this.status = 0
    const headers = requestHeaders(['user-agent', 'tradewind-health'], endpoint, 'health')
    this.timer = setTimeout(() => {
      this.running?.abort()
      this.over(false)
    }, health.timeout)
    this.running = place.call({ method: 'GET', path: health.path, headers, body: NO_BYTES }, this)
  }

  private over(passed: boolean): void {
    const { place, endpoint } = this
    clearTimeout(this.timer)
    this.running = undefined
    const { unhealthyAfter = 1, healthyAfter = 1 } = endpoint.config.health ?? {}
    // How many in a row were other than what the address counts as.
    this.row = passed === place.healthy ? 0 : this.row + 1
    if (this.row >= (place.healthy ? unhealthyAfter : healthyAfter)) {
      this.row = 0
      place.healthy = passed
      this.changed(passed)
    }
    this.timer = setTimeout(() => this.ask(), this.interval * (0.9 + 0.2 * this.random()))
  }
}
