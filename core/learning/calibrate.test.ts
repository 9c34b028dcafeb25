import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { brier, calibrate, calibrationError, isotonic, platt, probability, reliability } from './calibrate.ts'
import { sigmoid } from './head.ts'
import { seeded } from './random.ts'

/** Logits whose outcomes follow σ(slope · logit + shift). */
function sample(
  count: number,
  slope: number,
  shift: number,
  seed: number,
): { logits: Float64Array; outcomes: Float64Array } {
  const random = seeded(seed)
  const logits = Float64Array.from({ length: count }, () => 6 * random() - 3)
  return { logits, outcomes: logits.map((logit) => (random() < sigmoid(slope * logit + shift) ? 1 : 0)) }
}

test('calibration: an overconfident head is brought to what was observed, by either way', () => {
  const { logits, outcomes } = sample(5000, 0.4, -0.5, 1)
  const held = sample(5000, 0.4, -0.5, 2)
  const error = (of: (logit: number) => number): number =>
    calibrationError(reliability(held.logits.map(of), held.outcomes))
  const raw = error(sigmoid)
  for (const calibration of [platt(logits, outcomes), isotonic(logits, outcomes)]) {
    assert.ok(error((logit) => probability(calibration, logit)) < 0.03 && raw > 0.08)
    assert.ok(
      brier(
        held.logits.map((logit) => probability(calibration, logit)),
        held.outcomes,
      ) < brier(held.logits.map(sigmoid), held.outcomes),
    )
  }
})

test('calibration: isotonic where 2,000 rows or more show that it is better, else Platt', () => {
  const straight = sample(4000, 1, 0, 3)
  assert.equal(calibrate(straight.logits, straight.outcomes).kind, 'platt')
  // Good for nothing below 1, for everything above: no line says that.
  const step = {
    logits: straight.logits,
    outcomes: straight.logits.map((logit, row) => (logit > 1 === row % 20 > 0 ? 1 : 0)),
  }
  assert.equal(calibrate(step.logits, step.outcomes).kind, 'isotonic')
  assert.equal(calibrate(step.logits.slice(0, 1999), step.outcomes.slice(0, 1999)).kind, 'platt')
})

test('calibration: a head that ranks backwards says the base rate', () => {
  const { logits, outcomes } = sample(500, -2, 0, 4)
  const calibration = platt(logits, outcomes)
  assert.equal(probability(calibration, -3), probability(calibration, 3))
})

test('calibration: whatever the outcomes, a probability strictly between 0 and 1 that never falls as the logit rises', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ logit: fc.double({ min: -50, max: 50, noNaN: true }), outcome: fc.constantFrom(0, 1) }), {
        minLength: 1,
        maxLength: 60,
      }),
      (rows) => {
        const logits = Float64Array.from(rows, ({ logit }) => logit)
        const outcomes = Float64Array.from(rows, ({ outcome }) => outcome)
        for (const calibration of [platt(logits, outcomes), isotonic(logits, outcomes)]) {
          let before = 0
          for (let logit = -60; logit <= 60; logit += 1.5) {
            const p = probability(calibration, logit)
            assert.ok(p >= before - 1e-12 && p >= 0 && p <= 1, `${calibration.kind} ${logit} ${p}`)
            before = p
          }
          if (calibration.kind === 'isotonic') assert.ok(before < 1)
        }
      },
    ),
  )
})

test('calibration error: 0 where every bin is right, the gap where all are wrong by it', () => {
  const half = Float64Array.from({ length: 100 }, () => 0.5)
  const outcomes = half.map((_, at) => at % 2)
  assert.equal(calibrationError(reliability(half, outcomes, 1)), 0)
  assert.ok(
    Math.abs(
      calibrationError(
        reliability(
          half.map(() => 0.8),
          outcomes,
          1,
        ),
      ) - 0.3,
    ) < 1e-12,
  )
})
