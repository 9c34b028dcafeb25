import type { Counted, Evidence as Message } from '../api/protocol.ts'
import { gatheringKey } from '../core/evidence/recorder.ts'
import type { Gathering } from '../core/evidence/recorder.ts'
import { tallies } from '../core/evidence/merged.ts'
import type { Tally } from '../core/evidence/tally.ts'
import { readArms, writeArms } from '../core/evidence/wire.ts'
import { Merged } from '../core/merging/merged.ts'
import { Gathered } from './gathered.ts'
import type { Peer } from './gathered.ts'

export interface EvidenceOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** The versions under which a rule gathers evidence now; empty: there is no such rule, or it gathers none. */
  readonly versions: (route: string, rule: string) => readonly string[]
}

interface State extends Gathering {
  readonly gathered: Gathered<Tally>
  /** The sum, until something more comes. */
  sum: ReadonlyMap<string, Tally> | undefined
  /** Listeners are to be told. */
  news: boolean
}

/** What is heard is answered, and told on, all together after so long, ms, or so many times as long as adding it up took the last time. */
const GATHER = 200
const REST = 10
const TICK = 1000
/** A sidecar tells what is new so often, ms; where there are many, each so much later that no more than so many tell in a second. */
const EVERY = 1000
const A_SECOND = 200

type Listener = (route: string, rule: string) => void

/**
 * Puts together what became of requests, under each version of a rule that gathers evidence (`core/merging/merged.ts`). It keeps nothing of
 * its own that the sidecars do not have, so that whoever leads next has all of it a moment later.
 */
export class Evidence {
  readonly #options: EvidenceOptions
  readonly #states = new Map<string, State>()
  readonly #listeners = new Set<Listener>()
  readonly #timer: NodeJS.Timeout
  /** Who is to be answered, with what. */
  readonly #answers = new Map<Peer['tell'], Map<State, Peer>>()
  #soon: NodeJS.Timeout | undefined
  /** What adding up has taken since the last time, ms, and how long to wait until the next. */
  #spent = 0
  #wait = GATHER
  #every = EVERY

  constructor(options: EvidenceOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#tick(), TICK).unref()
  }

  /** What a sidecar has counted. `pod`: its uid; `tell` reaches it for as long as it has not left. */
  hear(pod: string, { rules }: Message, tell: Peer['tell']): void {
    for (const { route, rule, version, epoch, seq, arms: told, base: carried } of rules) {
      const state = this.#state({ route, rule, version })
      const arms = state && readArms(told)
      if (!arms) continue
      const carriedArms = carried && readArms(carried.arms)
      const base = carried && carriedArms && { ...carried, arms: carriedArms }
      this.#answerTo(state.gathered.hear(pod, { epoch, seq, arms, base }, tell), state)
    }
    this.#soon ??= setTimeout(() => this.#flush(), this.#wait).unref()
  }

  /** A sidecar's connection has ended; `stopping`: for good. */
  left(pod: string, tell: Peer['tell'], stopping: boolean): void {
    this.#answers.delete(tell)
    for (const { gathered } of this.#states.values()) gathered.left(pod, tell, stopping, this.#options.now())
  }

  /** What became of the requests of a version so far, by arm; undefined where no sidecar has told of it. */
  totals(route: string, rule: string, version: string): ReadonlyMap<string, Tally> | undefined {
    const state = this.#states.get(gatheringKey({ route, rule, version }))
    if (!state) return undefined
    this.#look(state)
    const began = this.#options.now()
    state.sum ??= state.gathered.merged.sum()
    this.#spent += this.#options.now() - began
    return state.sum
  }

  /** The uids of the pods whose sidecars are connected and gather evidence under a version, whether or not they had a request. */
  peers(route: string, rule: string, version: string): ReadonlySet<string> {
    return new Set(this.#states.get(gatheringKey({ route, rule, version }))?.gathered.peers.keys())
  }

  /** `listener` hears of each rule of which there is more evidence, soon after it came. Returns what ends that. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Forgets all: another replica puts it together from here on, or nobody. */
  clear(): void {
    this.#states.clear()
    this.#answers.clear()
  }

  close(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
  }

  #state(gathering: Gathering): State | undefined {
    const { route, rule, version } = gathering
    // Another version: an edit is on its way to that sidecar, or to this replica, and it will tell again.
    if (!this.#options.versions(route, rule).includes(version)) return undefined
    const key = gatheringKey(gathering)
    const known = this.#states.get(key)
    if (known) return known
    const state = {
      route,
      rule,
      version,
      gathered: new Gathered<Tally>(new Merged(tallies)),
      sum: undefined,
      news: false,
    }
    this.#states.set(key, state)
    return state
  }

  #answerTo(peer: Peer, state: State): void {
    const answers = this.#answers.get(peer.tell) ?? new Map<State, Peer>()
    this.#answers.set(peer.tell, answers.set(state, peer))
  }

  #look(state: State): void {
    if (!state.gathered.dirty) return
    state.gathered.dirty = false
    state.sum = undefined
    state.news = true
  }

  #tick(): void {
    const now = this.#options.now()
    for (const [key, state] of this.#states) {
      const { route, rule, version, gathered } = state
      if (!this.#options.versions(route, rule).includes(version)) this.#states.delete(key)
      gathered.settle(now)
    }
    if (!this.#soon) this.#flush()
  }

  #flush(): void {
    clearTimeout(this.#soon)
    this.#soon = undefined
    this.#wait = Math.max(GATHER, REST * this.#spent)
    this.#spent = 0
    const peers = Math.max(0, ...[...this.#states.values()].map(({ gathered }) => gathered.peers.size))
    this.#every = Math.max(EVERY, Math.ceil((peers / A_SECOND) * 1000))
    for (const state of this.#states.values()) this.#carry(state)
    for (const [tell, answers] of this.#answers)
      tell(this.#text([...answers].map(([state, peer]) => named(state, peer))))
    this.#answers.clear()
    const changed = new Map<string, readonly [route: string, rule: string]>()
    for (const state of this.#states.values()) {
      this.#look(state)
      if (state.news) changed.set(`${state.route} ${state.rule}`, [state.route, state.rule])
      state.news = false
    }
    for (const [route, rule] of changed.values()) for (const listener of this.#listeners) listener(route, rule)
  }

  /** Those who are to carry a new base, and those whose name is closed, are answered though they have told nothing. */
  #carry(state: State): void {
    const { gathered } = state
    for (const peer of gathered.waiting) this.#answerTo(peer, state)
    gathered.waiting.clear()
    for (const peer of gathered.behind()) peer.tell(this.#text([{ ...named(state, peer), base: baseOf(state) }]))
  }

  #text(rules: Counted['rules']): string {
    return JSON.stringify({ type: 'counted', rules, every: this.#every } satisfies Counted)
  }
}

function named(state: State, peer: Peer): Counted['rules'][number] {
  const { route, rule, version, gathered } = state
  const standing = gathered.standing(peer)
  const name = { route, rule, version, epoch: peer.epoch, ...standing }
  // Whoever lets go of what is in the base has the base from then on, even if nobody else lives to tell.
  return standing.closed ? { ...name, base: baseOf(state) } : name
}

const baseOf = ({ gathered: { merged } }: State): NonNullable<Counted['rules'][number]['base']> => ({
  ...merged.base,
  arms: writeArms(merged.base.arms),
})
