import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { p2c } from './balance.ts'

const items = (...loads: number[]) => loads.map((load) => ({ load: () => load }))

/** A generator whose draws can be repeated (mulberry32). */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

test('p2c: of two, the less loaded, always', () => {
  const [a, b] = items(10, 5)
  const random = chance(1)
  assert.ok(a && b)
  for (let i = 0; i < 1000; i++) assert.equal(p2c([a, b], random), b)
})

test('p2c: the worst of many is never picked, equals are picked evenly', () => {
  const random = chance(2)
  const list = items(1, 1, 1, 1, 99)
  const counts = list.map(() => 0)
  for (let i = 0; i < 100_000; i++) {
    const at = list.indexOf(p2c(list, random) ?? { load: () => 0 })
    counts[at] = (counts[at] ?? 0) + 1
  }
  assert.equal(counts[4], 0)
  for (const count of counts.slice(0, 4)) assert.ok(Math.abs(count - 25_000) < 1000, counts.join())
})

test('p2c: the excluded are never picked, and the rest always found', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ load: fc.nat(9), out: fc.boolean() }), { maxLength: 12 }),
      fc.integer(),
      (made, seed) => {
        const list = made.map(({ load, out }) => ({ out, load: () => load }))
        const picked = p2c(list, chance(seed), ({ out }) => out)
        if (list.some(({ out }) => !out)) assert.equal(picked?.out, false)
        else assert.equal(picked, undefined)
      },
    ),
    { numRuns: 2000 },
  )
})

test('p2c: of one, that one; of none, none', () => {
  const [only] = items(7)
  assert.ok(only)
  assert.equal(
    p2c([only], () => 0.5),
    only,
  )
  assert.equal(
    p2c([], () => 0.5),
    undefined,
  )
})
