import type { Carry, Learned, Merged, Retell } from '../api/protocol.ts'
import type { CompiledConfig } from '../api/compiled.ts'
import { learningKey } from '../core/bandits/memory.ts'
import type { Memories, Memory } from '../core/bandits/memory.ts'
import { strategy } from '../core/strategies/index.ts'
import { readArms, writeArms } from '../core/bandits/wire.ts'
import type { WireBase } from '../core/bandits/wire.ts'

interface Options {
  readonly memories: Memories
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly send: (learned: Learned) => void
  /** How often what is new is told at the latest, ms. */
  readonly every?: number
}

/** How one rule stands with the operator. */
interface Standing {
  /** When it was last told. */
  at: number
  /** Sidecars that learn under it. */
  peers: number
  /** What it carries for those that have gone. */
  base: WireBase | undefined
  /** Whether it has been told on this connection. */
  greeted: boolean
}

const EVERY = 5000
const TICK = 500
/** Rules in one message. */
const MOST = 64
/** Rewards of the whole fleet after which each tells its own. */
const REWARDS = 200

/**
 * Tells the operator what was learnt under each rule, every few seconds and on each connection, whole each time; and takes in what all
 * sidecars have learnt together.
 */
export class LearningLink {
  readonly #options: Options
  readonly #every: number
  readonly #standing = new WeakMap<Memory, Standing>()
  #timer: NodeJS.Timeout | undefined
  #open = false

  constructor(options: Options) {
    this.#options = options
    this.#every = options.every ?? EVERY
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#tell((standing, memory) => this.#due(standing, memory)), TICK)
  }

  /** Tells what is left to be told. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#tell((_, { learner }) => learner.news > 0)
  }

  /** A connection is there, and the operator knows who this is. */
  opened(): void {
    this.#open = true
    for (const { memory } of this.#options.memories.all()) this.#of(memory).greeted = false
    this.#tell(() => true)
  }

  closed(): void {
    this.#open = false
  }

  hear(message: Merged | Carry | Retell): void {
    if (message.type === 'retell') return this.opened()
    const memory = this.#find(message)
    if (!memory) return
    const standing = this.#of(memory)
    if (message.type === 'carry') {
      standing.base = message.base
      return
    }
    // Said to an earlier epoch of this one.
    if (message.epoch !== memory.epoch) return
    const arms = readArms(message.arms, memory.form.size)
    if (!arms) return
    standing.peers = Math.max(1, message.peers)
    if (message.closed) memory.rename(message.seq)
    memory.learner.take(arms, message.closed ? 0 : message.seq)
    if (message.closed) this.#tell((_, it) => it === memory)
  }

  /** What is known of each rule that learns: for people. */
  page(): object {
    const rules = [...this.#options.memories.all()].map(({ route, rule, memory }) => {
      const { peers, base } = this.#of(memory)
      const targets = memory.learner.arms().map(({ arm, count, weight, mean }) => ({
        target: arm,
        rewards: count,
        weight: Math.round(weight * 100) / 100,
        meanReward: Number.isNaN(mean) ? null : Math.round(mean * 10_000) / 10_000,
      }))
      const { epoch, learner } = memory
      return { route, rule, epoch, rewards: learner.seen, sidecars: peers, carries: base?.covers.length ?? 0, targets }
    })
    return { rules }
  }

  #due({ at, peers, greeted }: Standing, { learner }: Memory): boolean {
    const waited = this.#options.now() - at
    if (!greeted || learner.news >= Math.ceil(REWARDS / peers)) return true
    return (learner.news > 0 && waited >= this.#every) || (learner.unheard && waited >= 3 * this.#every)
  }

  #tell(which: (standing: Standing, memory: Memory) => boolean): void {
    if (!this.#open) return
    const rules: Learned['rules'][number][] = []
    for (const { route, rule, form, memory } of this.#options.memories.all()) {
      const standing = this.#of(memory)
      if (!which(standing, memory)) continue
      const base = standing.greeted ? undefined : standing.base
      standing.at = this.#options.now()
      standing.greeted = true
      const { seq, arms } = memory.learner.share()
      rules.push({
        route,
        rule,
        form: form.name,
        epoch: memory.epoch,
        seq,
        arms: writeArms(arms),
        ...(base ? { base } : {}),
      })
    }
    for (let at = 0; at < rules.length; at += MOST)
      this.#options.send({ type: 'learned', rules: rules.slice(at, at + MOST) })
  }

  #of(memory: Memory): Standing {
    const known = this.#standing.get(memory)
    if (known) return known
    const made = { at: this.#options.now(), peers: 1, base: undefined, greeted: false }
    this.#standing.set(memory, made)
    return made
  }

  #find({ route, rule, form }: Merged | Carry): Memory | undefined {
    for (const it of this.#options.memories.all())
      if (it.route === route && it.rule === rule && it.form.name === form) return it.memory
    return undefined
  }
}

/** The rules of a configuration that learn, by `learningKey`. */
export function learningKeys(config: CompiledConfig): ReadonlySet<string> {
  const keys = new Set<string>()
  for (const { body } of config.values())
    for (const { name: rule, strategy: of } of 'rules' in body ? body.rules : []) {
      const form = strategy(of.type).memory?.(of.settings ?? {})
      if (form && 'rules' in body) keys.add(learningKey({ route: body.name, rule, form }))
    }
  return keys
}
