import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../learning/random.ts'
import type { Random } from '../learning/random.ts'
import { difference } from '../../test/helpers/difference.ts'
import { meansEvidence, normal, sequence } from './means.ts'
import { Proportions } from './proportions.ts'
import { lnGamma, sampleRatioEvidence } from './sample-ratio.ts'
import { added, meanOf, NO_SUMS, varianceOf } from './sums.ts'
import type { Sums } from './sums.ts'

const ALPHA = 0.05
/** A rate of at most 5 % shows up as more than this in one of 400 runs by a chance of 1 in 1,000. */
const SLACK = 0.085
const gaussian = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
const one = (value: number): Sums => ({ n: 1, sum: value, squares: value * value })

/** How often, and after how many samples an arm, evidence of harm is found, looked at after every batch. */
function runs(count: number, most: number, look: (random: Random) => (batch: number) => number) {
  const batch = 20
  const found = Array.from({ length: count }, (_, run) => {
    const evidence = look(seeded(run + 1))
    for (let n = batch; n <= most; n += batch) if (evidence(batch) >= 1 / ALPHA) return n
    return Number.POSITIVE_INFINITY
  }).sort((a, b) => a - b)
  return { rate: found.filter(Number.isFinite).length / count, median: found[count >> 1] ?? 0 }
}

const proportions =
  (control: number, canary: number, margin: number, part = 1) =>
  (random: Random) => {
    const test = new Proportions(margin)
    const hits = (n: number, p: number) => Array.from({ length: n }, () => random()).filter((draw) => draw < p).length
    return (batch: number) => {
      const few = Math.max(1, Math.round(batch * part))
      test.update({ canary: { n: few, hits: hits(few, canary) }, control: { n: batch, hits: hits(batch, control) } })
      return test.evidence
    }
  }

test('proportions: a harmless canary is blamed in at most 5 % of runs, looked at after every batch', () => {
  for (const [p, margin, part] of [
    [0.01, 0, 1],
    [0.2, 0, 1],
    [0.2, 0, 0.05],
    [0.05, 0.02, 1],
  ] as const)
    assert.ok(runs(400, 3000, proportions(p, p + margin, margin, part)).rate <= SLACK, `${p} ${margin} ${part}`)
})

/** The chances of 0 … n hits. */
function binomial(n: number, p: number): readonly number[] {
  return Array.from({ length: n + 1 }, (_, k) =>
    Math.exp(lnGamma(n + 1) - lnGamma(k + 1) - lnGamma(n - k + 1) + k * Math.log(p) + (n - k) * Math.log(1 - p)),
  )
}

