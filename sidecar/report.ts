import type { Report } from '../api/protocol.ts'
import type { BreakerState } from '../core/breaker.ts'
import { Sketch } from '../core/evidence/sketch.ts'
import { writeSketch } from '../core/evidence/wire.ts'
import { plenty } from '../core/availability.ts'
import type { Endpoint } from '../core/target.ts'
import type { Metrics, TargetCounts } from './metrics.ts'

interface Options {
  readonly metrics: Metrics
  readonly endpoints: () => Iterable<Endpoint>
  /** Milliseconds since the configuration in force came into force. */
  readonly age: () => number
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** What audits have found. */
  readonly promises: () => NonNullable<Report['promises']>
  readonly send: (report: Report) => void
  /** How often counts are sent, ms. */
  readonly every?: number
}

const EVERY = 5000
/** Changes within so short a time travel together, ms. */
const TOGETHER = 20
/** With nothing to say, one of so many is sent all the same. */
const IDLE = 6

/** Tells the operator what this sidecar has seen: counts every few seconds, and a change of a breaker or of health at once. */
export class Reporter {
  private readonly options: Options
  private readonly every: number
  private readonly told = new WeakMap<TargetCounts, Pick<TargetCounts, 'requests' | 'errors' | 'cost'>>()
  private timer: NodeJS.Timeout | undefined
  private soon: NodeJS.Timeout | undefined
  private since: number
  private models = ''
  private skipped = 0

  constructor(options: Options) {
    this.options = options
    this.every = options.every ?? EVERY
    this.since = options.now()
  }

  start(): void {
    this.timer ??= setInterval(() => this.report(false), this.every)
  }

  stop(): void {
    clearInterval(this.timer)
    clearTimeout(this.soon)
    this.timer = this.soon = undefined
  }

  /** Hears of every breaker of these endpoints from now on, and tells `heard` too. */
  watch(
    endpoints: Iterable<Endpoint>,
    heard: (endpoint: string, model: string, state: BreakerState) => void = () => {},
  ): void {
    for (const { name, models } of endpoints)
      for (const model of models.values())
        model.state.breaker.onChange = (state) => {
          heard(name, model.name, state)
          this.changed()
        }
  }

  /** Something changed that the operator should know at once, or it is there again. */
  changed(): void {
    if (!this.timer) return
    this.soon ??= setTimeout(() => {
      this.soon = undefined
      this.report(true)
    }, TOGETHER)
  }

  private report(always: boolean): void {
    const { now, age, send, endpoints } = this.options
    const models = [...endpoints()].flatMap(modelsOf)
    const promises = this.options.promises()
    const text = JSON.stringify([models, promises])
    const targets = this.counts()
    const silent = !always && targets.length === 0 && text === this.models && ++this.skipped < IDLE
    if (silent) return
    this.skipped = 0
    this.models = text
    const at = now()
    send({ type: 'report', window: Math.round(at - this.since), targets, models, promises, age: age() })
    this.since = at
  }

  /** What was counted since it was last told. */
  private counts(): Report['targets'][number][] {
    const targets: Report['targets'][number][] = []
    for (const counts of this.options.metrics.targets()) {
      const { route, rule, endpoint, model, requests, errors, cost, latency } = counts
      const before = this.told.get(counts) ?? { requests: 0, errors: 0, cost: 0 }
      if (requests === before.requests && latency.count === 0) continue
      targets.push({
        route,
        rule,
        endpoint,
        model,
        requests: requests - before.requests,
        errors: errors - before.errors,
        cost: cost - before.cost,
        latency: writeSketch(latency),
      })
      this.told.set(counts, { requests, errors, cost })
      counts.latency = new Sketch()
    }
    return targets
  }
}

function modelsOf(endpoint: Endpoint): Report['models'][number][] {
  const { name, models, addresses } = endpoint
  const healthy = addresses.some((address) => address.healthy)
  return [...models.values()].map((model) => ({
    endpoint: name,
    model: model.name,
    state: model.state.breaker.state,
    healthy,
    ...(plenty({ endpoint, model }) < 1 ? { scarce: true } : {}),
  }))
}
