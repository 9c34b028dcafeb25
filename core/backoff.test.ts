import assert from 'node:assert/strict'
import test from 'node:test'
import { backoff } from './backoff.ts'

test('backoff: the bound doubles from 50 ms to 2 s, and the wait is anywhere below it', () => {
  const bounds = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((retry) => backoff(retry, () => 1))
  assert.deepEqual(bounds, [50, 100, 200, 400, 800, 1600, 2000, 2000, 2000])
  assert.equal(
    backoff(3, () => 0),
    0,
  )
  assert.equal(
    backoff(3, () => 0.25),
    50,
  )
})
