import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Split } from './split.ts'

/** Draws of a split. */
function sequence(weights: readonly number[], random: () => number) {
  const split = new Split(weights, random)
  return (available?: (index: number) => number) => split.draw(available)
}

/** The share of each index over `draws`, in percent. */
function shares(next: () => number, count: number, draws: number): number[] {
  const seen = Array.from({ length: count }, () => 0)
  for (let i = 0; i < draws; i++) {
    const index = next()
    seen[index] = (seen[index] ?? 0) + 1
  }
  return seen.map((n) => (n / draws) * 100)
}

test('split: 100,000 draws at 90/10 are within 0.2 points, from any start', () => {
  for (const start of [0, 0.1, 0.5, 0.9, 0.999999]) {
    const [a = 0, b = 0] = shares(
      sequence([90, 10], () => start),
      2,
      100_000,
    )
    assert.ok(Math.abs(a - 90) < 0.2, `${a} %`)
    assert.ok(Math.abs(b - 10) < 0.2, `${b} %`)
  }
})

test('split: a thousand pods with ten requests each hit the split together', () => {
  let seen = 0
  for (let pod = 0; pod < 1000; pod++) {
    const next = sequence([90, 10], () => (pod + 0.5) / 1000)
    for (let i = 0; i < 10; i++) seen += next()
  }
  assert.ok(Math.abs(seen / 10_000 - 0.1) < 0.002, `${seen} of 10,000`)
})

test('split: any weights are hit closely, and weight 0 is never drawn', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 8 }).filter((w) => w.some(Boolean)),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (weights, start) => {
        const total = weights.reduce((a, b) => a + b, 0)
        const got = shares(
          sequence(weights, () => start),
          weights.length,
          2000,
        )
        for (const [index, weight] of weights.entries()) {
          if (weight === 0) assert.equal(got[index], 0)
          assert.ok(Math.abs((got[index] ?? 0) - (weight / total) * 100) < 1, `${weights.join()}: ${got.join()}`)
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('split: the others share what an unavailable one leaves, by weight and exactly', () => {
  const next = sequence([50, 30, 20], () => 0.3)
  const got = shares(() => next((index) => (index === 0 ? 0 : 1)), 3, 100_000)
  assert.equal(got[0], 0)
  assert.ok(Math.abs((got[1] ?? 0) - 60) < 0.2, got.join())
  assert.ok(Math.abs((got[2] ?? 0) - 40) < 0.2, got.join())
})

test('split: one that ramps up gets that part of its weight', () => {
  const next = sequence([50, 50], () => 0.7)
  const got = shares(() => next((index) => (index === 0 ? 0.25 : 1)), 2, 100_000)
  assert.ok(Math.abs((got[0] ?? 0) - 20) < 0.2, got.join()) // 12.5 against 50
})

test('split: availability that comes and goes leaves no trace in the shares after it', () => {
  let clock = 0
  const next = sequence([90, 10], () => 0.2)
  const draw = () => next((index) => (index === 1 && clock++ % 200 < 100 ? 0 : 1))
  for (let i = 0; i < 1000; i++) draw()
  const got = shares(() => next(() => 1), 2, 100_000)
  assert.ok(Math.abs((got[1] ?? 0) - 10) < 0.2, got.join())
})

test('split: with nothing available the weights decide, and weight 0 is still never drawn', () => {
  const next = sequence([0, 75, 25, 0], () => 0.2)
  const got = shares(() => next(() => 0), 4, 10_000)
  assert.equal(got[0], 0)
  assert.equal(got[3], 0)
  assert.ok(Math.abs((got[1] ?? 0) - 75) < 0.2, got.join())
})

test('split: whose share a draw was is as the weights say, whoever takes it', () => {
  const split = new Split([90, 10], () => 0.4)
  const owners = shares(
    () => {
      assert.equal(
        split.draw((index) => (index === 1 ? 0 : 1)),
        0,
      )
      return split.owner
    },
    2,
    100_000,
  )
  assert.ok(Math.abs((owners[1] ?? 0) - 10) < 0.2, owners.join())
})
