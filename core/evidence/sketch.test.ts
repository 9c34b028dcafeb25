import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ACCURACY, LAST, Sketch } from './sketch.ts'

const duration = fc.double({ min: 0.1, max: 3_600_000, noNaN: true })
const durations = fc.array(duration, { maxLength: 200 })
const sketchOf = (values: readonly number[]) => {
  const sketch = new Sketch()
  for (const value of values) sketch.add(value)
  return sketch
}

test('the sum of sketches is the sketch of all values, in any order', () => {
  fc.assert(
    fc.property(durations, durations, durations, (a, b, c) => {
      const [x, y, z] = [sketchOf(a), sketchOf(b), sketchOf(c)]
      const all = sketchOf([...a, ...b, ...c]).buckets()
      assert.deepEqual(x.plus(y).plus(z).buckets(), all)
      assert.deepEqual(z.plus(y.plus(x)).buckets(), all)
      assert.equal(x.plus(y).count, a.length + b.length)
    }),
  )
})

test('a quantile is within the accuracy of the value of that rank', () => {
  fc.assert(
    fc.property(
      fc.array(duration, { minLength: 1, maxLength: 300 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, q) => {
        const exact = values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? 0
        const found = sketchOf(values).quantile(q)
        assert.ok(Math.abs(found - exact) <= ACCURACY * exact * (1 + 1e-9), `${found} for ${exact}`)
      },
    ),
  )
})

test('what is above a value is counted to the bound of its bucket, which all sketches share', () => {
  fc.assert(
    fc.property(durations, duration, (values, x) => {
      const above = sketchOf(values).above(x)
      assert.ok(above <= values.filter((value) => value > x).length)
      assert.ok(above >= values.filter((value) => value > x * (1 + 3 * ACCURACY)).length)
      assert.equal(above, values.filter((value) => sketchOf([value]).above(x) === 1).length)
    }),
  )
})

test('it stays bounded, whatever comes', () => {
  const sketch = new Sketch()
  for (let value = 1e-6; value < 1e15; value *= 1.001) sketch.add(value)
  for (const odd of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) sketch.add(odd)
  assert.equal(sketch.buckets().length, LAST + 1)
  assert.equal(LAST + 1, 871)
  assert.ok(Math.abs(sketch.quantile(1) / 3_600_000 - 1) < 2 * ACCURACY)
  assert.equal(sketch.quantile(0), 0.1)
})

test('of nothing, nothing is known', () => {
  assert.ok(Number.isNaN(new Sketch().quantile(0.5)))
  assert.equal(new Sketch().above(1), 0)
})

test('the sum of the values is off by no more than its accuracy', () => {
  const sketch = new Sketch()
  const values = Array.from({ length: 500 }, (_, i) => 0.5 * 1.03 ** i)
  for (const value of values) sketch.add(value)
  const sum = values.reduce((a, b) => a + Math.min(b, 3_600_000), 0)
  assert.ok(Math.abs(sketch.sum / sum - 1) <= ACCURACY)
})
