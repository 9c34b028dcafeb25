import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assign, CLUSTERS } from './assignment.ts'
import type { Division } from './assignment.ts'

const UNITS = 20_000
const units = Array.from({ length: UNITS }, (_, i) => `user-${i}`)
const arms = (...weights: number[]) => weights.map((weight, i) => ({ name: `arm-${i}`, weight }))
const armOf = (division: Division, unit: string) => assign(division, unit)?.arm.name ?? ''

/** Pearson's statistic of counts against expected ones. */
const chiSquare = (counts: readonly number[], expected: readonly number[]) =>
  counts.reduce((sum, count, i) => sum + (count - (expected[i] ?? 0)) ** 2 / (expected[i] ?? 1), 0)
/** What a χ² of so many degrees of freedom is above with a chance of 1 in 10,000 (Wilson and Hilferty, 1931). */
const critical = (df: number) => df * (1 - 2 / (9 * df) + 3.719 * Math.sqrt(2 / (9 * df))) ** 3
const countsOf = (names: readonly string[], all: readonly string[]) =>
  names.map((name) => all.filter((it) => it === name).length)

test('assign: units fall to the arms by their weights, and evenly to the clusters', () => {
  for (const salt of ['a', 'b', 'cheaper-model']) {
    const division = { salt, arms: arms(50, 30, 20) }
    const found = units.flatMap((unit) => assign(division, unit) ?? [])
    const shares = countsOf(
      ['arm-0', 'arm-1', 'arm-2'],
      found.map(({ arm }) => arm.name),
    )
    assert.ok(chiSquare(shares, [0.5 * UNITS, 0.3 * UNITS, 0.2 * UNITS]) < critical(2), String(shares))
    for (const name of ['arm-0', 'arm-2']) {
      const own = found.filter(({ arm }) => arm.name === name)
      const counts = Array.from({ length: CLUSTERS }, (_, i) => own.filter(({ cluster }) => cluster === i).length)
      const expected = counts.map(() => own.length / CLUSTERS)
      assert.ok(chiSquare(counts, expected) < critical(CLUSTERS - 1), `${salt} ${name}`)
    }
  }
})

test('assign: a unit stays where it is, whoever asks and whatever else there is', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), fc.string({ maxLength: 10 }), (unit, salt) => {
      const division = { salt, arms: arms(1, 1) }
      assert.deepEqual(assign(division, unit), assign({ ...division, arms: division.arms.toReversed() }, unit))
    }),
  )
})

test('assign: raising a weight moves units to that arm only, and no more of them than its share grows', () => {
  for (const [before, after, grown] of [
    [[90, 10], [80, 20], 0.1],
    [[1, 1, 1], [1, 1, 2], 1 / 6],
    [[50, 50, 0], [50, 50, 100], 0.5],
  ] as const) {
    const last = `arm-${before.length - 1}`
    const moved = units.flatMap((unit) => {
      const [was, is] = [before, after].map((weights) => armOf({ salt: 's', arms: arms(...weights) }, unit))
      return was === is ? [] : [is]
    })
    assert.ok(moved.every((arm) => arm === last))
    assert.ok(Math.abs(moved.length / UNITS - grown) < 0.01, `${moved.length / UNITS}`)
  }
})

test('assign: experiments of one layer exclude each other, and together are the layer', () => {
  const part = (salt: string, from: number, to: number) => ({
    salt,
    layer: { name: 'answers', from, to },
    arms: arms(1, 1),
  })
  const [first, second] = [part('first', 0, 30), part('second', 30, 100)]
  let own = 0
  for (const unit of units) {
    const [a, b] = [assign(first, unit), assign(second, unit)]
    assert.equal(Number(a !== undefined) + Number(b !== undefined), 1)
    if (a) own++
  }
  assert.ok(Math.abs(own / UNITS - 0.3) < 0.01, `${own / UNITS}`)
})

test('assign: layers, arms and clusters are independent of each other', () => {
  const a = { salt: 'a', layer: { name: 'one', from: 0, to: 50 }, arms: arms(1, 1) }
  const b = { salt: 'b', layer: { name: 'two', from: 0, to: 50 }, arms: arms(1, 1) }
  const place = (division: Division, unit: string) => ['', 'arm-0', 'arm-1'].indexOf(armOf(division, unit))
  /** χ² of independence of two things that each take one of so many values. */
  const dependence = (of: readonly (readonly [number, number])[], rows: number, columns: number) => {
    const [counts, expected] = [[] as number[], [] as number[]]
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) {
        counts.push(of.filter(([x, y]) => x === r && y === c).length)
        expected.push((of.filter(([x]) => x === r).length * of.filter(([, y]) => y === c).length) / of.length)
      }
    return chiSquare(counts, expected) / critical((rows - 1) * (columns - 1))
  }
  const both = units.map((unit) => [place(a, unit), place(b, unit)] as const)
  assert.ok(dependence(both, 3, 3) < 1)
  const whole = { salt: 'a', arms: arms(1, 1) }
  const clusters = units.map((unit) => [place(whole, unit) - 1, assign(whole, unit)?.cluster ?? 0] as const)
  assert.ok(dependence(clusters, 2, CLUSTERS) < 1)
  // Two experiments without a layer, or in the same part of one, differ by their salts alone.
  const salts = units.map((unit) => [place(whole, unit) - 1, place({ ...whole, salt: 'z' }, unit) - 1] as const)
  assert.ok(dependence(salts, 2, 2) < 1)
})
