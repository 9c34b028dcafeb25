import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DenseSketch } from './dense.ts'
import { LAST, Sketch } from './sketch.ts'
import { writeSketch } from './wire.ts'

const durations = fc.array(fc.double({ min: 0.1, max: 3_600_000, noNaN: true }), { maxLength: 100 })
const sketchOf = (values: readonly number[]) => {
  const sketch = new Sketch()
  for (const value of values) sketch.add(value)
  return sketch
}

test('dense: sketches that travel add up to the sketch of all their values', () => {
  fc.assert(
    fc.property(durations, durations, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, q) => {
      const dense = new DenseSketch()
      for (const values of [a, b]) dense.add(writeSketch(sketchOf(values)))
      const all = sketchOf([...a, ...b])
      assert.deepEqual(dense.wire(), writeSketch(all))
      assert.equal(dense.count, all.count)
      assert.deepEqual(dense.quantile(q), all.quantile(q))
    }),
  )
})

test('dense: what can be no sketch adds what of it can be', () => {
  const dense = new DenseSketch()
  dense.add([LAST + 1, 5])
  dense.add([3, 2, 1])
  assert.deepEqual(dense.wire(), [3, 2])
  dense.clear()
  assert.deepEqual([dense.wire(), dense.count, dense.quantile(0.5)], [[], 0, Number.NaN])
})
