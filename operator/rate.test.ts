import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rate } from './rate.ts'

test('rate: a burst goes at once, and those after it wait, each for its own turn', async () => {
  const rate = new Rate(1, 3)
  for (let i = 0; i < 3; i++) {
    assert.equal(rate.wait, 0)
    await rate.take()
  }
  assert.ok(rate.wait > 900 && rate.wait <= 1000, `${rate.wait}`)
  const abort = new AbortController()
  const waiting = rate.take(abort.signal)
  assert.ok(rate.wait > 1900, 'whoever comes next waits for the one before too')
  abort.abort()
  await assert.rejects(waiting)
})

test('rate: what was not used is not saved beyond the burst', async () => {
  const rate = new Rate(10, 2)
  await rate.take()
  await new Promise((resolve) => setTimeout(resolve, 500))
  await rate.take()
  await rate.take()
  assert.ok(rate.wait > 0)
})
