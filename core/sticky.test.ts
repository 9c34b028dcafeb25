import assert from 'node:assert/strict'
import test from 'node:test'
import { rendezvous } from './sticky.ts'

const keys = Array.from({ length: 50_000 }, (_, i) => `conversation-${i}`)
const targets = (...weights: number[]) => weights.map((weight, i) => ({ id: `ai/endpoint model-${i}`, weight }))

test('sticky: the same key has the same target, and shares follow the weights', () => {
  const two = targets(90, 10)
  const to = (key: string) => rendezvous(two, key)?.id
  assert.deepEqual(keys.slice(0, 1000).map(to), keys.slice(0, 1000).map(to))
  const share = keys.filter((key) => to(key) === two[1]?.id).length / keys.length
  assert.ok(Math.abs(share - 0.1) < 0.005, `${share}`)
})

test('sticky: raising 5 to 10 % moves about 5 % of the keys, and only to the target that grew', () => {
  const before = targets(95, 5)
  const after = targets(90, 10)
  let moved = 0
  for (const key of keys) {
    const was = rendezvous(before, key)?.id
    const is = rendezvous(after, key)?.id
    if (was === is) continue
    moved++
    assert.equal(is, after[1]?.id)
  }
  assert.ok(Math.abs(moved / keys.length - 0.05) < 0.005, `${moved}`)
})

test('sticky: the order of the targets does not matter', () => {
  const three = targets(3, 2, 1)
  const reversed = three.toReversed()
  for (const key of keys.slice(0, 1000)) assert.equal(rendezvous(three, key), rendezvous(reversed, key))
})

test('sticky: only the keys of an unavailable target move, and they come back', () => {
  const three = targets(50, 30, 20)
  const dead = (target: { id: string }) => (target.id === three[0]?.id ? 0 : 1)
  const counts = [0, 0, 0]
  for (const key of keys) {
    const usual = rendezvous(three, key)
    const now = rendezvous(three, key, dead)
    if (usual !== three[0]) assert.equal(now, usual)
    else if (now) counts[three.indexOf(now)] = (counts[three.indexOf(now)] ?? 0) + 1
  }
  assert.equal(counts[0], 0)
  assert.ok(Math.abs((counts[1] ?? 0) / ((counts[1] ?? 0) + (counts[2] ?? 0)) - 0.6) < 0.02, counts.join())
})

test('sticky: weight 0 gets no key, and all 0 gives no target', () => {
  const two = targets(1, 0)
  for (const key of keys.slice(0, 5000)) assert.equal(rendezvous(two, key), two[0])
  assert.equal(rendezvous(targets(0, 0), 'key'), undefined)
})

test('sticky: a fixed table of keys, so that sidecars of different versions agree', () => {
  const three = targets(50, 30, 20)
  const found = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => three.findIndex((t) => t === rendezvous(three, key)))
  assert.deepEqual(found, [2, 0, 1, 0, 0, 1])
})
