import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Latest } from './latest.ts'
import { Share } from './share.ts'

test('share: never more than its percentage of the requests', () => {
  for (const percent of [1, 5, 33, 100]) {
    const share = new Share(percent)
    let taken = 0
    for (let i = 1; i <= 1000; i++) {
      share.request()
      if (share.take()) taken++
      assert.ok(taken <= (i * percent) / 100)
    }
    assert.equal(taken, percent * 10)
  }
})

test('share: what was not used may be saved up to ten', () => {
  const share = new Share(50)
  for (let i = 0; i < 1000; i++) share.request()
  let taken = 0
  while (share.take()) taken++
  assert.equal(taken, 10)
})

test('latest: the 95th percentile of the last 128, once there are 20', () => {
  const latest = new Latest(0.95)
  for (let i = 1; i < 20; i++) latest.observe(i)
  assert.equal(latest.percentile, undefined)
  latest.observe(20)
  assert.equal(latest.percentile, 19)
  for (let i = 0; i < 128; i++) latest.observe(7)
  assert.equal(latest.percentile, 7)
})
