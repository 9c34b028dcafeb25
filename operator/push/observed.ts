import type { Report } from '../../api/protocol.ts'
import type { ObservedEndpoint, ObservedTarget } from '../fleet.ts'

const STEP = 5000
const STEPS = 12

interface Counted {
  readonly target: Omit<ObservedTarget, 'requests' | 'errors'>
  /** Requests and errors by the step of the clock in which they were told. */
  readonly steps: Map<number, { requests: number; errors: number }>
}
interface Tally {
  healthy: number
  open: number
  scarce: number
  /** Sidecars that tell of it. */
  told: number
}

/** What the sidecars' reports add up to: attempts of the last minute, and how they find each endpoint. */
export class Observed {
  readonly #targets = new Map<string, Counted>()
  readonly #endpoints = new Map<string, { readonly whole: Tally; readonly models: Map<string, Tally> }>()

  /** Adds a report in the place of the sidecar's one before, whose counts stay. `now` in ms. */
  add(report: Report, before: Report | undefined, now: number): void {
    const step = Math.floor(now / STEP)
    for (const { requests, errors, ...target } of report.targets) {
      if (requests === 0 && errors === 0) continue
      const key = JSON.stringify([target.route, target.rule, target.endpoint, target.model])
      const counted = this.#targets.get(key) ?? { target, steps: new Map() }
      this.#targets.set(key, counted)
      const sum = counted.steps.get(step) ?? { requests: 0, errors: 0 }
      counted.steps.set(step, sum)
      sum.requests += requests
      sum.errors += errors
    }
    if (before) this.#tally(before, -1)
    this.#tally(report, 1)
  }

  /** Forgets how a sidecar that left found its endpoints. */
  remove(report: Report): void {
    this.#tally(report, -1)
  }

  /** Drops what is more than a minute old; the routes whose counts have changed by it. */
  expire(now: number): ReadonlySet<string> {
    const oldest = Math.floor(now / STEP) - STEPS
    const routes = new Set<string>()
    for (const [key, { target, steps }] of this.#targets) {
      for (const step of steps.keys()) if (step <= oldest && steps.delete(step)) routes.add(target.route)
      if (steps.size === 0) this.#targets.delete(key)
    }
    return routes
  }

  /** Attempts of the minute before `now`. */
  targets(now: number): readonly ObservedTarget[] {
    const oldest = Math.floor(now / STEP) - STEPS
    return [...this.#targets.values()].map(({ target, steps }) => {
      let requests = 0
      let errors = 0
      for (const [step, sum] of steps) {
        if (step <= oldest) continue
        requests += sum.requests
        errors += sum.errors
      }
      return { ...target, requests, errors }
    })
  }

  endpoints(): readonly ObservedEndpoint[] {
    return [...this.#endpoints].map(([endpoint, { whole, models }]) => ({
      endpoint,
      healthy: whole.healthy,
      open: whole.open,
      models: [...models].map(([name, { healthy, open, scarce }]) => ({ name, healthy, open, scarce })),
    }))
  }

  #tally({ models }: Report, step: 1 | -1): void {
    const byEndpoint = Map.groupBy(models, ({ endpoint }) => endpoint)
    for (const [endpoint, found] of byEndpoint) {
      const known = this.#endpoints.get(endpoint) ?? { whole: tally(), models: new Map<string, Tally>() }
      this.#endpoints.set(endpoint, known)
      for (const model of found) {
        const sum = known.models.get(model.model) ?? tally()
        known.models.set(model.model, sum)
        count(sum, isHealthy(model), isOpen(model), step)
        if (model.scarce) sum.scarce += step
        if (sum.told === 0) known.models.delete(model.model)
      }
      count(known.whole, found.every(isHealthy), found.some(isOpen), step)
      if (known.whole.told === 0) this.#endpoints.delete(endpoint)
    }
  }
}

type Model = Report['models'][number]
const isOpen = ({ state }: Model) => state === 'open' || state === 'half-open'
const isHealthy = (model: Model) => model.healthy && !isOpen(model)
const tally = (): Tally => ({ healthy: 0, open: 0, scarce: 0, told: 0 })

function count(sum: Tally, healthy: boolean, open: boolean, step: 1 | -1): void {
  sum.told += step
  if (healthy) sum.healthy += step
  if (open) sum.open += step
}
