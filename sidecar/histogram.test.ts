import assert from 'node:assert/strict'
import test from 'node:test'
import { Histogram } from './histogram.ts'

test('histogram: a value counts below the first bound that it does not exceed', () => {
  const histogram = new Histogram([1, 2, 4])
  for (const value of [0, 1, 1.5, 2, 4, 4.1, 1e9]) histogram.observe(value)
  assert.deepEqual([...histogram.counts], [2, 2, 1, 2])
  assert.equal(histogram.sum, 0 + 1 + 1.5 + 2 + 4 + 4.1 + 1e9)
})
