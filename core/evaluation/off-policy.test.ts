import assert from 'node:assert/strict'
import test from 'node:test'
import { seeded } from '../learning/random.ts'
import { offPolicy, onPolicy, proposable } from './off-policy.ts'
import type { LoggedDecision } from './off-policy.ts'

/** Two arms: the first is good for small x, the second for large. The log draws the second with `share`. */
function logOf(n: number, share: number, policy: (x: number) => readonly number[], seed: number) {
  const random = seeded(seed)
  let truth = 0
  const log = Array.from({ length: n }, (): LoggedDecision => {
    const x = random()
    const chance = [0.9 - 0.6 * x, 0.3 + 0.5 * x]
    const arm = random() < share ? 1 : 0
    const reward = random() < (chance[arm] ?? 0) ? 1 : 0
    truth += policy(x).reduce((sum, part, index) => sum + part * (chance[index] ?? 0), 0) / n
    const propensity = arm === 1 ? share : 1 - share
    return { x: Float64Array.of(1, x), arm, reward, propensity, policy: policy(x) }
  })
  return { log, truth }
}
const best = (x: number) => (x < 0.55 ? [1, 0] : [0, 1])

test('off-policy: every estimate is right within its interval, and those that divide by the weights or use a model are closer', () => {
  const off = { ips: 0, snips: 0, dr: 0 }
  for (let seed = 0; seed < 20; seed++) {
    const { log, truth } = logOf(4000, 0.1, best, seed)
    const found = offPolicy(log)
    for (const key of ['ips', 'snips', 'dr'] as const) {
      assert.ok(found[key].low < truth && truth < found[key].high, key)
      off[key] += Math.abs(found[key].value - truth)
    }
    assert.ok(found.enough)
    assert.equal(found.clipped, 0)
  }
  assert.ok(off.dr < off.ips && off.snips < off.ips, JSON.stringify(off))
  assert.ok(off.dr / 20 < 0.02, JSON.stringify(off))
})

test('off-policy: few decisions that the policy would have made are not enough evidence', () => {
  const { log } = logOf(3000, 0.01, () => [0, 1], 1)
  const found = offPolicy(log)
  assert.ok(found.effective < 100)
  assert.equal(found.enough, false)
  assert.ok(found.clipped > 0)
})

test('off-policy: the policy of the log itself has weights of 1, and the mean for its value', () => {
  const { log } = logOf(500, 0.5, () => [0.5, 0.5], 2)
  const found = offPolicy(log)
  const mean = log.reduce((sum, { reward }) => sum + reward, 0) / log.length
  assert.ok(Math.abs(found.effective - 500) < 1e-6)
  for (const key of ['ips', 'snips'] as const) assert.ok(Math.abs(found[key].value - mean) < 1e-9)
  assert.ok(Math.abs(found.dr.value - mean) < 0.02)
})

test('off-policy: propensities that are none, and an empty log, are refused', () => {
  const { log } = logOf(1, 0.5, best, 3)
  assert.throws(() => offPolicy([]), RangeError)
  for (const propensity of [0, -1, 2, Number.NaN])
    assert.throws(() => offPolicy(log.map((it) => ({ ...it, propensity }))), RangeError)
})

test('off-policy: a policy is proposed where it is surely better, or surely cheaper and surely not much worse', () => {
  const is = (value: number, off: number) => ({ value, low: value - off, high: value + off })
  const now = { reward: onPolicy(Array.from({ length: 5000 }, (_, i) => (i % 10 < 7 ? 1 : 0))), cost: is(10, 1) }
  assert.equal(proposable(now, { reward: is(0.8, 0.05), cost: is(20, 1) }, 0.02), true)
  assert.equal(proposable(now, { reward: is(0.8, 0.2), cost: is(20, 1) }, 0.02), false)
  assert.equal(proposable(now, { reward: is(0.7, 0.01), cost: is(5, 1) }, 0.02), true)
  assert.equal(proposable(now, { reward: is(0.7, 0.05), cost: is(5, 1) }, 0.02), false)
  assert.equal(proposable(now, { reward: is(0.7, 0.01), cost: is(9.5, 1) }, 0.02), false)
})