test('proportions: whatever is known before, a batch of a harmless canary is a fair bet at best, exactly', () => {
  const share = fc.double({ min: 0.001, max: 0.6, noNaN: true })
  const size = fc.integer({ min: 1, max: 12 })
  const count = fc.record({ n: fc.integer({ min: 20, max: 500 }), part: share })
  fc.assert(
    fc.property(
      fc.record({
        control: share,
        margin: fc.double({ min: 0, max: 0.3, noNaN: true }),
        part: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.record({ n: size, m: size }),
      fc.record({ canary: count, control: count }),
      ({ control, margin, part }, { n, m }, before) => {
        const worst = Math.min(0.999, control + margin * part)
        const known = ({ n, part }: { n: number; part: number }) => ({ n, hits: n * part })
        const state = {
          logs: [0, 0, 0, 0, 0, 0],
          canary: known(before.canary),
          control: known(before.control),
        }
        let mean = 0
        for (const [a, chance] of binomial(n, worst).entries())
          for (const [b, other] of binomial(m, control).entries()) {
            const test = new Proportions(margin, state)
            test.update({ canary: { n, hits: a }, control: { n: m, hits: b } })
            mean += chance * other * test.evidence
          }
        assert.ok(mean <= 1 + 1e-6, `${mean}`)
      },
    ),
    { numRuns: 150 },
  )
})

test('proportions: a canary that is better than the control is blamed less still', () => {
  assert.ok(runs(200, 3000, proportions(0.2, 0.1, 0)).rate <= 0.02)
})

test('proportions: five points more errors are found at a median of less than 500 samples an arm', () => {
  const { rate, median } = runs(200, 3000, proportions(0.01, 0.06, 0))
  assert.ok(rate === 1 && median <= 500, `${rate} ${median}`)
})

test('proportions: state goes on where it was, and a batch of one arm alone decides nothing', () => {
  const random = seeded(7)
  const [whole, first] = [new Proportions(0.01), new Proportions(0.01)]
  const batch = () => ({
    canary: { n: 10, hits: random() < 0.5 ? 1 : 0 },
    control: { n: 30, hits: random() < 0.5 ? 1 : 0 },
  })
  const batches = Array.from({ length: 40 }, batch)
  for (const each of batches.slice(0, 20)) for (const it of [whole, first]) it.update(each)
  const second = new Proportions(0.01, JSON.parse(JSON.stringify(first.state)))
  for (const each of batches.slice(20)) for (const it of [whole, second]) it.update(each)
  assert.equal(second.evidence, whole.evidence)
  const before = whole.evidence
  whole.update({ canary: { n: 100, hits: 100 }, control: { n: 0, hits: 0 } })
  assert.equal(whole.evidence, before)
})

const means = (draw: (random: Random, canary: boolean) => number, margin: number, tau: number) => (random: Random) => {
  let [canary, control] = [NO_SUMS, NO_SUMS]
  return (batch: number) => {
    for (let i = 0; i < batch; i++) {
      canary = added(canary, one(draw(random, true)))
      control = added(control, one(draw(random, false)))
    }
    const known = difference(canary, control)
    return known ? meansEvidence(known, margin, tau) : 1
  }
}
const cost = (factor: number) => (random: Random, canary: boolean) =>
  Math.exp(0.9 * gaussian(random)) * (canary ? factor : 1)

test('means: skewed costs that are the same are blamed in at most 5 % of runs; 25 % more are found', () => {
  assert.ok(runs(300, 3000, means(cost(1), 0, 0.3)).rate <= SLACK)
  const { rate, median } = runs(100, 4000, means(cost(1.25), 0, 0.3))
  assert.ok(rate === 1 && median <= 800, `${rate} ${median}`)
})

test('means: the sequence covers the difference at every look, and narrows', () => {
  let missed = 0
  for (let run = 0; run < 200; run++) {
    const random = seeded(run + 1)
    let [canary, control] = [NO_SUMS, NO_SUMS]
    let out = false
    for (let n = 0; n < 2000; n++) {
      canary = added(canary, one(gaussian(random) + 0.1))
      control = added(control, one(gaussian(random)))
      const known = n % 50 === 49 ? difference(canary, control) : undefined
      if (!known) continue
      const [lower, upper] = sequence(known, ALPHA, 0.1)
      if (lower > 0.1 || upper < 0.1) out = true
    }
    if (out) missed++
  }
  assert.ok(missed / 200 <= 0.1, `${missed}`)
  const [lower, upper] = sequence({ estimate: 0, variance: 1e-4 }, ALPHA, 0.1)
  assert.ok(upper - lower < 0.08)
})

test('sums: mean and variance of what was added, in any order', () => {
  const values = [3, 1, 4, 1, 5, 9, 2, 6]
  const sums = values.map(one).reduce(added)
  assert.equal(meanOf(sums), 3.875)
  assert.ok(Math.abs(varianceOf(sums) - 7.553571428571429) < 1e-9)
  assert.deepEqual(values.toReversed().map(one).reduce(added), sums)
  assert.equal(varianceOf(one(5)), 0)
})

test('sample ratio: a fair split is doubted in at most 5 % of runs; 46 to 54 is found', () => {
  const split = (share: number) => (random: Random) => {
    const counts: [number, number] = [0, 0]
    return (batch: number) => {
      for (let i = 0; i < batch; i++) counts[random() < share ? 0 : 1]++
      return sampleRatioEvidence(counts, [0.5, 0.5])
    }
  }
  assert.ok(runs(400, 4000, split(0.5)).rate <= SLACK)
  assert.ok(runs(100, 8000, split(0.46)).rate >= 0.99)
  assert.equal(sampleRatioEvidence([1, 0], [0, 1]), Number.POSITIVE_INFINITY)
})

test('functions: against what tables say', () => {
  assert.ok(Math.abs(normal(1.959964) - 0.975) < 1e-6)
  assert.ok(Math.abs(normal(-1) - 0.15865525) < 1e-6)
  assert.ok(Math.abs(lnGamma(10) - Math.log(362880)) < 1e-9)
  assert.ok(Math.abs(lnGamma(0.5) - Math.log(Math.PI) / 2) < 1e-9)
})
