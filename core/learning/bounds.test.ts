import assert from 'node:assert/strict'
import test from 'node:test'
import { bernsteinUpper, bettingUpper, moments, normalQuantile, normalUpper } from './bounds.ts'
import type { UpperBound } from './bounds.ts'
import { seeded } from './random.ts'

/** Losses of a router that keeps most answers: -1, 0 or 1, with mean `up - down`. */
const losses = (random: () => number, n: number, up: number, down: number): Float64Array =>
  Float64Array.from({ length: n }, () => {
    const at = random()
    return at < up ? 1 : at < up + down ? -1 : 0
  })

const exact: readonly (readonly [string, UpperBound])[] = [
  ['empirical Bernstein', bernsteinUpper],
  ['betting', bettingUpper],
]
const all = [...exact, ['normal', normalUpper] as const]
const RANGE = { delta: 0.05, low: -1, high: 1 }

test('bounds: the quantiles of the normal distribution are those of the tables', () => {
  const table = [
    [0.5, 0],
    [0.95, 1.6448536269514722],
    [0.975, 1.959963984540054],
    [0.01, -2.3263478740408408],
    [0.999, 3.090232306167813],
  ] as const
  for (const [p, z] of table) assert.ok(Math.abs(normalQuantile(p) - z) < 1e-7, `${p}`)
})

test('bounds: mean and variance keep their figures far from zero', () => {
  const { mean, variance, n } = moments([1e9 + 1, 1e9 + 2, 1e9 + 3])
  assert.deepEqual([mean, variance, n], [1e9 + 2, 1, 3])
})

for (const [name, bound] of all) {
  test(`bounds: ${name} is below the true mean in at most δ of 1,500 samples of 600`, () => {
    const random = seeded(7)
    let below = 0
    for (let trial = 0; trial < 1500; trial++) if (bound(losses(random, 600, 0.06, 0.04), RANGE) < 0.02) below++
    // Three standard errors of a share of 5 % over 1,500 trials; the normal bound leans on n being large, and is given one point more.
    assert.ok(below / 1500 <= 0.05 + 0.017 + (bound === normalUpper ? 0.01 : 0), String(below))
  })
}

for (const [name, bound] of exact) {
  test(`bounds: ${name} holds where a loss is rare and the sample small, the normal bound does not`, () => {
    const random = seeded(11)
    let [below, normal] = [0, 0]
    for (let trial = 0; trial < 1500; trial++) {
      const sample = losses(random, 40, 0.03, 0)
      if (bound(sample, { ...RANGE, low: 0 }) < 0.03) below++
      if (normalUpper(sample, RANGE) < 0.03) normal++
    }
    assert.ok(below / 1500 <= 0.067, String(below))
    assert.ok(normal / 1500 > 0.2, String(normal))
  })
}

test('bounds: the betting bound is tighter than empirical Bernstein, and the normal one tighter than both', () => {
  const random = seeded(3)
  const widths = all.map(() => 0)
  for (let trial = 0; trial < 40; trial++) {
    const sample = losses(random, 1000, 0.05, 0.03)
    for (const [i, [, bound]] of all.entries()) widths[i] = (widths[i] ?? 0) + bound(sample, RANGE) / 40 - 0.02
  }
  const [bernstein = 0, betting = 0, normal = 0] = widths
  assert.ok(betting < 0.75 * bernstein && normal < betting, String(widths))
})

for (const [name, bound] of all) {
  test(`bounds: ${name} closes in on the mean as n grows, never passes the range, and says nothing of no values`, () => {
    const random = seeded(5)
    const [few, many] = [200, 20_000].map((n) => bound(losses(random, n, 0.05, 0.03), RANGE))
    assert.ok(few !== undefined && many !== undefined && many < few && many < 0.03, `${few} ${many}`)
    assert.ok(bound([1, 1, 1], RANGE) <= 1)
    assert.equal(bound([], RANGE), Infinity)
  })
}

test('bounds: a smaller delta asks for more', () => {
  const sample = losses(seeded(9), 800, 0.04, 0.04)
  for (const [name, bound] of all) assert.ok(bound(sample, { ...RANGE, delta: 0.01 }) > bound(sample, RANGE), name)
})
