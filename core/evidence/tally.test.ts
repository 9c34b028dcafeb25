import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { meanOf } from '../statistics/sums.ts'
import { Counter } from './counter.ts'
import type { Sample } from './counter.ts'
import { NO_TALLY, plus } from './tally.ts'
import type { Tally } from './tally.ts'
import { readTally, writeTally } from './wire.ts'
import type { WireTally } from './wire.ts'

// Costs of 1/1024 USD: their sums are exact, so that sums in another order are the same.
const sample: fc.Arbitrary<Sample> = fc.record({
  error: fc.boolean(),
  truncated: fc.boolean(),
  refused: fc.boolean(),
  escalated: fc.boolean(),
  cost: fc.option(
    fc.nat(1000).map((n) => n / 1024),
    { nil: undefined },
  ),
  latency: fc.option(fc.double({ min: 0.1, max: 1e6, noNaN: true }), { nil: undefined }),
  firstToken: fc.option(fc.double({ min: 0.1, max: 1e6, noNaN: true }), { nil: undefined }),
})
const samples = fc.array(sample, { maxLength: 50 })
const tallyOf = (all: readonly Sample[]): Tally => {
  const counter = new Counter()
  for (const it of all) counter.add(it)
  return counter
}
const plain = (tally: Tally) => writeTally(tally)

test('the sum of tallies is the tally of all exchanges, in any order', () => {
  fc.assert(
    fc.property(samples, samples, samples, (a, b, c) => {
      const [x, y, z] = [tallyOf(a), tallyOf(b), tallyOf(c)]
      const all = plain(tallyOf([...a, ...b, ...c]))
      assert.deepEqual(plain(plus(plus(x, y), z)), all)
      assert.deepEqual(plain(plus(z, plus(y, x))), all)
      assert.deepEqual(plain(plus(NO_TALLY, x)), plain(x))
      assert.equal(NO_TALLY.latency.count, 0)
    }),
  )
})

test('a tally comes through JSON as it went', () => {
  fc.assert(
    fc.property(samples, (all) => {
      const tally = tallyOf(all)
      const read = readTally(JSON.parse(JSON.stringify(writeTally(tally))) as WireTally) // what was just written
      assert.ok(read)
      assert.deepEqual(plain(read), plain(tally))
      assert.deepEqual(read.latency.quantile(0.95), tally.latency.quantile(0.95))
    }),
  )
})

test('what is no tally is not read', () => {
  const good = plain(tallyOf([{ latency: 10, cost: 1 }]))
  const bad: Record<string, unknown>[] = [
    { n: -1 },
    { n: 1.5 },
    { errors: '1' },
    { refusals: undefined },
    { cost: [1, null, 1] },
    { cost: [] },
    { cost: 'x' },
    { quality: [0.5, 1, 1] },
    { latency: [1] },
    { latency: [5000, 1] },
    { latency: [5, 1, 0, 1] },
    { latency: [5, -1] },
    { firstToken: undefined },
  ]
  assert.ok(readTally(good))
  for (const part of bad) assert.equal(readTally({ ...good, ...part }), undefined, JSON.stringify(part)) // on purpose it is none
})

test('quality comes later, and a later word stands in the place of the one before', () => {
  const counter = new Counter()
  counter.add({})
  counter.rate(0.5)
  counter.rate(1, 0.5)
  counter.rate(0)
  assert.deepEqual({ ...counter.quality }, { n: 2, sum: 1, squares: 1 })
  assert.equal(meanOf(counter.quality), 0.5)
  assert.equal(counter.n, 1)
})
