import assert from 'node:assert/strict'
import test from 'node:test'
import { RetryBudget } from './retry-budget.ts'

function make(percent: number, minPerSecond: number) {
  const clock = { at: 12_345_678 }
  const budget = new RetryBudget({ percent, minPerSecond }, () => clock.at)
  const taken = (tries: number) => Array.from({ length: tries }, () => budget.take()).filter(Boolean).length
  const requests = (count: number) => {
    for (let i = 0; i < count; i++) budget.request()
  }
  return { clock, budget, taken, requests }
}

test('retry budget: the minimum a second is always allowed, and no more without requests', () => {
  const { clock, taken } = make(20, 3)
  assert.equal(taken(100), 3)
  clock.at += 1000
  assert.equal(taken(100), 3)
})

test('retry budget: a share of the requests of the last ten seconds', () => {
  const { clock, taken, requests } = make(20, 0)
  requests(100)
  assert.equal(taken(100), 20)
  clock.at += 5000
  requests(50)
  assert.equal(taken(100), 10)
  clock.at += 5000
  assert.equal(taken(100), 0, 'the hundred and their twenty are gone; the fifty have had theirs')
  clock.at += 5000
  assert.equal(taken(100), 0, 'nothing left to take a share of')
})

test('retry budget: 0 percent and 0 a second allow none', () => {
  const { taken, requests } = make(0, 0)
  requests(1000)
  assert.equal(taken(10), 0)
})

test('retry budget: over a long run retries stay at their share', () => {
  const { clock, taken, requests } = make(10, 0)
  let retries = 0
  for (let i = 0; i < 100_000; i++) {
    requests(1)
    retries += taken(1)
    clock.at += 3
  }
  assert.ok(Math.abs(retries - 10_000) < 100, `${retries}`)
})

test('retry budget: an edit takes effect at once', () => {
  const { budget, taken, requests } = make(10, 0)
  requests(100)
  assert.equal(taken(100), 10)
  budget.configure({ percent: 30, minPerSecond: 0 })
  assert.equal(taken(100), 20)
})
