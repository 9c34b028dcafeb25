import { createHash } from 'node:crypto'
import type { Carry, Learned, Merged as MergedMessage } from '../api/protocol.ts'
import type { Form } from '../core/bandits/form.ts'
import { learningKey } from '../core/bandits/memory.ts'
import type { Learning as Rule } from '../core/bandits/memory.ts'
import { Merged } from '../core/bandits/merged.ts'
import { readArms, writeArms } from '../core/bandits/wire.ts'

export interface LearningOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** What the evidence of a rule is like; undefined: there is no such rule, or it does not learn. */
  readonly form: (route: string, rule: string) => Form | undefined
}

/** A sidecar that learns under a rule. */
interface Peer {
  readonly epoch: string
  /** Its run among all, under which its evidence is kept. */
  readonly place: string
  readonly tell: (text: string) => void
  /** Of the base that it carries; 0: none. */
  carries: number
}

interface State extends Rule {
  readonly merged: Merged
  readonly peers: Map<string, Peer>
  /** When those that have gone went, by pod. */
  readonly gone: Map<string, { readonly place: string; readonly at: number }>
  /** Rewards in what was told last, and when that was. */
  told: number
  at: number
  /** Something has come since. */
  dirty: boolean
  /** Those that have just come, or whose name is closed: they are told with the next tick, all at once, since a sum is work. */
  readonly waiting: Set<Peer>
}

/** The fleet is told after so many ms, or so many rewards, the sooner; but not before a second has passed. */
const EVERY = 5000
const REWARDS = 200
const TICK = 1000
/** A sidecar that is back so soon is the same one. */
const GRACE = 10_000
/** So many sidecars carry what those that have gone have learnt. */
const CARRIERS = 8

/**
 * Puts together what sidecars learn under each rule, and tells them all (`core/bandits/merged.ts`). It keeps nothing of its own that the
 * sidecars do not have: each tells all that it has seen whenever it connects, and some carry what those had seen that have gone.
 */
export class Learning {
  readonly #options: LearningOptions
  readonly #rules = new Map<string, State>()
  readonly #timer: NodeJS.Timeout

  constructor(options: LearningOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#tick(), TICK).unref()
  }

  /** What a sidecar has learnt. `pod`: its uid; `tell` reaches it for as long as it has not left. */
  hear(pod: string, { rules }: Learned, tell: (text: string) => void): void {
    for (const said of rules) {
      const state = this.#state(said.route, said.rule, said.form)
      const arms = state && readArms(said.arms, state.form.size)
      if (!arms) continue
      const { merged, peers, gone } = state
      const carried = said.base && readArms(said.base.arms, state.form.size)
      if (said.base && carried && merged.adopt({ ...said.base, arms: carried })) {
        state.dirty = true
        // Some that are here may be among those that it has as gone.
        for (const peer of peers.values()) if (merged.closed(peer.place) !== undefined) state.waiting.add(peer)
      }
      const place = placeOf(pod, said.epoch)
      const before = peers.get(pod)?.place ?? gone.get(pod)?.place
      // A pod has one sidecar: the one before has ended.
      if (before !== undefined && before !== place) merged.fold(before)
      gone.delete(pod)
      const known = peers.get(pod)
      const peer: Peer =
        known?.place === place && known.tell === tell
          ? known
          : { epoch: said.epoch, place, tell, carries: said.base?.version ?? 0 }
      peers.set(pod, peer)
      if (merged.put(place, { seq: said.seq, arms }) && arms.size > 0) state.dirty = true
      if (peer !== known || merged.closed(place) !== undefined) state.waiting.add(peer)
    }
  }

  /** A sidecar's connection has ended; `stopping`: for good. */
  left(pod: string, tell: (text: string) => void, stopping: boolean): void {
    for (const { peers, gone } of this.#rules.values()) {
      const peer = peers.get(pod)
      // It may be here again already, on another connection.
      if (peer?.tell !== tell) continue
      peers.delete(pod)
      gone.set(pod, { place: peer.place, at: stopping ? -Infinity : this.#options.now() })
    }
  }

  /** Forgets all: another replica puts it together from here on, or nobody. */
  clear(): void {
    this.#rules.clear()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #state(route: string, rule: string, name: string): State | undefined {
    const form = this.#options.form(route, rule)
    // Another form: an edit is on its way to that sidecar.
    if (!form || form.name !== name) return undefined
    const key = learningKey({ route, rule, form })
    const known = this.#rules.get(key)
    if (known) return known
    const merged = new Merged(form.gamma)
    const state = {
      route,
      rule,
      form,
      merged,
      peers: new Map(),
      gone: new Map(),
      told: 0,
      at: this.#options.now(),
      dirty: false,
      waiting: new Set<Peer>(),
    }
    this.#rules.set(key, state)
    return state
  }

  #tick(): void {
    const now = this.#options.now()
    for (const [key, state] of this.#rules) {
      const { route, rule, form, gone, merged, peers } = state
      if (this.#options.form(route, rule)?.name !== form.name) {
        this.#rules.delete(key)
        continue
      }
      for (const [pod, { place, at }] of gone) {
        if (now - at < GRACE) continue
        gone.delete(pod)
        merged.fold(place)
      }
      if (state.dirty && (now - state.at >= EVERY || merged.count - state.told >= REWARDS)) {
        state.at = now
        state.told = merged.count
        state.dirty = false
        this.#tell(state, peers.values())
      } else if (state.waiting.size > 0) this.#tell(state, state.waiting)
      state.waiting.clear()
      this.#carry(state)
    }
  }

  #tell({ route, rule, form, merged, peers }: State, to: Iterable<Peer>): void {
    const rest = JSON.stringify({ route, rule, form: form.name, peers: peers.size, arms: writeArms(merged.sum()) })
    for (const { epoch, place, tell } of to) {
      const closed = merged.closed(place)
      const own = {
        type: 'merged',
        epoch,
        seq: closed ?? merged.seqOf(place),
        closed: closed !== undefined,
      } satisfies Partial<MergedMessage>
      tell(`${JSON.stringify(own).slice(0, -1)},${rest.slice(1)}`)
    }
  }

  #carry({ route, rule, form, merged, peers }: State): void {
    const { base } = merged
    const behind = [...peers.values().take(CARRIERS)].filter(({ carries }) => carries < base.version)
    if (behind.length === 0) return
    const text = JSON.stringify({
      type: 'carry',
      route,
      rule,
      form: form.name,
      base: { ...base, arms: writeArms(base.arms) },
    } satisfies Carry)
    for (const peer of behind) {
      peer.carries = base.version
      peer.tell(text)
    }
  }
}

/** A run of a pod's sidecar, short: names of many that have gone are carried along. */
function placeOf(pod: string, epoch: string): string {
  return createHash('sha256').update(`${pod}\n${epoch}`).digest('base64url').slice(0, 16)
}
