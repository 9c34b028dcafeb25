import { add, copyOf, correct, fade, noEvidence, observe } from './evidence.ts'
import type { Evidence } from './evidence.ts'
import { Posterior } from './posterior.ts'
import type { Belief } from './posterior.ts'
import { advance, clockAt, copyOfDated, worth } from './share.ts'
import type { Dated, Share } from './share.ts'
import { readArms, writeArms } from './wire.ts'

interface Known {
  /** Seen here, and seen elsewhere. */
  readonly own: Dated
  others: Dated
  readonly posterior: Posterior
}

/** So many shares are remembered: an operator that begins anew may yet learn that an earlier one is counted as of one that has gone. */
const REMEMBERED = 16

/**
 * What one place knows of the arms of a rule: what it has seen itself since it began, and the newest that it was told of the others. It
 * tells the first as a whole each time, under a rising number, and is told the sum of all with the number that is in it.
 */
export class Learner {
  readonly size: number
  readonly gamma: number
  /** θ₀. */
  readonly #prior: Float64Array
  readonly #arms = new Map<string, Known>()
  /** What was told, by its number. */
  readonly #told = new Map<number, ReadonlyMap<string, Dated>>()
  #seq = 0
  #heard = 0
  /** Observations since the last share. */
  #news = 0

  /** `prior` is θ₀, as long as a context; `gamma` is what an observation is still worth when the next has come. */
  constructor(prior: Float64Array, gamma: number) {
    this.size = prior.length
    this.gamma = gamma
    this.#prior = prior
  }

  /** Rewards of an arm, over all time and places. */
  count(arm: string): number {
    const known = this.#arms.get(arm)
    return known ? known.own.evidence.count + known.others.evidence.count : 0
  }

  /** Rewards of all arms. */
  get seen(): number {
    return [...this.#arms.keys()].reduce((sum, arm) => sum + this.count(arm), 0)
  }

  /** Each arm with its rewards, over all time and places: how many, what they still weigh, and their mean; NaN: none. */
  arms(): readonly { readonly arm: string; readonly count: number; readonly weight: number; readonly mean: number }[] {
    return [...this.#arms].map(([arm, { own, others }]) => {
      const { count, weight, vector } = summed(own.evidence, others.evidence)
      return { arm, count, weight, mean: weight > 0 ? (vector[0] ?? 0) / weight : Number.NaN }
    })
  }

  /** Whether something that was told has not been heard of since. */
  get unheard(): boolean {
    return this.#seq > this.#heard
  }

  /** Observations that no share has told yet. */
  get news(): number {
    return this.#news
  }

  /** What is believed of an arm's quality in that context; `more`: what was expected beforehand besides the prior. */
  belief(arm: string, x: Float64Array, more = 0): Belief {
    const { posterior, own, others } = this.#known(arm)
    if (posterior.due(own.evidence.weight + others.evidence.weight))
      posterior.refresh(summed(own.evidence, others.evidence), this.#prior)
    return posterior.belief(x, more)
  }

  /** A reward in [0, 1]; every arm's clock goes on. */
  observe(arm: string, x: Float64Array, reward: number): void {
    this.#known(arm)
    for (const [id, { own, others, posterior }] of this.#arms) {
      const clock = own.clock + (id === arm ? clockAt(1, 1) : clockAt(0, 1))
      advance(own, clock, this.gamma)
      advance(others, clock, this.gamma)
      posterior.changed(clockAt(id === arm ? 1 : 0, 1))
    }
    observe(this.#known(arm).own.evidence, x, reward)
    this.#news++
  }

  /** A reward that was observed was other than was said. */
  correct(arm: string, x: Float64Array, difference: number): void {
    const { own, posterior } = this.#known(arm)
    correct(own.evidence, x, difference)
    posterior.changed(1)
    this.#news++
  }

  /** All that was seen here, under the next number. */
  share(): Share {
    const arms = new Map(
      [...this.#arms].filter(([, { own }]) => own.evidence.count > 0).map(([arm, { own }]) => [arm, own]),
    )
    // As it is read at the other end: rounding must not come back as something that others have seen.
    const told = readArms(writeArms(arms), this.size) ?? copyOfDated(arms)
    this.#told.set(++this.#seq, told)
    this.#told.delete(this.#seq - REMEMBERED)
    this.#news = 0
    return { seq: this.#seq, arms: told }
  }

  /** The sum over all places, in which the share `seq` of this one is; 0: none of it is. */
  take(sum: ReadonlyMap<string, Dated>, seq: number): void {
    const mine = this.#told.get(seq)
    // Of an earlier run, or older than what was heard before: the next one will do.
    if (seq < this.#heard || (seq > 0 && !mine)) return
    this.#heard = seq
    let [fresh, all] = [0, 0]
    const since = new Map<string, number>()
    for (const [arm, { own }] of this.#arms) {
      fresh = own.evidence.count - (mine?.get(arm)?.evidence.count ?? 0)
      since.set(arm, fresh)
      all += fresh
    }
    for (const [arm, { evidence, clock }] of sum) {
      const known = this.#known(arm)
      const now = Math.max(known.own.clock, clock + clockAt(since.get(arm) ?? 0, all))
      const others = { evidence: copyOf(evidence), clock }
      const included = mine?.get(arm)
      if (included) add(others.evidence, included.evidence, worth(this.gamma, clock - included.clock), -1)
      advance(others, now, this.gamma)
      advance(known.own, now, this.gamma)
      known.others = others
      known.posterior.changed(Infinity)
    }
  }

  /**
   * Goes on as another place, with what was seen here after the share `seq`: that one is counted as of a place that has gone. What came
   * before a share that is not remembered is not told apart, and all of it is let go.
   */
  rename(seq: number): void {
    const mine = this.#told.get(seq)
    this.#news = 0
    for (const [arm, { own, posterior }] of this.#arms) {
      const counted = mine?.get(arm)
      if (mine && counted) add(own.evidence, counted.evidence, worth(this.gamma, own.clock - counted.clock), -1)
      if (!mine) {
        fade(own.evidence, 0)
        own.evidence.count = 0
      }
      this.#news += own.evidence.count
      posterior.changed(Infinity)
    }
    this.#told.clear()
    this.#seq = this.#heard = 0
  }

  #known(arm: string): Known {
    const known = this.#arms.get(arm)
    if (known) return known
    // A new arm's clock stands where those of arms without rewards do.
    const clock = clockAt(0, this.seen)
    const made = {
      own: { evidence: noEvidence(this.size), clock },
      others: { evidence: noEvidence(this.size), clock },
      posterior: new Posterior(this.size),
    }
    this.#arms.set(arm, made)
    return made
  }
}

function summed(own: Evidence, others: Evidence): Evidence {
  const sum = copyOf(others)
  add(sum, own, 1)
  return sum
}
