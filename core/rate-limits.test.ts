import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { isOfAccount, RateLimits } from './rate-limits.ts'

/** With a clock that stands still unless a time is given. */
function make() {
  let at = 0
  const limits = new RateLimits(() => at)
  const move = (to: number) => void (at = to)
  const said = (kind: string, limit: number, remaining: number, reset?: number) =>
    limits.observe({ kind, limit, remaining, reset })
  const share = (when = at): number => {
    move(when)
    return limits.share()
  }
  return { limits, said, share, move }
}

test('rate limits: less than a fifth left is less traffic, in proportion', () => {
  const cases = [
    [100, 1],
    [20, 1],
    [19, 0.95],
    [10, 0.5],
    [2, 0.1],
    [0, 0.02],
  ] as const
  for (const [remaining, expected] of cases) {
    const { said, share } = make()
    said('requests', 100, remaining, 60_000)
    assert.ok(Math.abs(share() - expected) < 1e-9, `${remaining}: ${share()}`)
  }
})

test('rate limits: the scarcest counts, and one that is whole again no more', () => {
  const { said, share } = make()
  said('requests', 100, 90, 60_000)
  said('tokens', 1000, 100, 10_000)
  said('requests-day', 100, 10, 60_000)
  assert.equal(share(), 0.5)
  said('requests-day', 100, 100, 1)
  said('tokens', 1000, 50, 10_000)
  assert.equal(share(), 0.25)
  said('tokens', 1000, 900, 1000)
  assert.equal(share(), 1)
})

test('rate limits: what fills up is reckoned between answers', () => {
  const { limits, said, share, move } = make()
  said('tokens', 1000, 0, 10_000)
  assert.equal(share(0), 0.02)
  assert.equal(share(1000), 0.5)
  move(5000)
  assert.deepEqual([...limits.remaining()], [['tokens', 0.5]])
  assert.equal(share(2000), 1)
  assert.equal(share(20_000), 1)
})

test('rate limits: without a reset it is a minute, or what the name says', () => {
  const { said, share } = make()
  said('req-minute', 60, 0)
  assert.equal(share(6000), 0.5)
  assert.equal(share(59_000), 1)
  said('requests-day', 100, 0)
  assert.ok(share(3_600_000) < 0.25)
})

test('rate limits: what nobody spoke of any more is forgotten', () => {
  const { limits, said, move } = make()
  said('tokens', 1000, 0, 1000)
  move(2000)
  assert.deepEqual([...limits.remaining()], [['tokens', 1]])
  move(3_600_000)
  assert.deepEqual([...limits.remaining()], [])
})

test('rate limits: never nothing, never more than all, and never less as time goes by', () => {
  const reading = fc.tuple(
    fc.constantFrom('requests', 'tokens', 'tokens-month'),
    fc.integer({ min: 1, max: 1000 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
  )
  const times = fc.array(fc.integer({ min: 0, max: 1_000_000 }))
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1 }), times, (readings, at) => {
      const { said, share } = make()
      for (const [kind, limit, part, reset] of readings) said(kind, limit, part * limit, reset)
      let before = 0
      for (const when of at.toSorted((a, b) => a - b)) {
        const now = share(when)
        assert.ok(now >= before - 1e-9 && now >= 0.02 && now <= 1)
        before = now
      }
    }),
  )
})

test('rate limits: with plenty left, not every answer is looked into', () => {
  const { limits, said, move } = make()
  assert.ok(!limits.settled)
  said('requests', 100, 90, 60_000)
  assert.ok(limits.settled)
  move(60)
  assert.ok(!limits.settled)
  said('requests', 100, 10, 60_000)
  assert.ok(!limits.settled, 'what is scarce is watched')
})

test('rate limits: which are of the whole account', () => {
  for (const kind of ['unified-5h', 'tokens-month', 'calls']) assert.ok(isOfAccount(kind), kind)
  for (const kind of ['requests', 'tokens', 'input-tokens', 'requests-day', '']) assert.ok(!isOfAccount(kind), kind)
})
