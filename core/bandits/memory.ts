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
  /** Names this run of it among all: evidence under another name was seen by another. */
  readonly epoch: string
  readonly learner: Learner
  readonly purse = new Purse()
  readonly #pending = new Pending(WITHIN)
  readonly #read: ((text: string) => Float64Array) | undefined
  readonly #one = Float64Array.of(1)

  constructor(form: Form, epoch: string) {
    this.form = form
    this.epoch = epoch
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

/** The memories of all rules, which outlive the configurations that name them. */
export class Memories {
  readonly #random: () => number
  readonly #byRule = new Map<string, Memory>()

  constructor(random: () => number) {
    this.#random = random
  }

  /** That of a rule, `namespace/name RULE`; a new one where it is to be of another form than before. */
  of(rule: string, form: Form): Memory {
    const known = this.#byRule.get(rule)
    if (known?.form.name === form.name) return known
    const made = new Memory(form, Math.floor(this.#random() * 2 ** 52).toString(36))
    this.#byRule.set(rule, made)
    return made
  }

  find(rule: string): Memory | undefined {
    return this.#byRule.get(rule)
  }

  entries(): Iterable<readonly [string, Memory]> {
    return this.#byRule.entries()
  }

  /** Forgets the rules that are not among these. */
  keep(rules: ReadonlySet<string>): void {
    for (const rule of this.#byRule.keys()) if (!rules.has(rule)) this.#byRule.delete(rule)
  }

  /** A reward in [0, 1] for a decision by its id; whether any rule knows it. `now` in ms, of the same clock as decisions. */
  reward(decision: string, reward: number, now: number): boolean {
    return [...this.#byRule.values()].some((memory) => memory.reward(decision, reward, now))
  }
}
