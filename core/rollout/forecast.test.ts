import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forecast } from './forecast.ts'
import type { Assumed } from './forecast.ts'

const step = (weight: number, dwell = 60_000, samples = 450, manual = false) => ({ weight, dwell, samples, manual })
const plan = {
  alpha: 0.05,
  steps: [step(1), step(50), step(100)],
  guardrails: [
    { metric: 'ErrorRate', margin: 0.01, share: 0.5 },
    { metric: 'Latency', margin: 0.2, share: 0.5 },
  ],
} as const
const every = (value: number): Assumed['usual'] => ({
  ErrorRate: value,
  Truncations: value,
  Refusals: value,
  Escalations: value,
  Latency: value,
  FirstToken: value,
  Cost: value,
  Quality: value,
})
const assumed: Assumed = {
  rate: 10,
  power: 0.8,
  usual: { ...every(0.02), Latency: 0.5 },
  worse: { ...every(0.05), Latency: 0.3 },
}

test('each step but the last: requests of each arm by its weight, and how long they take to come', () => {
  const { steps, promotion, lasts = 0 } = forecast(plan, assumed)
  assert.deepEqual(
    steps.map(({ weight }) => weight),
    [1, 50],
  )
  for (const { weight, found } of steps)
    for (const { canary = 0, stable = 0, seconds = 0 } of found) {
      assert.ok(canary > 50 && canary < 50_000)
      assert.equal(stable, Math.ceil((canary * (100 - weight)) / weight))
      assert.ok(Math.abs(seconds - (canary + (canary * (100 - weight)) / weight) / 10) < 1e-6)
    }
  // 450 of the canary at 1 % of 10 a second; then a minute, which 450 at 50 % do not take.
  assert.deepEqual(
    steps.map((it) => it.lasts),
    [4500, 90],
  )
  const proof = Math.max(...promotion.map(({ seconds = 0 }) => seconds))
  assert.ok(proof > 90)
  assert.ok(Math.abs(lasts - (4500 + proof)) < 1e-6)
})

test('with a hundred stable requests to one fewer of the canary are needed, but they take longer', () => {
  const [first, half] = forecast(plan, assumed).steps.map(({ found }) => found[0])
  assert.ok((first?.canary ?? 0) < (half?.canary ?? 0))
  assert.ok((first?.seconds ?? 0) > (half?.seconds ?? 0))
})

test('what is no more than the margin is never found, and without a rate nobody knows how long', () => {
  const { steps, lasts } = forecast(plan, {
    ...assumed,
    rate: undefined,
    worse: { ...assumed.worse, ErrorRate: 0.01 },
  })
  const [errors, latency] = steps[1]?.found ?? []
  assert.deepEqual(errors, { metric: 'ErrorRate', margin: 0.01, worse: 0.01, usual: 0.02 })
  assert.ok(latency?.canary !== undefined && latency.seconds === undefined)
  assert.equal(lasts, undefined)
})
