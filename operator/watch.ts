import type { ServerResponse } from 'node:http'
import type { Board } from './board/board.ts'
import type { ExperimentView } from './experiments.ts'
import type { Overview } from './overview.ts'
import type { RolloutView } from './rollouts.ts'

/** Where the operator, and a local run on its admin port, tell what changes. */
export const WATCH_PATH = '/v1/watch'

/** The parts of a watch, each with a right of its own: what `/v1/status` tells, what `/v1/rollouts` and `/v1/experiments` do, and the rows of the dashboard. */
export const PARTS = ['status', 'rollouts', 'board'] as const
export type Part = (typeof PARTS)[number]

/** Reads parts with commas between; undefined where one is none of them. */
export function readParts(text = 'status,rollouts'): ReadonlySet<Part> | undefined {
  const words = new Set(text.split(','))
  const parts = PARTS.filter((part) => words.has(part))
  return parts.length === words.size ? new Set(parts) : undefined
}

/** All that is told at a moment: the lists of `/v1/status`, of `/v1/rollouts` and of `/v1/experiments`, side by side. */
export interface WatchState extends Overview {
  readonly rollouts: readonly RolloutView[]
  readonly experiments: readonly ExperimentView[]
}

/** That, and the rows of the dashboard. */
type Told = WatchState & Board

/** What is different, by list: items that are new or changed, whole, and the keys of those that are gone. */
export interface WatchChange {
  readonly set: Partial<Told>
  readonly gone: Partial<Record<keyof Told, readonly string[]>>
}

type Lists = {
  readonly [L in keyof Told]: { readonly of: Part; readonly key: (it: Told[L][number]) => string }
}

/** Which part each list is of, and what an item is known by; a key begins with `namespace/`. */
const LISTS: Lists = {
  routes: { of: 'status', key: ({ name }) => name },
  endpoints: { of: 'status', key: ({ name }) => name },
  sidecars: { of: 'status', key: ({ pod }) => pod },
  rollouts: { of: 'rollouts', key: ({ route, rule }) => `${route}/${rule}` },
  experiments: { of: 'rollouts', key: ({ route, rule }) => `${route}/${rule}` },
  routeRows: { of: 'board', key: ({ name }) => name },
  endpointRows: { of: 'board', key: ({ name }) => name },
  sidecarRows: { of: 'board', key: ({ pod }) => pod },
}
const NAMES = Object.keys(LISTS) as (keyof Told)[] // it has exactly these

export interface WatchOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** What there is to tell of these parts; undefined while that is not known. */
  readonly state: (parts: ReadonlySet<Part>) => Partial<Told> | undefined
}

/** What one who watches wants to hear of. */
export interface Wanted {
  /** All of them where it is left out. */
  readonly namespace?: string | undefined
  readonly parts: ReadonlySet<Part>
}

/** Items by key, as JSON. */
type Items = ReadonlyMap<string, string>
interface Client extends Wanted {
  readonly response: ServerResponse
  /** What has changed since it was last written to. */
  readonly pending: Map<keyof Told, Set<string>>
  /** Heartbeats for which it has read nothing. */
  deaf: number
  /** Whether it was told the state. */
  told: boolean
}

/** Between two looks at what has changed, ms, and in how many times what a look takes. */
const EVERY = 250
const REST = 10
/** But no longer than this, unless a look itself is half as long: who watches is to see an edit within a second. */
const LONGEST_REST = 500
/** Rates and times go on where nothing else does: it is looked at so often in any case, ms. */
const PULSE = 1000
const HEARTBEAT = 15_000
/** Heartbeats that one may miss who does not read. */
const PATIENCE = 2
const AT_MOST = 100

/**
 * Tells those who watch what changes, as Server-Sent Events (`text/event-stream`; data is JSON in one line):
 * ```
 * event: state    data: {"routes": […], "endpoints": […], "sidecars": […], "rollouts": […], "experiments": […]}     first, and whenever all begins anew
 * event: change   data: {"set": {"rollouts": […]}, "gone": {"sidecars": ["ai/app-1"]}}          at most four times a second
 * event: end      data: {"message": "…"}                                                        why it ends; connect again
 * ```
 * Items are those of `/v1/status`, `/v1/rollouts` and `/v1/experiments`, always whole, and the rows of api/board.ts where the part `board` is asked for. An item of `routes` and `endpoints` is known by its `name`, of
 * `sidecars` by its `pod`, of `rollouts` and `experiments` by `route/rule` (`namespace/name/rule`): what is in `set` takes the place of the one with its key,
 * what is in `gone` goes. A list in which nothing changed is left out; lists of parts that were not asked for are never there. A line with a
 * colon alone every 15 s says that the connection lives.
 *
 * Looks only while somebody watches, once for all, and rests ten times as long as a look took, half a second at most. What one is told who
 * reads slowly is merged: a client costs at most the keys of what there is, and is let go where it has not read for half a minute.
 */
export class Watch {
  readonly #options: WatchOptions
  readonly #clients = new Set<Client>()
  /** What was looked at last: the lists that somebody wants. */
  #items: ReadonlyMap<keyof Told, Items> | undefined
  #timer: NodeJS.Timeout | undefined
  #heartbeat: NodeJS.Timeout | undefined
  #pulse: NodeJS.Timeout | undefined
  #notBefore = -Infinity

  constructor(options: WatchOptions) {
    this.#options = options
  }

  /** Whether there are as many who watch as may. */
  get full(): boolean {
    return this.#clients.size >= AT_MOST
  }

