import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counter } from '../evidence/counter.ts'
import { seeded } from '../learning/random.ts'
import type { Random } from '../learning/random.ts'
import { difference } from '../../test/helpers/difference.ts'
import { sequence } from '../statistics/means.ts'
import { added, NO_SUMS } from '../statistics/sums.ts'
import { analyse } from './analysis.ts'
import type { Known, MetricPlan, Question } from './analysis.ts'
import { CLUSTERS } from './assignment.ts'

const ALPHA = 0.05
const gaussian = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

const cost: MetricPlan = { metric: 'Cost', primary: true, direction: 'Decrease', minimumEffect: 0.05 }
const quality: MetricPlan = { metric: 'Quality', primary: true, direction: 'Increase', minimumEffect: 0.02 }
const errors: MetricPlan = { metric: 'ErrorRate', primary: true, direction: 'Decrease', minimumEffect: 0.01 }

/** A request's value for a unit that is like so much, at a size; and how it is counted. */
interface World {
  readonly plan: MetricPlan
  readonly value: (unit: number, size: number, treated: boolean, random: Random) => number
  readonly count: (counter: Counter, value: number, size: number) => void
}
const costs = (spread: number, effect = 0): World => ({
  plan: cost,
  value: (unit, size, treated, random) =>
    Math.exp(0.5 * gaussian(random) + spread * unit) * size ** 0.8 * (treated ? 1 + effect : 1),
  count: (counter, value, size) => counter.add({ cost: value, size }),
})
const marks: World = {
  plan: quality,
  value: (unit, _, __, random) => Math.min(1, Math.max(0, 0.7 + 0.1 * unit + 0.1 * gaussian(random))),
  count: (counter, value, size) => {
    counter.add({ size })
    counter.rate(value)
  },
}
const failures: World = {
  plan: errors,
  value: (unit, _, __, random) => (random() < 0.02 * Math.exp(unit) ? 1 : 0),
  count: (counter, value, size) => counter.add({ error: value === 1, size }),
}

interface Setting {
  readonly units: number
  readonly weights?: readonly [control: number, treatment: number]
  readonly oneByOne?: boolean
  readonly runs?: number
  readonly looks?: number
  /** How much some units ask more than others. */
  readonly activity?: number
}

/** How often intervals missed the truth at some look: ours, and those of a test that takes requests for independent; and how wide ours ended. */
function coverage({ plan, value, count }: World, truth: number, setting: Setting) {
  const { units, weights = [1, 1], oneByOne = false, runs = 150, looks = 30, activity = 0.8 } = setting
  const names = ['control', 'treatment'] as const
  const arms = names.map((name, i) => ({ name, weight: weights[i] ?? 1 }))
  const question: Question = { arms, control: 'control', metrics: [plan], alpha: ALPHA, oneByOne }
  const part = weights[1] / (weights[0] + weights[1])
  let [ours, naive, mismatches, width] = [0, 0, 0, 0]
  for (let run = 0; run < runs; run++) {
    const random = seeded(run + 1)
    const draw = () => ({ treated: random() < part, cluster: Math.floor(random() * CLUSTERS) })
    let total = 0
    const people = Array.from({ length: units }, () => {
      total += Math.exp(activity * gaussian(random))
      return { upTo: total, like: gaussian(random), ...draw() }
    })
    const evidence = new Map(names.map((name) => [name, Array.from({ length: CLUSTERS }, () => new Counter())]))
    const sums = { control: NO_SUMS, treatment: NO_SUMS }
    const wrong = { ours: false, naive: false, mismatch: false }
    let last: Known | undefined
    for (let look = 0; look < looks; look++) {
      for (let i = 0; i < 200; i++) {
        const at = random() * total
        let [low, high] = [0, people.length - 1]
        while (low < high) {
          const middle = (low + high) >> 1
          if ((people[middle]?.upTo ?? 0) > at) high = middle
          else low = middle + 1
        }
        const person = people[low]
        if (!person) continue
        const { treated, cluster } = oneByOne ? draw() : person
        const arm = treated ? 'treatment' : 'control'
        const size = Math.exp(0.7 * gaussian(random))
        const found = value(person.like, size, treated, random)
        const counter = evidence.get(arm)?.[cluster]
        if (counter) count(counter, found, size)
        sums[arm] = added(sums[arm], { n: 1, sum: found, squares: found * found })
      }
      const { comparisons, ratio } = analyse(question, evidence)
      if (ratio.mismatch) wrong.mismatch = true
      last = comparisons[0]?.known
      if (last && (last.lower > truth || last.upper < truth)) wrong.ours = true
      const known = difference(sums.treatment, sums.control)
      const unit = plan.metric === 'Cost' ? sums.control.sum / sums.control.n : 1
      const [lower, upper] = known ? sequence(known, ALPHA, plan.minimumEffect * unit) : [-Infinity, Infinity]
      if (lower > truth * unit || upper < truth * unit) wrong.naive = true
    }
    if (wrong.ours) ours++
    if (wrong.naive) naive++
    if (wrong.mismatch) mismatches++
    width += (last ? last.upper - last.lower : 0) / runs
  }
  return { ours: ours / runs, naive: naive / runs, mismatches: mismatches / runs, width }
}

