import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from '../learning/random.ts'
import type { Random } from '../learning/random.ts'
import { predictionPowered } from './ppi.ts'
import type { Judged } from './ppi.ts'
import type { Sums } from './sums.ts'

/** Answers whose mark is around 0.7 and of which a score says something, all of them scored, each marked with a chance of 5 %. */
function answers(random: Random, score: (mark: number) => number): { judged: Judged; all: Sums; mean: number } {
  let [judged, all]: [Judged, Sums] = [
    { n: 0, y: 0, yy: 0, f: 0, ff: 0, yf: 0 },
    { n: 0, sum: 0, squares: 0 },
  ]
  for (let i = 0; i < 4000; i++) {
    const y = random() < 0.7 ? 0.8 + 0.2 * random() : 0.6 * random()
    const f = score(y)
    all = { n: all.n + 1, sum: all.sum + f, squares: all.squares + f * f }
    if (random() < 0.05) {
      const { n, ...it } = judged
      judged = { n: n + 1, y: it.y + y, yy: it.yy + y * y, f: it.f + f, ff: it.ff + f * f, yf: it.yf + y * f }
    }
  }
  return { judged, all, mean: 0.7 * 0.9 + 0.3 * 0.3 }
}

function covered(score: (mark: number, random: Random) => number) {
  let [inside, variances, plain] = [0, 0, 0]
  const runs = 400
  for (let run = 0; run < runs; run++) {
    const random = seeded(run + 1)
    const { judged, all, mean } = answers(random, (mark) => score(mark, random))
    const known = predictionPowered(judged, all)
    assert.ok(known)
    if (Math.abs(known.estimate - mean) <= 1.96 * Math.sqrt(known.variance)) inside++
    variances += known.variance
    plain += (judged.yy / judged.n - (judged.y / judged.n) ** 2) / judged.n
  }
  return { rate: inside / runs, saving: 1 - variances / plain }
}

test('with a good score the mean is known as by several times as many marks, and its interval holds', () => {
  const { rate, saving } = covered((mark, random) => (mark > 0.7 === random() < 0.95 ? 1 : 0))
  assert.ok(rate >= 0.93, `${rate}`)
  assert.ok(saving >= 0.5, `${saving}`)
})

test('a score that is biased, or says nothing, does no harm', () => {
  for (const score of [
    (mark: number) => mark * 0.3 + 0.5,
    (_: number, random: Random) => random(),
    (mark: number) => 1 - mark,
    () => 0.4,
  ]) {
    const { rate, saving } = covered(score)
    assert.ok(rate >= 0.93, `${rate}`)
    assert.ok(saving >= -0.05, `${saving}`)
  }
})

test('too few marks say nothing; where all are marked the score is not needed', () => {
  assert.equal(
    predictionPowered({ n: 19, y: 10, yy: 8, f: 10, ff: 10, yf: 9 }, { n: 99, sum: 50, squares: 50 }),
    undefined,
  )
  const known = predictionPowered({ n: 40, y: 20, yy: 14, f: 20, ff: 20, yf: 18 }, { n: 40, sum: 20, squares: 20 })
  assert.equal(known?.estimate, 0.5)
})
