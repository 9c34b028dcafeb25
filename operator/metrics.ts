import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { Outcome } from './notifications/delivery.ts'
import type { Webhook } from './webhooks.ts'

/** What the operator's gauges show at the moment they are read. */
export interface Gauges {
  readonly connected: number
  readonly queued: number
  /** ms. */
  readonly oldest: number
  readonly statusWrites: number
  readonly leading: boolean
  /** Who watches, and messages about rollouts that are on their way. */
  readonly watching: number
  readonly notifications: number
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** The operator's metrics: every name, once. `read` gives what the gauges show. */
export class Metrics {
  readonly registry = new Registry()
  readonly #convergence: Histogram
  readonly #compile: Histogram
  readonly #pushes: Counter
  readonly #bytes: Counter
  readonly #acknowledgements: Counter
  readonly #rejections: Counter
  readonly #refused: Counter
  readonly #admissions: Counter
  readonly #notifications: Counter

  constructor(read: () => Gauges) {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    const histogram = (name: string, help: string) => new Histogram({ name, help, registers, buckets: SECONDS })
    const counter = (name: string, help: string, labelNames: string[] = []) =>
      new Counter({ name, help, registers, labelNames })
    const gauge = (name: string, help: string, value: (gauges: Gauges) => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value(read()))
        },
      })
    this.#convergence = histogram(
      'tradewind_operator_convergence_seconds',
      'From the arrival of an edit to the acknowledgement of the last sidecar that it concerns.',
    )
    this.#compile = histogram('tradewind_operator_compile_seconds', 'Compiling the world after a change.')
    this.#pushes = counter('tradewind_operator_pushes_total', 'Updates sent to sidecars.')
    this.#bytes = counter('tradewind_operator_push_bytes_total', 'Bytes of updates sent to sidecars.')
    this.#acknowledgements = counter(
      'tradewind_operator_acknowledgements_total',
      'Updates that a sidecar acknowledged.',
    )
    this.#rejections = counter('tradewind_operator_rejections_total', 'Updates that a sidecar refused.')
    this.#refused = counter('tradewind_operator_connections_refused_total', 'Sidecars that were not let in.')
    this.#admissions = counter('tradewind_operator_admissions_total', 'Admission reviews answered.', [
      'webhook',
      'allowed',
    ])
    this.#notifications = counter(
      'tradewind_operator_notifications_total',
      'What became of messages about rollouts: delivered, retried, failed, dropped.',
      ['outcome'],
    )
    gauge('tradewind_operator_watchers', 'Streams of changes that this replica serves.', (it) => it.watching)
    gauge('tradewind_operator_notifications_queue', 'Messages about rollouts that wait.', (it) => it.notifications)
    gauge('tradewind_operator_connected_sidecars', 'Sidecars connected to this replica.', (it) => it.connected)
    gauge('tradewind_operator_push_queue', 'Connected sidecars that are not up to date.', (it) => it.queued)
    gauge(
      'tradewind_operator_oldest_unacknowledged_seconds',
      'How long the oldest edit has been waiting for its last acknowledgement.',
      (it) => it.oldest / 1000,
    )
    gauge('tradewind_operator_status_queue', 'Status writes that are waiting.', (it) => it.statusWrites)
    gauge('tradewind_operator_leader', '1 where this replica leads.', (it) => Number(it.leading))
  }

  /** Times are in ms. */
  converged(ms: number): void {
    this.#convergence.observe(ms / 1000)
  }
  compiled(ms: number): void {
    this.#compile.observe(ms / 1000)
  }
  pushed(bytes: number): void {
    this.#pushes.inc()
    this.#bytes.inc(bytes)
  }
  acknowledged(): void {
    this.#acknowledgements.inc()
  }
  rejected(): void {
    this.#rejections.inc()
  }
  refusedConnection(): void {
    this.#refused.inc()
  }
  admitted(webhook: Webhook, allowed: boolean): void {
    this.#admissions.inc({ webhook, allowed: String(allowed) })
  }
  notified(outcome: Outcome): void {
    this.#notifications.inc({ outcome })
  }
}
