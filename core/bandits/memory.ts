import { contextReader, PRIOR } from './context.ts'
import { priorOf, UNKNOWN } from './form.ts'
import type { Form } from './form.ts'
import { Learner } from './learner.ts'
import { Pending } from './pending.ts'
import type { Belief } from './posterior.ts'
import { Purse } from './purse.ts'

/** An arm with what is expected of its quality beforehand, 0…1; NaN: nothing. */
export interface Expected {
  readonly id: string
  readonly rank: number
  readonly prior: number
}

/** An arm with what is believed of it for one request. */
export interface Believed extends Expected {
  readonly belief: Belief
  readonly count: number
}

/** How long a reward may take, ms. */
const WITHIN = 24 * 3_600_000

/** What is remembered of one rule: what its arms are worth, which decisions still wait for a reward, and what may be spent on exploring. */
export class Memory {
  readonly form: Form
  readonly learner: Learner
  /** Names this run of it among all: evidence under another name was seen by another. */
  epoch: string
  readonly #name: () => string
  readonly purse = new Purse()
  readonly #pending = new Pending(WITHIN)
  readonly #read: ((text: string) => Float64Array) | undefined
  readonly #one = Float64Array.of(1)

  /** `name` makes names that are all different. */
  constructor(form: Form, name: () => string) {
    this.form = form
    this.epoch = name()
    this.#name = name
    this.learner = new Learner(priorOf(form), form.gamma)
    this.#read = form.contextual ? contextReader() : undefined
  }

  /** The context of a text, which holds until the next is read. */
  context(text: string): Float64Array {
    return this.#read ? this.#read(text) : this.#one
  }

  /**
   * What is believed of the arms in that context. Of an arm of whose quality nothing is said, and that has had fewer than `pulls` rewards, as
   * much is expected as of its neighbour on the ladder.
   */
  believe(arms: readonly Expected[], x: Float64Array, pulls: number): readonly Believed[] {
    const known = arms.map((arm) => {
      const count = this.learner.count(arm.id)
      return { ...arm, count, certain: !Number.isNaN(arm.prior) || count >= pulls, belief: this.#belief(arm, x, 0) }
    })
    const certain = known.filter((it) => it.certain)
    return known.map(({ certain: is, ...arm }) => {
      if (is || certain.length === 0) return arm
      const distance = (it: Believed) => Math.abs(it.rank - arm.rank)
      const sibling = certain.reduce((near, it) => (distance(it) < distance(near) ? it : near))
      return { ...arm, belief: this.#belief(arm, x, sibling.belief.mean - UNKNOWN) }
    })
  }

  /** The answer of an arm has gone out, and may be rewarded. `x`: as it was read; `prior`: as it was expected. `now` in ms. */
  await(decision: string, arm: string, x: Float64Array, prior: number, now: number): void {
    this.#pending.add(decision, arm, this.#with(x, prior), now)
  }

  /** A reward in [0, 1] for an answer that nothing is awaited of. */
  observe(arm: string, x: Float64Array, prior: number, reward: number): void {
    this.learner.observe(arm, this.#with(x, prior), reward)
  }

  /** A reward in [0, 1]; a later one stands in the place of the one before. Whether the decision was known. */
  reward(decision: string, reward: number, now: number): boolean {
    const awaited = this.#pending.find(decision, now)
    if (!awaited) return false
    const { arm, x, reward: before } = awaited
    if (before === undefined) this.learner.observe(arm, x, reward)
    else if (before !== reward) this.learner.correct(arm, x, reward - before)
    awaited.reward = reward
    return true
  }

  /** Goes on under another name, with what was seen after the share `seq`, since that one is counted as of one that has gone. */
  rename(seq: number): void {
    this.learner.rename(seq)
    this.epoch = this.#name()
  }

  #belief({ id, prior }: Expected, x: Float64Array, more: number): Belief {
    const given = Number.isNaN(prior) ? UNKNOWN : prior
    if (!this.form.contextual) return this.learner.belief(id, x, given - UNKNOWN + more)
    x[PRIOR] = given
    return this.learner.belief(id, x, more)
  }

  #with(x: Float64Array, prior: number): Float64Array {
    const own = x.slice()
    if (this.form.contextual) own[PRIOR] = Number.isNaN(prior) ? UNKNOWN : prior
    return own
  }
}

/** A rule that learns, and what its evidence is like. */
export interface Learning {
  /** `namespace/name` of the route. */
  readonly route: string
  readonly rule: string
  readonly form: Form
}

/** Names a rule that learns among all; of another form it is another one. */
export const learningKey = ({ route, rule, form }: Learning): string => JSON.stringify([route, rule, form.name])

/** The memories of all rules, which outlive the configurations that name them. */
export class Memories {
  readonly #name: () => string
  readonly #all = new Map<string, Learning & { readonly memory: Memory }>()

  /** `name` makes names that are all different, over all places and times. */
  constructor(name: () => string) {
    this.#name = name
  }

  /** That of a rule; a new one where there is none of its form. */
  of(learning: Learning): Memory {
    const known = this.find(learning)
    if (known) return known
    const memory = new Memory(learning.form, this.#name)
    this.#all.set(learningKey(learning), { ...learning, memory })
    return memory
  }

  find(learning: Learning): Memory | undefined {
    return this.#all.get(learningKey(learning))?.memory
  }

  all(): Iterable<Learning & { readonly memory: Memory }> {
    return this.#all.values()
  }

  /** Forgets the rules that are not among these, by `learningKey`. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#all.keys()) if (!keys.has(key)) this.#all.delete(key)
  }

  /** A reward in [0, 1] for a decision by its id; whether any rule knows it. `now` in ms, of the same clock as decisions. */
  reward(decision: string, reward: number, now: number): boolean {
    return [...this.#all.values()].some(({ memory }) => memory.reward(decision, reward, now))
  }
}
