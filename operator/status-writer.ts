import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import { API_VERSION } from '../api/resource.ts'
import { modelEndpoint } from '../api/model-endpoint.ts'
import { modelRoute } from '../api/model-route.ts'
import { ApiError, type ApiServer } from './api-server.ts'
import type { Rate } from './rate.ts'
import { difference, settle, type Status } from './settle.ts'
import type { Stored } from './source/kubernetes.ts'

export interface StatusWriterOptions {
  /** What the API server holds, by `KIND namespace/name`, as far as the watches have brought it. */
  readonly stored: (key: string) => Stored | undefined
  /** Bounds the writes of all objects together. */
  readonly rate: Rate
  /** Called after each write with the status before and after. */
  readonly written: (key: string, uid: string, before: unknown, after: Status) => void
}

const MANAGER = 'tradewind-operator'
/** Counts alone are written this often for an object, ms. */
const COUNTS_EVERY = 5000
/** For so long our own write is the truth, until the watch has brought it, ms. */
const ECHO = 2000
const AT_ONCE = 8

interface Due {
  readonly status: Status
  readonly at: number
}

/**
 * Writes statuses by server-side apply: transitions of conditions at once, counts alone at most every 5 s an object, nothing that is
 * there already, and all within a rate. Only the leader writes. A write that fails is tried again with what is wanted by then.
 */
export class StatusWriter {
  readonly #api: ApiServer
  readonly #options: StatusWriterOptions
  readonly #log: Logger
  readonly #due = new Map<string, Due>()
  /** Only as long as it matters. */
  readonly #written = new LRUCache<string, { readonly status: unknown; readonly at: number }>({
    max: 2000,
    ttl: COUNTS_EVERY,
  })
  readonly #busy = new Set<string>()
  #leading = false
  #timer: NodeJS.Timeout | undefined

  constructor(api: ApiServer, options: StatusWriterOptions, log: Logger) {
    this.#api = api
    this.#options = options
    this.#log = log
  }

  /** Says whether this replica may write. What was due with another leader is not ours to write. */
  lead(leading: boolean): void {
    this.#leading = leading
    if (leading) return
    this.#due.clear()
    this.#written.clear()
    clearTimeout(this.#timer)
  }

  /** Takes what statuses should be, by `KIND namespace/name`; those that are not named stay as they are wanted. */
  update(wanted: Iterable<readonly [string, Status]>): void {
    if (!this.#leading) return
    for (const [key, status] of wanted) this.#consider(key, status)
    this.#pump()
  }

  /** How many writes are waiting. */
  get waiting(): number {
    return this.#due.size
  }

  /** Resolves when no write is under way. */
  async idle(): Promise<void> {
    while (this.#busy.size > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  #consider(key: string, status: Status): void {
    const stored = this.#options.stored(key)
    if (!stored) return
    const last = this.#written.get(key)
    const now = performance.now()
    const known = last && now - last.at < ECHO ? last.status : stored.status
    const differs = difference(status, known)
    if (differs === 'none') this.#due.delete(key)
    else
      this.#due.set(key, {
        status,
        at: differs === 'count' ? Math.max(now, (last?.at ?? -Infinity) + COUNTS_EVERY) : now,
      })
  }

  #pump(): void {
    clearTimeout(this.#timer)
    if (!this.#leading) return
    const now = performance.now()
    let next = Infinity
    for (const [key, { at }] of this.#due) {
      if (this.#busy.has(key)) continue
      if (at > now) next = Math.min(next, at)
      else if (this.#busy.size < AT_ONCE) void this.#write(key)
      else return // whoever ends pumps again
    }
    if (next < Infinity) this.#timer = setTimeout(() => this.#pump(), next - now)
  }

  async #write(key: string): Promise<void> {
    this.#busy.add(key)
    try {
      await this.#options.rate.take()
      const due = this.#due.get(key)
      const stored = this.#options.stored(key)
      this.#due.delete(key)
      if (!due || !stored || !this.#leading) return
      const last = this.#written.get(key)
      const before = last && performance.now() - last.at < ECHO ? last.status : stored.status
      const status = settle(due.status, before, new Date().toISOString().replace(/\.\d+Z$/, 'Z'))
      try {
        await this.#apply(key, stored.uid, status)
        this.#written.set(key, { status, at: performance.now() })
        this.#options.written(key, stored.uid, before, status)
      } catch (error) {
        // Gone, or another object of the same name by now: what the watch brings next is compiled anew.
        if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return
        this.#log.warn({ key, error: String(error) }, 'a status could not be written')
        // What the API server does not admit it will not admit a second time either; what is wanted next may be another thing.
        if (error instanceof ApiError && (error.status === 400 || error.status === 422)) return
        if (!this.#due.has(key))
          this.#due.set(key, { status: due.status, at: performance.now() + 1000 + Math.random() * 1000 })
      }
    } finally {
      this.#busy.delete(key)
      this.#pump()
    }
  }

  async #apply(key: string, uid: string, status: Status): Promise<void> {
    const [kind = '', full = ''] = key.split(' ')
    const [namespace = '', name = ''] = full.split('/')
    const { plural } = kind === modelRoute.kind ? modelRoute : modelEndpoint
    await this.#api.apply(
      `/apis/${API_VERSION}/namespaces/${namespace}/${plural}/${name}/status`,
      { apiVersion: API_VERSION, kind, metadata: { name, namespace, uid }, status },
      MANAGER,
    )
  }
}
