import { Aside } from '../aside/aside.ts'
import { Breaker } from '../breaker.ts'
import type { Exchange } from '../exchange.ts'
import type { Endpoint } from '../target.ts'
import type { Room } from './kept.ts'
import { Purse } from './purse.ts'
import type { MirrorSettings } from './settings.ts'

/** Mirrored requests that are under way at a time, over all rules of the sidecar. */
const MOST = 64
/** Kept of answers until they are compared, over all rules, bytes. */
const ROOM = 16 * 1024 * 1024

/** A mirror is no reason to keep asking what fails: after five failures in a row, it waits half a minute. */
const BREAKER = {
  consecutive: 5,
  percent: 100,
  minimum: 1000,
  within: 60_000,
  openFor: 30_000,
  probes: 1,
  rampUp: [100],
}

/** What outlives the configuration of a rule's mirror: what it may spend, and how the candidate has fared. */
export class Post {
  readonly purse: Purse
  /** Calls under way. */
  running = 0
  breaker: Breaker
  readonly #now: () => number
  #generation: number
  #target: string

  constructor({ budget, target }: MirrorSettings, generation: number, now: () => number) {
    this.purse = new Purse(budget, now)
    this.breaker = new Breaker(BREAKER, now)
    this.#now = now
    this.#generation = generation
    this.#target = target.id
  }

  /** Goes by these settings, unless it goes by newer ones already. `generation`: of the route. */
  adopt({ budget, target }: MirrorSettings, generation: number): void {
    if (generation < this.#generation) return
    this.#generation = generation
    this.purse.configure(budget)
    if (target.id === this.#target) return
    this.#target = target.id
    this.breaker = new Breaker(BREAKER, this.#now)
  }
}

interface Options {
  /** Monotonic ms. */
  readonly now: () => number
  /** Calls it soon, once what is being done now is done. */
  readonly soon: (work: () => void) => void
}

/** Bounds the mirrors of a sidecar, and has them begin when answers have left. */
export class MirrorDesk extends Aside implements Room {
  readonly #posts = new Map<string, Post>()
  readonly #options: Options
  /** Calls under way, by the load of their endpoint, the oldest first. */
  readonly #guests = new WeakMap<Endpoint['load'], Set<Exchange>>()
  #kept = 0
  #later: (() => void)[] = []

  constructor(options: Options) {
    super(MOST)
    this.#options = options
  }

  post(route: string, rule: string, settings: MirrorSettings, generation: number): Post {
    const key = `${route} ${rule}`
    let post = this.#posts.get(key)
    if (!post) this.#posts.set(key, (post = new Post(settings, generation, this.#options.now)))
    return post
  }

  /** Has something done once the answer that is on its way has left. */
  later(work: () => void): void {
    if (this.#later.push(work) > 1) return
    this.#options.soon(() => {
      const all = this.#later
      this.#later = []
      for (const each of all) each()
    })
  }

  /** Lets others have their turn: what nobody waits for is read in pieces. */
  pause(): Promise<void> {
    return new Promise((resolve) => this.#options.soon(resolve))
  }

  take(bytes: number): boolean {
    if (this.#kept + bytes > ROOM) return false
    this.#kept += bytes
    return true
  }

  give(bytes: number): void {
    this.#kept -= bytes
  }

  /** Whether an endpoint has room for a call that nobody waits for: half of what it takes is for callers at any time. */
  fits({ load, maxInFlight }: Endpoint): boolean {
    return load.inFlight + (this.#guests.get(load)?.size ?? 0) < maxInFlight / 2
  }

  /** A call goes out to an endpoint, or is over. */
  came({ load }: Endpoint, call: Exchange): void {
    const guests = this.#guests.get(load) ?? new Set()
    this.#guests.set(load, guests.add(call))
  }

  left({ load }: Endpoint, call: Exchange): void {
    this.#guests.get(load)?.delete(call)
  }

  /** A caller's request has gone out to an endpoint: where that is more than it takes, the oldest guest goes. */
  makeRoom({ load, maxInFlight }: Endpoint): void {
    const guests = this.#guests.get(load)
    if (!guests || guests.size === 0 || load.inFlight + guests.size <= maxInFlight) return
    const [oldest] = guests
    oldest?.end('displaced')
  }
}
