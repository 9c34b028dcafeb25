import assert from 'node:assert/strict'
import test from 'node:test'
import { Drift, spreadOf } from './drift.ts'
import { seeded } from './random.ts'

const random = seeded(12)
const spread = spreadOf(Float64Array.from({ length: 3000 }, random))

function psi(next: () => number): number {
  const drift = new Drift(spread)
  for (let at = 0; at < 200; at++) drift.observe(next())
  return drift.psi
}

test('drift: the same distribution stays below 0.2, in each of 200 windows', () => {
  for (let at = 0; at < 200; at++) assert.ok(psi(random) < 0.2)
})

test('drift: shifted, narrowed and constant values are above 0.2', () => {
  assert.ok(psi(() => random() ** 2) > 0.2)
  assert.ok(psi(() => 0.4 + 0.2 * random()) > 0.2)
  assert.ok(psi(() => 2) > 1)
})

test('drift: the index is that of the definition', () => {
  const drift = new Drift({ edges: [0.5], shares: [0.5, 0.5] })
  for (let at = 0; at < 199; at++) drift.observe(at % 5 === 0 ? 0 : 1)
  assert.equal(drift.psi, 0)
  drift.observe(1)
  assert.ok(Math.abs(drift.psi - (-0.3 * Math.log(0.2 / 0.5) + 0.3 * Math.log(0.8 / 0.5))) < 1e-12, String(drift.psi))
})

test('drift: values that are mostly one and the same, as isotonic scores are, share a bin and do not drift by themselves', () => {
  const stepped = (): number => (random() < 0.6 ? 0.9 : random() < 0.5 ? 0.3 : 0.1)
  const steps = spreadOf(Float64Array.from({ length: 3000 }, stepped))
  const drift = new Drift(steps)
  for (let at = 0; at < 200; at++) drift.observe(stepped())
  assert.ok(drift.psi < 0.1, String(drift.psi))
})