  /** How many watch. */
  get watching(): number {
    return this.#clients.size
  }

  /** Something may have changed. */
  changed(): void {
    if (this.#clients.size === 0 || this.#timer) return
    this.#timer = setTimeout(() => this.#look(), Math.max(0, this.#notBefore - this.#options.now())).unref()
  }

  /** Tells `response` the state and what changes, until the other end goes or `end` is called. Resolves then. */
  follow(response: ServerResponse, wanted: Wanted): Promise<void> {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // Proxies of the nginx kind would keep it back.
      'x-accel-buffering': 'no',
    })
    const client: Client = { ...wanted, response, pending: new Map(), deaf: 0, told: false }
    this.#clients.add(client)
    this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT).unref()
    this.#pulse ??= setInterval(() => this.changed(), PULSE).unref()
    response.on('drain', () => this.#flush(client))
    response.write('retry: 1000\n\n')
    // A look of a moment ago is told at once; what has changed since then is on its way.
    if (listsOf(wanted.parts).every((list) => this.#items?.has(list))) this.#tellState(client)
    else this.#look()
    this.changed()
    return new Promise((resolve) =>
      response.on('close', () => {
        this.#clients.delete(client)
        if (this.#clients.size === 0) this.#rest()
        resolve()
      }),
    )
  }

  /** Ends what `response` is told, or all who are told anything, saying why. */
  end(message: string, response?: ServerResponse): void {
    for (const client of this.#clients) {
      if (response && client.response !== response) continue
      if (!client.response.writableNeedDrain) client.response.end(event('end', { message }))
      else client.response.destroy()
    }
  }

  #rest(): void {
    clearTimeout(this.#timer)
    clearInterval(this.#heartbeat)
    clearInterval(this.#pulse)
    this.#timer = this.#heartbeat = this.#pulse = this.#items = undefined
  }

  #look(): void {
    this.#timer = undefined
    const begun = this.#options.now()
    const parts = new Set([...this.#clients].flatMap((client) => [...client.parts]))
    const state = this.#options.state(parts)
    if (!state) {
      this.#notBefore = begun + EVERY
      return this.changed()
    }
    const before = this.#items
    const items = new Map(listsOf(parts).map((list) => [list, itemsOf(state, list)]))
    this.#items = items
    for (const [list, now] of items) {
      const changed = before?.has(list) ? differing(before.get(list), now) : []
      for (const client of this.#clients) note(client, list, changed)
    }
    for (const client of this.#clients)
      if (client.told) this.#flush(client)
      else this.#tellState(client)
    const ended = this.#options.now()
    const took = ended - begun
    this.#notBefore = Math.max(begun + EVERY, ended + Math.min(REST * took, Math.max(LONGEST_REST, 2 * took)))
  }

  #tellState(client: Client): void {
    client.told = true
    client.pending.clear()
    const lists = listsOf(client.parts).map((list) => {
      const mine = [...(this.#items?.get(list) ?? [])].filter(([key]) => concerns(client, key))
      return `"${list}":[${mine.map(([, json]) => json).join(',')}]`
    })
    client.response.write(`event: state\ndata: {${lists.join(',')}}\n\n`)
  }

  /** Tells one what has changed, once it has read what it was told before. */
  #flush(client: Client): void {
    if (client.pending.size === 0 || client.response.writableNeedDrain || client.response.writableEnded) return
    const set: string[] = []
    const gone: string[] = []
    for (const [list, keys] of client.pending) {
      const now = [...keys].map((key) => ({ key, json: this.#items?.get(list)?.get(key) }))
      const there = now.flatMap(({ json }) => json ?? [])
      const absent = now.flatMap(({ key, json }) => (json === undefined ? [JSON.stringify(key)] : []))
      if (there.length > 0) set.push(`"${list}":[${there.join(',')}]`)
      if (absent.length > 0) gone.push(`"${list}":[${absent.join(',')}]`)
    }
    client.pending.clear()
    client.response.write(`event: change\ndata: {"set":{${set.join(',')}},"gone":{${gone.join(',')}}}\n\n`)
  }

  #beat(): void {
    for (const client of this.#clients) {
      client.deaf = client.response.writableNeedDrain ? client.deaf + 1 : 0
      if (client.deaf >= PATIENCE) client.response.destroy()
      else if (client.deaf === 0) client.response.write(':\n\n')
    }
  }
}

/** One event, as the stream has it. */
function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

const listsOf = (parts: ReadonlySet<Part>) => NAMES.filter((list) => parts.has(LISTS[list].of))

function itemsOf<L extends keyof Told>(state: Partial<Told>, list: L): Items {
  const { key } = LISTS[list]
  const found: readonly Told[L][number][] = state[list] ?? []
  return new Map(found.map((it) => [key(it), JSON.stringify(it)]))
}

function differing(before: Items = new Map(), now: Items): readonly string[] {
  return [
    ...[...now].flatMap(([key, json]) => (before.get(key) === json ? [] : [key])),
    ...[...before.keys()].filter((key) => !now.has(key)),
  ]
}

function note(client: Client, list: keyof Told, changed: readonly string[]): void {
  if (!client.parts.has(LISTS[list].of)) return
  const mine = changed.filter((key) => concerns(client, key))
  if (mine.length > 0) client.pending.set(list, new Set([...(client.pending.get(list) ?? []), ...mine]))
}

const concerns = ({ namespace }: Wanted, key: string): boolean =>
  namespace === undefined || key.startsWith(`${namespace}/`)
