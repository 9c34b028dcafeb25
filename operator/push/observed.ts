import type { Report } from '../../api/protocol.ts'
import { DenseSketch } from '../../core/evidence/dense.ts'
import { LAST } from '../../core/evidence/sketch.ts'
import type { ObservedEndpoint, ObservedTarget } from '../fleet.ts'

/** Length of a step of the clock, ms; those that make up the last minute, and those of which attempts are kept. */
const STEP = 5000
const STEPS = 12
const KEPT = 24

type Target = Report['targets'][number]
interface Step {
  requests: number
  errors: number
  cost: number
  readonly latency: Map<number, number>
}
interface Counted {
  readonly target: Pick<ObservedTarget, 'route' | 'rule' | 'endpoint' | 'model'>
  /** What was told in each step of the clock. */
  readonly steps: Map<number, Step>
  /** Whether some told of costs and times: older sidecars do not. */
  whole: boolean
  /** What it adds up to, and in which step of the clock; undefined once more was told. */
  sum: { readonly at: number; readonly observed: ObservedTarget } | undefined
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
  /** The step of the clock up to which counts have been said to be too old. */
  #expired = 0
  readonly #endpoints = new Map<string, { readonly whole: Tally; readonly models: Map<string, Tally> }>()

  /** Adds a report in the place of the sidecar's one before, whose counts stay. `now` in ms. */
  add(report: Report, before: Report | undefined, now: number): void {
    const at = Math.floor(now / STEP)
    for (const told of report.targets) {
      const { route, rule, endpoint, model } = told
      if (told.requests === 0 && told.errors === 0 && !told.latency?.length) continue
      const key = JSON.stringify([route, rule, endpoint, model])
      let counted = this.#targets.get(key)
      if (!counted) {
        counted = { target: { route, rule, endpoint, model }, steps: new Map(), whole: false, sum: undefined }
        this.#targets.set(key, counted)
      }
      const step = counted.steps.get(at) ?? { requests: 0, errors: 0, cost: 0, latency: new Map<number, number>() }
      counted.steps.set(at, step)
      counted.sum = undefined
      counted.whole ||= told.cost !== undefined
      count(step, told)
    }
    if (before) this.#tally(before, -1)
    this.#tally(report, 1)
  }

  /** Forgets how a sidecar that left found its endpoints. */
  remove(report: Report): void {
    this.#tally(report, -1)
  }

  /** Drops what is too old; the routes whose counts of the last minute have changed by the passing of time. */
  expire(now: number): ReadonlySet<string> {
    const at = Math.floor(now / STEP)
    const routes = new Set<string>()
    for (const [key, { target, steps }] of this.#targets) {
      for (const step of steps.keys()) {
        if (step <= at - STEPS && step > this.#expired - STEPS) routes.add(target.route)
        if (step <= at - KEPT) steps.delete(step)
      }
      if (steps.size === 0) this.#targets.delete(key)
    }
    this.#expired = at
    return routes
  }

  /** Attempts of the minute before `now`. */
  targets(now: number): readonly ObservedTarget[] {
    const at = Math.floor(now / STEP)
    return [...this.#targets.values()].map((counted) => {
      if (counted.sum?.at !== at) counted.sum = { at, observed: sumOf(counted, at) }
      return counted.sum.observed
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
        tell(sum, isHealthy(model), isOpen(model), step)
        if (model.scarce) sum.scarce += step
        if (sum.told === 0) known.models.delete(model.model)
      }
      tell(known.whole, found.every(isHealthy), found.some(isOpen), step)
      if (known.whole.told === 0) this.#endpoints.delete(endpoint)
    }
  }
}

type Model = Report['models'][number]
const isOpen = ({ state }: Model) => state === 'open' || state === 'half-open'
const isHealthy = (model: Model) => model.healthy && !isOpen(model)
const tally = (): Tally => ({ healthy: 0, open: 0, scarce: 0, told: 0 })

function tell(sum: Tally, healthy: boolean, open: boolean, step: 1 | -1): void {
  sum.told += step
  if (healthy) sum.healthy += step
  if (open) sum.open += step
}

function count(step: Step, { requests, errors, cost = 0, latency = [] }: Target): void {
  step.requests += requests
  step.errors += errors
  step.cost += cost
  let bucket = 0
  for (let at = 0; at + 1 < latency.length; at += 2) {
    bucket += latency[at] ?? 0
    // There are no others: what a sidecar tells beyond is no sketch, and may not fill memory.
    if (bucket > LAST) return
    step.latency.set(bucket, (step.latency.get(bucket) ?? 0) + (latency[at + 1] ?? 0))
  }
}

/** Used again for each: it is large. */
const latency = new DenseSketch()

/** What was told of a target in the minute that ends with the step `at`. */
function sumOf({ target, steps, whole }: Counted, at: number): ObservedTarget {
  let [requests, errors, cost] = [0, 0, 0]
  latency.clear()
  const history = Array.from({ length: KEPT }, (_, index) => steps.get(at - KEPT + 1 + index)?.requests ?? 0)
  for (let step = at - STEPS + 1; step <= at; step++) {
    const found = steps.get(step)
    if (!found) continue
    requests += found.requests
    errors += found.errors
    cost += found.cost
    for (const [bucket, times] of found.latency) latency.put(bucket, times)
  }
  return { ...target, requests, errors, history, ...(whole ? { cost, latency: latency.wire() } : {}) }
}