/** A rate of at most 5 % shows up as more than this in one of 150 runs by a chance of 1 in 1,000. */
const SLACK = 0.12

test('analyse: where units ask again and again, intervals hold at all looks at once; those that take requests for independent do not', () => {
  for (const [name, world] of Object.entries({ cost: costs(0.8), quality: marks }))
    for (const setting of [
      { units: 300 },
      { units: 2000, activity: 1.2 },
      { units: 600, weights: [9, 1] },
    ] satisfies Setting[]) {
      const { ours, naive, mismatches } = coverage(world, 0, setting)
      const words = `${name} of ${setting.units}: ours ${ours}, naive ${naive}, mismatches ${mismatches}`
      assert.ok(ours <= SLACK && mismatches <= 0.01, words)
      assert.ok(naive >= 2 * ALPHA, words)
    }
})

test('analyse: rare errors, and one arm of a tenth of the traffic, are covered too', () => {
  const even = coverage(failures, 0, { units: 500 })
  const tenth = coverage(failures, 0, { units: 500, weights: [9, 1] })
  assert.ok(even.ours <= SLACK && tenth.ours <= SLACK, JSON.stringify({ even, tenth }))
})

test('analyse: a difference that there is, is covered', () => {
  const { ours } = coverage(costs(0.4, -0.2), -0.2, { units: 2000 })
  assert.ok(ours <= SLACK, String(ours))
})

test('analyse: with each request a unit, its size explains a part of what it costs, and intervals are narrower by that', () => {
  const one = coverage(costs(0.2), 0, { units: 1000, oneByOne: true })
  const plain = coverage({ ...costs(0.2), count: (counter, value) => counter.add({ cost: value }) }, 0, {
    units: 1000,
    oneByOne: true,
  })
  assert.ok(one.ours <= SLACK && plain.ours <= SLACK && Number.isFinite(plain.width))
  assert.ok(one.width < 0.75 * plain.width, `${one.width} ${plain.width}`)
})

test('analyse: too few values, or too few units, say nothing', () => {
  const arms = ['control', 'treatment'].map((name) => ({ name, weight: 1 }))
  const question: Question = { arms, control: 'control', metrics: [cost], alpha: ALPHA, oneByOne: false }
  const all = (clusters: number, each: number) =>
    new Map(
      arms.map(({ name }) => [
        name,
        Array.from({ length: CLUSTERS }, (_, at) => {
          const counter = new Counter()
          for (let i = 0; i < (at < clusters ? each : 0); i++) counter.add({ cost: 1 + (i % 3) })
          return counter
        }),
      ]),
    )
  const known = (evidence: ReturnType<typeof all>) => analyse(question, evidence).comparisons[0]?.known
  assert.equal(known(all(CLUSTERS, 1)), undefined)
  assert.equal(known(all(5, 1000)), undefined)
  assert.notEqual(known(all(CLUSTERS, 10)), undefined)
  const nothing = analyse(question, new Map())
  assert.deepEqual(nothing.arms, [
    { name: 'control', n: 0 },
    { name: 'treatment', n: 0 },
  ])
  assert.equal(nothing.ratio.mismatch, false)
})

test('analyse: nothing is read where requests do not fall to the arms as they should', () => {
  const arms = ['control', 'treatment'].map((name) => ({ name, weight: 1 }))
  const question: Question = { arms, control: 'control', metrics: [cost], alpha: ALPHA, oneByOne: true }
  const random = seeded(3)
  const evidence = new Map(
    arms.map(({ name }) => [
      name,
      Array.from({ length: CLUSTERS }, () => {
        const counter = new Counter()
        for (let i = 0; i < (name === 'control' ? 100 : 85); i++) counter.add({ cost: random() })
        return counter
      }),
    ]),
  )
  const { ratio, comparisons } = analyse(question, evidence)
  assert.ok(ratio.mismatch && ratio.evidence >= ratio.needs)
  assert.deepEqual(comparisons, [])
})
