import { randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import { API_VERSION } from '../api/resource.ts'
import { microTime, type ApiServer } from './api-server.ts'
import type { Happening } from './events.ts'
import type { Rate } from './rate.ts'

interface Series {
  readonly path: string
  count: number
  flush: NodeJS.Timeout | undefined
}

const CONTROLLER = 'tradewind.dev/operator'
/** The same again within this time is the same Event, ms (the API's own example: 6 minutes). */
const SAME = 6 * 60_000
/** How often the count of a series is written, ms. */
const COUNT_EVERY = 10_000
/** Where more happens than may be written, what would be told later than this is not told at all, ms: what waits takes memory. */
const LATEST = 30_000

/** Writes Events (`events.k8s.io/v1`). The same about the same object is one Event with a rising count; a failure to write one is only logged, and so is one too many. */
export class EventRecorder {
  readonly #api: ApiServer
  readonly #instance: string
  readonly #rate: Rate
  readonly #log: Logger
  readonly #series = new LRUCache<string, Series>({ max: 5000, ttl: SAME, updateAgeOnGet: true })

  /** `instance`: this replica. `rate` bounds all writes together. */
  constructor(api: ApiServer, instance: string, rate: Rate, log: Logger) {
    this.#api = api
    this.#instance = instance
    this.#rate = rate
    this.#log = log
  }

  /** Records that something happened to the object `KIND namespace/name` of that uid. */
  record(key: string, uid: string, { type, reason, note }: Happening): void {
    const [kind = '', full = ''] = key.split(' ')
    const [namespace = '', name = ''] = full.split('/')
    const signature = JSON.stringify([uid, type, reason, note])
    const known = this.#series.get(signature)
    if (known) {
      known.count++
      known.flush ??= setTimeout(() => this.#count(known), COUNT_EVERY).unref()
      return
    }
    if (this.#rate.wait > LATEST) return this.#log.debug({ key, reason }, 'too many Events: one is left out')
    const events = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`
    const eventName = `${name.slice(0, 220)}.${randomBytes(8).toString('hex')}`
    this.#series.set(signature, { path: `${events}/${eventName}`, count: 1, flush: undefined })
    void this.#write('POST', events, {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: eventName, namespace },
      eventTime: microTime(),
      reportingController: CONTROLLER,
      reportingInstance: this.#instance,
      action: 'Reconcile',
      type,
      reason,
      note: note.slice(0, 1024),
      regarding: { apiVersion: API_VERSION, kind, namespace, name, uid },
    })
  }

  #count(series: Series): void {
    series.flush = undefined
    void this.#write(
      'PATCH',
      series.path,
      { series: { count: series.count, lastObservedTime: microTime() } },
      'application/merge-patch+json',
    )
  }

  async #write(method: 'POST' | 'PATCH', path: string, body: object, contentType?: string): Promise<void> {
    try {
      await this.#rate.take()
      await this.#api.call(method, path, { body, ...(contentType ? { contentType } : {}) })
    } catch (error) {
      this.#log.debug({ path, error: String(error) }, 'an Event could not be written')
    }
  }
}
