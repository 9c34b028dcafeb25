import { Counter } from '../../core/evidence/counter.ts'
import type { Evidence } from '../../core/experiment/analysis.ts'
import { CLUSTERS } from '../../core/experiment/assignment.ts'
import { seeded } from '../../core/learning/random.ts'
import type { Random } from '../../core/learning/random.ts'
import { added, NO_SUMS } from '../../core/statistics/sums.ts'
import type { Sums } from '../../core/statistics/sums.ts'

/** Users who ask again and again, and are not alike. */
export interface People {
  readonly users: number
  /** Standard deviation of the logarithm of how often one asks. */
  readonly activity: number
  /** How much users differ in what their requests cost, fail and are worth. */
  readonly spread: number
  /** The treatment's part of them. */
  readonly part: number
  /** Each request is assigned by itself. */
  readonly oneByOne?: boolean
}

/** How the treatment's requests differ: costs by a factor, errors and marks by points. */
export interface Effect {
  readonly cost?: number
  readonly errors?: number
  readonly quality?: number
}

export const VALUES = ['cost', 'errors', 'quality'] as const
export type Value = (typeof VALUES)[number]

/** One experiment as it goes on. */
export interface Course {
  readonly evidence: Evidence
  /** The same by requests alone, for whoever takes them for independent. */
  readonly sums: Readonly<Record<Value, { control: Sums; treatment: Sums }>>
  /** So many more requests. */
  readonly ask: (count: number) => void
}

/** Costs are log-normal and grow with the size of requests, 2 % fail, marks are around 0.7. */
export function course(
  { users, activity, spread, part, oneByOne = false }: People,
  effect: Effect,
  seed: number,
): Course {
  const random = seeded(seed)
  const draw = () => ({ treated: random() < part, cluster: Math.floor(random() * CLUSTERS) })
  let total = 0
  const people = Array.from({ length: users }, () => {
    total += Math.exp(activity * gaussian(random))
    return { upTo: total, like: spread * gaussian(random), ...draw() }
  })
  const clusters = () => Array.from({ length: CLUSTERS }, () => new Counter())
  const arms = { control: clusters(), treatment: clusters() }
  const sums = {
    cost: { control: NO_SUMS, treatment: NO_SUMS },
    errors: { control: NO_SUMS, treatment: NO_SUMS },
    quality: { control: NO_SUMS, treatment: NO_SUMS },
  }
  const ask = (count: number) => {
    for (let i = 0; i < count; i++) {
      const person = people[placeOf(people, random() * total)]
      if (!person) continue
      const { treated, cluster } = oneByOne ? draw() : person
      const arm = treated ? 'treatment' : 'control'
      const more = treated ? effect : {}
      const size = Math.exp(0.7 * gaussian(random))
      const cost = Math.exp(0.5 * gaussian(random) + person.like) * size ** 0.8 * (more.cost ?? 1)
      const errors = random() < Math.min(1, 0.02 * Math.exp(person.like) + (more.errors ?? 0)) ? 1 : 0
      const mark = 0.7 + 0.2 * person.like + 0.1 * gaussian(random) + (more.quality ?? 0)
      const quality = Math.min(1, Math.max(0, mark))
      const counter = arms[arm][cluster]
      counter?.add({ cost, size, error: errors === 1 })
      counter?.rate(quality)
      for (const [name, value] of Object.entries({ cost, errors, quality }) as [Value, number][])
        // these three
        sums[name][arm] = added(sums[name][arm], { n: 1, sum: value, squares: value * value })
    }
  }
  return { evidence: new Map(Object.entries(arms)), sums, ask }
}

/** Whose requests lie around a point. */
function placeOf(people: readonly { readonly upTo: number }[], at: number): number {
  let [low, high] = [0, people.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((people[middle]?.upTo ?? 0) > at) high = middle
    else low = middle + 1
  }
  return low
}

const gaussian = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
