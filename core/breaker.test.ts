import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Breaker } from './breaker.ts'
import type { BreakerConfig, BreakerState } from './breaker.ts'

const defaults: BreakerConfig = {
  consecutive: 5,
  percent: 50,
  minimum: 20,
  within: 30_000,
  openFor: 30_000,
  probes: 1,
  rampUp: [5, 25, 100],
}

function make(config: Partial<BreakerConfig> = {}) {
  const clock = { at: 1000 }
  const breaker = new Breaker({ ...defaults, ...config }, () => clock.at)
  const changes: BreakerState[] = []
  breaker.onChange = (state) => changes.push(state)
  const fail = (times = 1) => {
    for (let i = 0; i < times; i++) breaker.failure(breaker.admit())
  }
  const pass = (times = 1) => {
    for (let i = 0; i < times; i++) breaker.success(breaker.admit())
  }
  return { clock, breaker, changes, fail, pass }
}

test('breaker: the configured failures in a row open it, one fewer do not', () => {
  for (const consecutive of [1, 3, 5]) {
    const { breaker, fail, pass } = make({ consecutive })
    fail(consecutive - 1)
    assert.equal(breaker.state, 'closed')
    pass()
    fail(consecutive - 1)
    assert.equal(breaker.state, 'closed', 'a success starts the row anew')
    fail()
    assert.equal(breaker.state, 'open')
    assert.equal(breaker.admit(), 0)
    assert.equal(breaker.share(), 0)
  }
})

test('breaker: a share of failures opens it, given enough outcomes', () => {
  const { breaker, fail, pass } = make({ consecutive: 1000, percent: 50, minimum: 20 })
  for (let i = 0; i < 9; i++) {
    pass()
    fail()
  }
  pass()
  assert.equal(breaker.state, 'closed', '9 of 19 is too few')
  fail()
  assert.equal(breaker.state, 'open', '10 of 20')
})

test('breaker: a busy endpoint with few failures stays closed however many those are', () => {
  const { breaker, clock, fail, pass } = make()
  for (let i = 0; i < 1000; i++) {
    pass(99)
    fail()
    clock.at += 30
  }
  assert.equal(breaker.state, 'closed')
})

test('breaker: outcomes leave the window', () => {
  const { breaker, clock, fail, pass } = make({ consecutive: 1000, minimum: 10, within: 10_000 })
  for (let i = 0; i < 9; i++) fail()
  clock.at += 11_000
  fail()
  assert.equal(breaker.state, 'closed', 'the nine are gone')
  for (let i = 0; i < 8; i++) {
    pass()
    clock.at += 1000
  }
  fail(8)
  assert.equal(breaker.state, 'open', 'the last ten seconds hold 8 good and 9 bad')
})

test('breaker: open for as long as configured, then one probe at a time', () => {
  const { breaker, clock, fail } = make({ openFor: 2000 })
  fail(5)
  clock.at += 1999
  assert.equal(breaker.admit(), 0)
  clock.at += 1
  assert.equal(breaker.share(), 1)
  assert.equal(breaker.state, 'half-open')
  const probe = breaker.admit()
  assert.ok(probe)
  assert.equal(breaker.admit(), 0, 'a second one waits')
  assert.equal(breaker.share(), 0)
  breaker.failure(probe)
  assert.equal(breaker.state, 'open')
  clock.at += 1999
  assert.equal(breaker.state, 'open', 'it stays open anew')
  clock.at += 1
  assert.equal(breaker.state, 'half-open')
})

test('breaker: as many probes at a time, and successes in a row, as configured', () => {
  const { breaker, clock, fail, changes } = make({ openFor: 1000, probes: 3 })
  fail(5)
  clock.at += 1000
  const probes = [breaker.admit(), breaker.admit(), breaker.admit()]
  assert.ok(probes.every(Boolean))
  assert.equal(breaker.admit(), 0)
  breaker.success(probes[0] ?? 0)
  breaker.success(probes[1] ?? 0)
  assert.equal(breaker.state, 'half-open')
  assert.ok(breaker.admit(), 'a slot is free again')
  breaker.success(probes[2] ?? 0)
  assert.deepEqual(changes, ['open', 'half-open', 'ramp'])
})

test('breaker: a probe that says nothing leaves its slot to the next', () => {
  const { breaker, clock, fail } = make({ openFor: 1000 })
  fail(5)
  clock.at += 1000
  const left = breaker.admit()
  breaker.release(left)
  const next = breaker.admit()
  assert.ok(next)
  breaker.success(next)
  assert.equal(breaker.state, 'ramp')
})

test('breaker: the ramp has its steps, each a tenth of openFor, and ends closed', () => {
  const { breaker, clock, fail, pass, changes } = make({ openFor: 1000 })
  fail(5)
  clock.at += 1000
  pass()
  assert.deepEqual([breaker.state, breaker.share()], ['ramp', 0.05])
  clock.at += 99
  assert.equal(breaker.share(), 0.05)
  clock.at += 1
  assert.deepEqual([breaker.state, breaker.share()], ['ramp', 0.25])
  assert.ok(breaker.admit(), 'the ramp bounds the share, not the request that was chosen for it')
  clock.at += 100
  assert.deepEqual([breaker.state, breaker.share()], ['closed', 1])
  assert.deepEqual(changes, ['open', 'half-open', 'ramp', 'closed'])
})

