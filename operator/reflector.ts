import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { ApiError, type ApiServer } from './api-server.ts'

/** What every object of the API server has. */
export interface KubeObject {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}

interface List {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: readonly KubeObject[] | null
}

export interface Watched<T> {
  /** The path of the collection, such as `/api/v1/pods`. */
  readonly path: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Keeps what is used of an object, so that memory holds no more; undefined keeps none of it. */
  readonly trim: (object: KubeObject) => T | undefined
}

/** Called for each object that what is kept of it differs, is new or has gone. */
export type Changed<T> = (name: string, now: T | undefined, before: T | undefined) => void

const PAGE = 500
const BACKOFF = { base: 200, cap: 10_000 }

/**
 * Keeps a copy of a collection: lists it in pages, then watches from there. A watch that ends resumes; one whose version is too old
 * (410) lists anew, and what has gone meanwhile is removed then, not before. After an error it waits, with full jitter, and goes on:
 * what it holds stays, so that a restart of the API server empties nothing.
 */
export class Reflector<T> {
  readonly items: ReadonlyMap<string, T>
  /** Resolves when the first list is in. */
  readonly synced: Promise<void>
  readonly #items = new Map<string, T>()
  readonly #digests = new Map<string, string>()
  readonly #api: ApiServer
  readonly #what: Watched<T>
  readonly #changed: Changed<T>
  readonly #log: Logger
  readonly #stop = new AbortController()
  readonly #run: Promise<void>
  #resolveSynced: () => void
  #version = ''
  #failures = 0

  constructor(api: ApiServer, what: Watched<T>, changed: Changed<T>, log: Logger) {
    this.items = this.#items
    this.#api = api
    this.#what = what
    this.#changed = changed
    this.#log = log
    const { promise, resolve } = Promise.withResolvers<void>()
    this.synced = promise
    this.#resolveSynced = resolve
    this.#run = this.#loop()
  }

  /** Stops watching; what it holds stays readable. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#run
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        if (!this.#version) await this.#list()
        await this.#watch()
      } catch (error) {
        if (signal.aborted) return
        this.#failures++
        // A version that the server no longer has, or not yet (etcd restored from a backup), is never worth asking for again.
        if (this.#failures > 3 || (error instanceof ApiError && error.status === 410)) this.#version = ''
        const gone = error instanceof ApiError && error.status === 410 && this.#failures === 1
        if (!gone)
          this.#log.warn({ path: this.#what.path, failures: this.#failures, error: String(error) }, 'watch failed')
        const bound = Math.min(BACKOFF.cap, BACKOFF.base * 2 ** Math.min(this.#failures, 10))
        await sleep(gone ? 0 : Math.random() * bound, undefined, { signal }).catch(() => {}) // stop() ends the wait
      }
    }
  }

  get #query() {
    return { labelSelector: this.#what.labelSelector, fieldSelector: this.#what.fieldSelector }
  }

  async #list(): Promise<void> {
    const seen = new Set<string>()
    let token: string | undefined
    let version: string
    do {
      const page: List = await this.#api.call<List>('GET', this.#what.path, {
        query: { ...this.#query, limit: PAGE, continue: token },
        signal: this.#stop.signal,
      })
      for (const object of page.items ?? []) {
        seen.add(key(object))
        this.#set(key(object), this.#what.trim(object))
      }
      token = page.metadata.continue
      version = page.metadata.resourceVersion
    } while (token)
    for (const gone of [...this.#items.keys()].filter((it) => !seen.has(it))) this.#set(gone, undefined)
    this.#version = version
    this.#failures = 0
    this.#resolveSynced()
  }

  async #watch(): Promise<void> {
    const from = { ...this.#query, resourceVersion: this.#version }
    await this.#api.watch(this.#what.path, from, this.#stop.signal, (event) => {
      if (event.type === 'ERROR') {
        const status = event.object as { code?: number; reason?: string; message?: string } // a metav1.Status, by the API's contract
        throw new ApiError(status.code ?? 500, status.reason ?? '', status.message ?? 'the watch ended with an error')
      }
      const object = event.object as KubeObject // every other event carries an object of the collection
      this.#version = object.metadata.resourceVersion ?? this.#version
      this.#failures = 0
      if (event.type !== 'BOOKMARK')
        this.#set(key(object), event.type === 'DELETED' ? undefined : this.#what.trim(object))
    })
  }

  /** The same thing keeps its identity, so that work done on it is not done again. */
  #set(name: string, now: T | undefined): void {
    const before = this.#items.get(name)
    const digest = now === undefined ? undefined : createHash('sha256').update(JSON.stringify(now)).digest('base64url')
    if (digest === this.#digests.get(name)) return
    if (now === undefined || digest === undefined) {
      this.#items.delete(name)
      this.#digests.delete(name)
    } else {
      this.#items.set(name, now)
      this.#digests.set(name, digest)
    }
    this.#changed(name, now, before)
  }
}

/** `namespace/name`, or the name alone where the kind has no namespace. */
function key({ metadata }: KubeObject): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name
}
