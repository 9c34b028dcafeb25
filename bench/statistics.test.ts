import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interval, median, percentile, slope } from './statistics.ts'

test('median and percentiles interpolate between ranks', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
  assert.equal(percentile([10, 20, 30, 40, 50], 90), 46)
  assert.throws(() => median([]), /no values/)
})

test('the interval holds the median, stays within the rounds, and is the same each time', () => {
  const rounds = [10, 11, 12, 13, 30]
  const [low, high] = interval(rounds)
  assert.ok(low >= 10 && low <= 12 && high >= 12 && high <= 30, `${low} ${high}`)
  assert.deepEqual(interval(rounds), [low, high])
  assert.deepEqual(interval([7, 7, 7]), [7, 7])
})

test('the slope is that of the line', () => {
  assert.equal(
    slope([
      [0, 5],
      [1, 7],
      [2, 9],
    ]),
    2,
  )
})