test('breaker: with a ramp of 100 alone it closes at once', () => {
  const { breaker, clock, fail, pass, changes } = make({ openFor: 1000, rampUp: [100] })
  fail(5)
  clock.at += 1000
  pass()
  assert.equal(breaker.state, 'closed')
  assert.deepEqual(changes, ['open', 'half-open', 'ramp', 'closed'])
})

test('breaker: failures during the ramp open it again, counted anew', () => {
  const { breaker, clock, fail, pass } = make({ openFor: 1000 })
  fail(5)
  clock.at += 1000
  pass()
  fail(4)
  assert.equal(breaker.state, 'ramp')
  fail()
  assert.equal(breaker.state, 'open')
})

test('breaker: what was admitted before it opened is no evidence afterwards', () => {
  const { breaker, clock, fail } = make({ openFor: 1000 })
  const slow = Array.from({ length: 20 }, () => breaker.admit())
  fail(5)
  for (const ticket of slow.slice(0, 10)) breaker.failure(ticket)
  for (const ticket of slow.slice(10)) breaker.success(ticket)
  assert.equal(breaker.state, 'open')
  clock.at += 1000
  for (const ticket of slow) breaker.success(ticket)
  for (const ticket of slow) breaker.release(ticket)
  assert.equal(breaker.state, 'half-open')
  assert.ok(breaker.admit())
  assert.equal(breaker.admit(), 0, 'old tickets free no slot')
  breaker.failure(0)
  assert.equal(breaker.state, 'half-open', 'nor does a request that was not admitted count')
})

test('breaker: what was admitted during the ramp counts once it is closed', () => {
  const { breaker, clock, fail, pass } = make({ openFor: 1000, consecutive: 2 })
  fail(2)
  clock.at += 1000
  pass()
  const ticket = breaker.admit()
  clock.at += 1000
  assert.equal(breaker.state, 'closed')
  breaker.failure(ticket)
  fail()
  assert.equal(breaker.state, 'open')
})

test('breaker: an edit keeps the state and takes effect at once', () => {
  const { breaker, clock, fail } = make({ consecutive: 5, openFor: 30_000 })
  fail(3)
  breaker.configure({ ...defaults, consecutive: 4, within: 10_000 })
  fail()
  assert.equal(breaker.state, 'open')
  breaker.configure({ ...defaults, openFor: 100 })
  assert.equal(breaker.state, 'open')
  clock.at += 100
  assert.equal(breaker.state, 'half-open')
})

test('breaker: whatever happens, the probes in flight stay within bounds and it never stays shut', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('admit' as const) }),
    fc.record({ do: fc.constantFrom('success' as const, 'failure' as const, 'release' as const), which: fc.nat() }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 500 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 3 }), (steps, probes) => {
      const { breaker, clock, pass } = make({ openFor: 1000, consecutive: 2, probes })
      const flying: number[] = []
      let probing = 0
      breaker.onChange = () => (probing = 0)
      for (const it of steps) {
        if (it.do === 'wait') clock.at += it.ms
        else if (it.do === 'admit') {
          const ticket = breaker.admit()
          if (ticket) flying.push(ticket)
          if (ticket && breaker.state === 'half-open') assert.ok(++probing <= probes + 1)
        } else if (flying.length) {
          const [ticket = 0] = flying.splice(it.which % flying.length, 1)
          breaker[it.do](ticket)
          if (breaker.state === 'half-open') probing = Math.min(probing, flying.length)
        }
        assert.ok(breaker.share() >= 0 && breaker.share() <= 1)
      }
      // All that still fly end; then it recovers by itself.
      for (const ticket of flying) breaker.release(ticket)
      for (let i = 0; i < 3; i++) {
        clock.at += 1000
        pass(probes)
      }
      clock.at += 1000
      assert.equal(breaker.state, 'closed')
    }),
    { numRuns: 500 },
  )
})

test('breaker: told that what it opened for is gone, it lets probes through at once, and judges by those', () => {
  const { breaker, changes, fail, pass } = make()
  breaker.probeNow()
  assert.equal(breaker.state, 'closed')
  fail(5)
  assert.equal(breaker.admit(), 0)
  breaker.probeNow()
  assert.equal(breaker.share(), 1)
  fail()
  assert.equal(breaker.state, 'open')
  breaker.probeNow()
  pass()
  breaker.probeNow()
  assert.equal(breaker.state, 'ramp')
  assert.deepEqual(changes, ['open', 'half-open', 'open', 'half-open', 'ramp'])
})

test('breaker: held open for as long as it was told, whatever openFor says, and never for less than before', () => {
  const { breaker, clock, changes, fail, pass } = make()
  const openFor = 10_000 * 6
  breaker.hold(openFor * 10)
  assert.ok(breaker.isHeld)
  assert.equal(breaker.admit(), 0)
  clock.at += openFor * 2
  breaker.hold(1)
  assert.equal(breaker.state, 'open')
  clock.at += openFor * 8
  assert.equal(breaker.state, 'half-open')
  assert.ok(!breaker.isHeld)
  // Held again after a probe has failed; the next time it opens by itself, `openFor` holds.
  fail()
  assert.ok(!breaker.isHeld)
  breaker.hold(openFor * 3)
  clock.at += openFor * 3
  assert.equal(breaker.state, 'half-open')
  pass()
  assert.equal(breaker.state, 'ramp')
  assert.deepEqual(changes, ['open', 'half-open', 'open', 'half-open', 'ramp'])
})
