import assert from 'node:assert/strict'
import test from 'node:test'
import { defaultsOf } from '../schema.ts'
import { decide } from '../decide/decide.ts'
import { strategy, strategyTypes } from './index.ts'
import type { StrategyType } from './index.ts'
import type { Choice, Choosable } from './strategy.ts'

interface State extends Choosable {
  state: { load: number; available: number }
}
const target = (id: string, weight: number, rank = 0): State => {
  const state = { load: 0, available: 1 }
  return { id, weight, rank, state, load: () => state.load, available: () => state.available }
}
const ids = (targets: readonly Choosable[]) => targets.map(({ id }) => id).join(' ')
const none = { key: undefined }
/** The order that a strategy comes to with its defaults alone. */
function chooser<T extends Choosable>(type: StrategyType, targets: readonly T[], random: () => number) {
  const { settings, make } = strategy(type)
  const prefer = make({ targets, settings: settings ? defaultsOf(settings.schema) : {}, random, wall: () => 0 })
  return (choice: Choice) => decide(targets, prefer(choice))
}

test('strategies: every one returns all its targets, each once, whatever their state', () => {
  for (const type of strategyTypes)
    for (const available of [0, 0.25, 1]) {
      const targets = [target('a', 5, 1), target('b', 3, 2), target('c', 2, 0)]
      for (const { state } of targets.slice(1)) state.available = available
      const choose = chooser(type, targets, () => 0.5)
      for (const key of [undefined, 'k1', 'k2'])
        for (let i = 0; i < 20; i++) assert.deepEqual(new Set(choose({ key })), new Set(targets), type)
      assert.deepEqual(ids(chooser(type, [], () => 0)(none)), '', type)
    }
})

test('strategies: an unknown one is an error', () => {
  // @ts-expect-error: the type keeps such a name out of the program
  assert.throws(() => strategy('Roulette'), /unknown strategy Roulette/)
})

test('Weighted: 100,000 requests at 90/10 are within 0.2 points', () => {
  const [a, b] = [target('a', 90), target('b', 10)]
  const choose = chooser('Weighted', [a, b], () => 0.123)
  let second = 0
  for (let i = 0; i < 100_000; i++) if (choose(none)[0] === b) second++
  assert.ok(Math.abs(second / 1000 - 10) < 0.2, `${second}`)
})

test('Weighted: the share of a dead target goes to the others by weight', () => {
  const [a, b, c] = [target('a', 50), target('b', 30), target('c', 20)]
  a.state.available = 0
  const choose = chooser('Weighted', [a, b, c], () => 0.9)
  const first = { a: 0, b: 0, c: 0 }
  for (let i = 0; i < 10_000; i++) first[choose(none)[0]?.id as 'a' | 'b' | 'c']++ // the ids above
  assert.equal(first.a, 0)
  assert.ok(Math.abs(first.b / 100 - 60) < 0.2, `${first.b}`)
})

test('Weighted: after the first the nearest rank upwards is next, then downwards', () => {
  const choose = chooser(
    'Weighted',
    [target('r0', 0.001, 0), target('r2', 1e6, 2), target('r1', 0.001, 1), target('r3', 0.001, 3)],
    () => 0.3,
  )
  assert.equal(ids(choose(none)), 'r2 r3 r1 r0')
})

test('Weighted: a sticky key keeps its target until that is dead, then has one other, then its own again', () => {
  const targets = [target('a', 1), target('b', 1), target('c', 1)]
  const choose = chooser('Weighted', targets, () => 0.3)
  for (let i = 0; i < 100; i++) {
    const key = `key-${i}`
    const own = targets.find(({ id }) => id === choose({ key })[0]?.id)
    assert.ok(own)
    assert.equal(choose({ key })[0], own)
    own.state.available = 0
    const other = choose({ key })[0]
    assert.notEqual(other, own)
    assert.equal(choose({ key })[0], other)
    own.state.available = 1
    assert.equal(choose({ key })[0], own)
  }
  for (const { state } of targets) state.available = 0
  assert.equal(choose({ key: 'key' })[0], choose({ key: 'key' })[0], 'with all dead it still has one')
})

test('LeastLatency: the least loaded first, weights aside, the dead last', () => {
  const [a, b, c] = [target('a', 1000), target('b', 1), target('c', 1)]
  a.state.load = 30
  b.state.load = 10
  c.state.load = 20
  const choose = chooser('LeastLatency', [a, b, c], () => 0)
  assert.equal(ids(choose(none)), 'b c a')
  b.state.load = 100
  assert.equal(ids(choose(none)), 'c a b')
  c.state.available = 0
  assert.equal(ids(choose(none)), 'a b c')
  a.state.available = 0.05
  assert.equal(ids(choose(none)), 'b a c')
  a.state.available = b.state.available = 0
  assert.equal(ids(choose(none)), 'a b c')
})

test('LeastLatency: a sticky key keeps its target while it lives', () => {
  const targets = [target('a', 1), target('b', 1)]
  const choose = chooser('LeastLatency', targets, () => 0)
  const own = targets.find((t) => t === choose({ key: 'k' })[0])
  assert.ok(own)
  own.state.load = 1000
  assert.equal(choose({ key: 'k' })[0], own)
  own.state.available = 0
  assert.notEqual(choose({ key: 'k' })[0], own)
})
