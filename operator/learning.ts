import type { Carry, Learned, Merged as MergedMessage } from '../api/protocol.ts'
import type { Form } from '../core/bandits/form.ts'
import { learningKey } from '../core/bandits/memory.ts'
import type { Learning as Rule } from '../core/bandits/memory.ts'
import { Merged } from '../core/bandits/merged.ts'
import type { Dated } from '../core/bandits/share.ts'
import { readArms, writeArms } from '../core/bandits/wire.ts'
import { Gathered } from './gathered.ts'
import type { Peer } from './gathered.ts'

export interface LearningOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** What the evidence of a rule is like; undefined: there is no such rule, or it does not learn. */
  readonly form: (route: string, rule: string) => Form | undefined
}

interface State extends Rule {
  readonly gathered: Gathered<Dated>
  /** Rewards in what was told last, and when that was. */
  told: number
  at: number
}

/** The fleet is told after so many ms, or so many rewards, the sooner; but not before a second has passed. */
const EVERY = 5000
const REWARDS = 200
const TICK = 1000

/** Puts together what sidecars learn under each rule, and tells them all. */
export class Learning {
  readonly #options: LearningOptions
  readonly #rules = new Map<string, State>()
  readonly #timer: NodeJS.Timeout

  constructor(options: LearningOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#tick(), TICK).unref()
  }

  /** What a sidecar has learnt. `pod`: its uid; `tell` reaches it for as long as it has not left. */
  hear(pod: string, { rules }: Learned, tell: Peer['tell']): void {
    for (const { route, rule, form, epoch, seq, arms: told, base: carried } of rules) {
      const state = this.#state(route, rule, form)
      const arms = state && readArms(told, state.form.size)
      if (!arms) continue
      const carriedArms = carried && readArms(carried.arms, state.form.size)
      const base = carried && carriedArms && { ...carried, arms: carriedArms }
      state.gathered.hear(pod, { epoch, seq, arms, base }, tell)
    }
  }

  /** A sidecar's connection has ended; `stopping`: for good. */
  left(pod: string, tell: Peer['tell'], stopping: boolean): void {
    for (const { gathered } of this.#rules.values()) gathered.left(pod, tell, stopping, this.#options.now())
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
    const gathered = new Gathered<Dated>(new Merged(form.gamma))
    const state = { route, rule, form, gathered, told: 0, at: this.#options.now() }
    this.#rules.set(key, state)
    return state
  }

  #tick(): void {
    const now = this.#options.now()
    for (const [key, state] of this.#rules) {
      const { route, rule, form, gathered } = state
      if (this.#options.form(route, rule)?.name !== form.name) {
        this.#rules.delete(key)
        continue
      }
      gathered.settle(now)
      const { merged, waiting, peers } = gathered
      if (gathered.dirty && (now - state.at >= EVERY || merged.count - state.told >= REWARDS)) {
        state.at = now
        state.told = merged.count
        gathered.dirty = false
        this.#tell(state, peers.values())
      } else if (waiting.size > 0) this.#tell(state, waiting)
      waiting.clear()
      this.#carry(state)
    }
  }

  /** All of them at once with each tick, since a sum is work. */
  #tell({ route, rule, form, gathered }: State, to: Iterable<Peer>): void {
    const arms = writeArms(gathered.merged.sum())
    const rest = JSON.stringify({ route, rule, form: form.name, peers: gathered.peers.size, arms })
    for (const peer of to) {
      const own = { type: 'merged', epoch: peer.epoch, ...gathered.standing(peer) } satisfies Partial<MergedMessage>
      peer.tell(`${JSON.stringify(own).slice(0, -1)},${rest.slice(1)}`)
    }
  }

  #carry({ route, rule, form, gathered }: State): void {
    const behind = gathered.behind()
    if (behind.length === 0) return
    const { base } = gathered.merged
    const carried = { ...base, arms: writeArms(base.arms) }
    const text = JSON.stringify({ type: 'carry', route, rule, form: form.name, base: carried } satisfies Carry)
    for (const { tell } of behind) tell(text)
  }
}
