import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { isOfAccount, RateLimits } from './rate-limits.ts'

const said = (kind: string, limit: number, remaining: number, reset?: number) => ({ kind, limit, remaining, reset })

test('rate limits: less than a fifth left is less traffic, in proportion', () => {
  const cases = [
    [100, 1],
    [20, 1],
    [19, 0.95],
    [10, 0.5],
    [2, 0.1],
    [0, 0.02],
  ] as const
  for (const [remaining, share] of cases) {
    const limits = new RateLimits()
    limits.observe(said('requests', 100, remaining, 60_000), 1000)
    assert.ok(Math.abs(limits.share(() => 1000) - share) < 1e-9, `${remaining}: ${limits.share(() => 1000)}`)
  }
})

test('rate limits: the scarcest counts, and one that is whole again no more', () => {
  const limits = new RateLimits()
  limits.observe(said('requests', 100, 90, 60_000), 0)
  limits.observe(said('tokens', 1000, 100, 10_000), 0)
  limits.observe(said('requests-day', 100, 10, 60_000), 0)
  assert.equal(
    limits.share(() => 0),
    0.5,
  )
  limits.observe(said('requests-day', 100, 100, 1), 0)
  limits.observe(said('tokens', 1000, 50, 10_000), 0)
  assert.equal(
    limits.share(() => 0),
    0.25,
  )
  limits.observe(said('tokens', 1000, 900, 1000), 0)
  assert.equal(
    limits.share(() => 0),
    1,
  )
})

test('rate limits: what fills up is reckoned between answers', () => {
  const limits = new RateLimits()
  limits.observe(said('tokens', 1000, 0, 10_000), 0)
  assert.equal(
    limits.share(() => 0),
    0.02,
  )
  assert.equal(
    limits.share(() => 1000),
    0.5,
  )
  assert.equal(
    limits.share(() => 2000),
    1,
  )
  assert.equal(
    limits.share(() => 20_000),
    1,
  )
  assert.deepEqual([...limits.remaining(5000)], [['tokens', 0.5, limits.remaining(5000).next().value?.[2]]])
})

test('rate limits: without a reset it is a minute, or what the name says', () => {
  const limits = new RateLimits()
  limits.observe(said('req-minute', 60, 0), 0)
  assert.equal(
    limits.share(() => 59_000),
    1,
  )
  assert.equal(
    limits.share(() => 6_000),
    0.5,
  )
  limits.observe(said('requests-day', 100, 0), 0)
  assert.ok(limits.share(() => 3_600_000) < 0.25)
})

test('rate limits: what nobody spoke of any more is forgotten', () => {
  const limits = new RateLimits()
  limits.observe(said('tokens', 1000, 0, 1000), 0)
  assert.equal([...limits.remaining(2000)].length, 1)
  assert.equal([...limits.remaining(3_600_000)].length, 0)
})

test('rate limits: never nothing, never more than all, and never less as time goes by', () => {
  const reading = fc.tuple(
    fc.constantFrom('requests', 'tokens', 'tokens-month'),
    fc.integer({ min: 1, max: 1000 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
  )
  fc.assert(
    fc.property(
      fc.array(reading, { minLength: 1 }),
      fc.array(fc.integer({ min: 0, max: 1_000_000 })),
      (readings, times) => {
        const limits = new RateLimits()
        for (const [kind, limit, part, reset] of readings) limits.observe(said(kind, limit, part * limit, reset), 0)
        let before = 0
        for (const at of times.toSorted((a, b) => a - b)) {
          const share = limits.share(() => at)
          assert.ok(share >= before - 1e-9 && share >= 0.02 && share <= 1)
          before = share
        }
      },
    ),
  )
})

test('rate limits: which are of the whole account', () => {
  for (const kind of ['unified-5h', 'tokens-month', 'calls']) assert.ok(isOfAccount(kind), kind)
  for (const kind of ['requests', 'tokens', 'input-tokens', 'requests-day', '']) assert.ok(!isOfAccount(kind), kind)
})
