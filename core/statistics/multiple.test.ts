import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../learning/random.ts'
import { certain, discoveries } from './multiple.ts'

const evidence = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 12 })

test('as in the examples of e-BH and of Holm', () => {
  // Of four at 5 %: 80 alone, 40 with another, 26.7 with two, 20 with three.
  assert.deepEqual(discoveries([45, 1, 41, 3], 0.05), [true, false, true, false])
  assert.deepEqual(discoveries([45, 1, 39, 3], 0.05), [false, false, false, false])
  assert.deepEqual(discoveries([20, 20, 20, 20], 0.05), [true, true, true, true])
  assert.deepEqual(certain([1, 100, 65, 30], 0.05), [false, true, true, false])
  assert.deepEqual(certain([70, 70, 70, 70], 0.05), [false, false, false, false])
  assert.deepEqual(discoveries([], 0.05), [])
})

test('more evidence never takes a rejection back, and what is certain is discovered', () => {
  fc.assert(
    fc.property(evidence, fc.nat(11), (values, at) => {
      const more = values.map((value, i) => (i === at ? value * 2 + 1 : value))
      for (const test of [certain, discoveries]) {
        const [before, after] = [test(values, 0.05), test(more, 0.05)]
        assert.ok(before.every((rejected, i) => !rejected || after[i]))
      }
      assert.ok(certain(values, 0.05).every((rejected, i) => !rejected || discoveries(values, 0.05)[i]))
    }),
  )
})

test('error rates: seldom one wrong rejection by Holm, few among the rejected by e-BH, whatever the dependence', () => {
  const gaussian = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  let [any, falses, found] = [0, 0, 0]
  const runs = 2000
  for (let run = 0; run < runs; run++) {
    const random = seeded(run + 1)
    const common = gaussian(random)
    // Likelihood ratios of mean 3 against 0: the first seven hypotheses are true, three are not; all share a part of their noise.
    const values = Array.from({ length: 10 }, (_, i) => {
      const z = 0.7 * common + Math.sqrt(0.51) * gaussian(random) + (i < 7 ? 0 : 3.5)
      return Math.exp(3 * z - 4.5)
    })
    if (certain(values, 0.05).some((rejected, i) => rejected && i < 7)) any++
    const rejected = discoveries(values, 0.05)
    const all = rejected.filter(Boolean).length
    falses += all === 0 ? 0 : rejected.filter((it, i) => it && i < 7).length / all
    found += rejected.filter((it, i) => it && i >= 7).length / 3
  }
  assert.ok(any / runs <= 0.05, `${any}`)
  assert.ok(falses / runs <= 0.05, `${falses}`)
  assert.ok(found / runs >= 0.5, `${found}`)
})
