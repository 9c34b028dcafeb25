import assert from 'node:assert/strict'
import test from 'node:test'
import { seeded } from '../learning/random.ts'
import { Pending } from './pending.ts'
import { algorithms, drawn, policyOf } from './policy.ts'
import type { Option, PolicyOptions } from './policy.ts'

const option = (mean: number, rest: Partial<Option> & { width?: number } = {}): Option => ({
  rank: 0,
  belief: { mean, width: rest.width ?? 0.05 },
  count: 1000,
  given: false,
  offset: 0,
  cost: 1,
  ...rest,
})
const how: PolicyOptions = { algorithm: 'LinTS', quality: 1, epsilon: 0.05, floor: undefined, least: 0.01, pulls: 50 }
const leave = { explore: true, allowance: 100 }
const random = seeded(3)

test('propensities: they add up to 1, none is under the floor, and arms are drawn as often as they say', () => {
  for (const algorithm of algorithms) {
    const options = [option(0.7, { width: 0.2 }), option(0.72, { width: 0.2 }), option(0.5), option(0.6, { count: 3 })]
    const expected = new Float64Array(options.length)
    const seen = new Float64Array(options.length)
    const times = 20_000
    for (let i = 0; i < times; i++) {
      const { propensities } = policyOf(options, { ...how, algorithm }, leave, random)
      assert.ok(Math.abs(propensities.reduce((a, b) => a + b, 0) - 1) < 1e-9)
      for (const [index, part] of propensities.entries()) {
        assert.ok(part >= 0.01 - 1e-12, `${algorithm} ${index} ${part}`)
        expected[index] = (expected[index] ?? 0) + part / times
      }
      const index = drawn(propensities, random())
      seen[index] = (seen[index] ?? 0) + 1 / times
    }
    // Five standard errors of a share.
    for (const [index, share] of expected.entries())
      assert.ok(Math.abs((seen[index] ?? 0) - share) < 5 * Math.sqrt((share * (1 - share)) / times) + 1e-3, algorithm)
    assert.ok((expected[3] ?? 0) >= 0.1, 'a new arm has its tenth')
  }
})

test('propensities: the better known to be best, the more it is asked', () => {
  const share = (width: number) =>
    policyOf([option(0.8, { width }), option(0.7, { width })], how, leave, random).propensities[0]
  assert.ok((share(0.01) ?? 0) > 0.98)
  assert.ok((share(3) ?? 0) < 0.8)
})

test('floor: arms are asked that surely reach it, the unsure are tried, and those surely below are not', () => {
  const options = [option(0.9, { cost: 5 }), option(0.62, { width: 0.1 }), option(0.3)]
  for (const algorithm of algorithms) {
    const { propensities } = policyOf(options, { ...how, algorithm, floor: 0.6 }, leave, random)
    assert.deepEqual(
      [...propensities].map((part) => Math.round(part * 100) / 100),
      [0.99, 0.01, 0],
    )
  }
})

test('floor: where none reaches it the strongest is asked, and new arms have their share', () => {
  const options = [option(0.3, { rank: 0 }), option(0.4, { rank: 2 }), option(0.5, { rank: 1, width: 2, count: 0 })]
  const { propensities, best, strongest } = policyOf(options, { ...how, floor: 0.6 }, leave, random)
  assert.deepEqual([best, strongest], [1, 'unproven'])
  assert.deepEqual([...propensities], [0, 0.9, 0.1])
})

test('nothing known: the strongest is asked and the others tried, until one is trusted; a quality that was given is believed', () => {
  const options = [
    option(0.5, { rank: 0, count: 0 }),
    option(0.5, { rank: 2, count: 0 }),
    option(0.5, { rank: 1, count: 49 }),
  ]
  const first = policyOf(options, how, leave, random)
  assert.deepEqual([first.best, first.strongest], [1, 'unproven'])
  assert.deepEqual([...first.propensities], [0.05, 0.9, 0.05])
  const told = policyOf([option(0.5, { count: 0, given: true }), ...options.slice(1)], how, leave, random)
  assert.deepEqual([told.best, told.strongest], [0, undefined])
  const all = [option(0.4), option(0.3, { rank: 1 })]
  assert.equal(policyOf(all, { ...how, floor: 0.9 }, leave, random).strongest, 'below_floor')
  assert.deepEqual(
    { ...policyOf([], how, leave, random), propensities: [] },
    { propensities: [], best: -1, strongest: undefined },
  )
})

test('spend: an arm that is dearer than the best by more than the allowance is not explored', () => {
  const options = [option(0.8, { cost: 1 }), option(0.8, { cost: 4, width: 1 }), option(0.1, { cost: 4, count: 0 })]
  const spent = policyOf(options, { ...how, floor: 0.5 }, { explore: true, allowance: 2 }, random).propensities
  assert.deepEqual([...spent], [1, 0, 0])
  const rich = policyOf(options, how, { explore: true, allowance: 3 }, random).propensities
  assert.ok((rich[1] ?? 0) > 0.01 && (rich[2] ?? 0) >= 0.1)
})

test('tiers: where nothing is to be explored, the best is asked and nothing else', () => {
  for (const algorithm of algorithms) {
    const options = [option(0.6), option(0.8, { width: 2 }), option(0.79, { count: 0 })]
    const { propensities } = policyOf(options, { ...how, algorithm }, { explore: false, allowance: 100 }, random)
    assert.deepEqual([...propensities], [0, 1, 0], algorithm)
  }
})

test('score: a price changes the choice at once, with the same beliefs', () => {
  const at = (offset: number) => policyOf([option(0.8, { offset }), option(0.75)], how, leave, random).best
  assert.equal(at(0), 0)
  assert.equal(at(-0.1), 1)
})

test('pending: what is not rewarded in time is forgotten, and the oldest give way', () => {
  const pending = new Pending(1000)
  const x = new Float64Array(1)
  pending.add('a', 'cheap', x, 0)
  assert.equal(pending.find('a', 999)?.reward, undefined)
  assert.ok(pending.find('a', 999))
  assert.equal(pending.find('a', 1000), undefined)
  for (let i = 0; i < 10_500; i++) pending.add(`b${i}`, 'cheap', x, 500)
  assert.equal(pending.find('b0', 600), undefined)
  assert.ok(pending.find('b10499', 600))
  assert.ok(pending.find('b5500', 600), 'the latest 5000 are kept at least')
})
