import assert from 'node:assert/strict'
import test from 'node:test'
import { EProcess } from './e-process.ts'
import { seeded } from './random.ts'
import type { Random } from './random.ts'

const LIMIT = 0.03

/** -1, 0 or 1 with a mean of `mean`. */
const loss = (random: Random, mean: number): number => {
  const at = random()
  return at < 0.05 + mean ? 1 : at < 0.1 + mean ? -1 : 0
}

/** After how many values the evidence first reached `goal`; undefined where it did not. */
function reached(process: EProcess, values: number, goal: number, next: (at: number) => number): number | undefined {
  for (let at = 1; at <= values; at++) {
    process.observe(next(at))
    if (process.evidence >= goal) return at
  }
  return undefined
}

test('e-process: at the limit itself, at most α of 600 runs ever alarm, looked at after each of 2,000 values', () => {
  const random = seeded(31)
  let alarms = 0
  for (let run = 0; run < 600; run++)
    if (reached(new EProcess(LIMIT), 2000, 20, () => loss(random, LIMIT)) !== undefined) alarms++
  // Three standard errors above 5 % of 600.
  assert.ok(alarms / 600 <= 0.05 + 0.027, String(alarms))
})

test('e-process: its expectation stays 1 under the hypothesis, whatever the order of losses', () => {
  // All sequences of 12 values that are 1 or -1 by a fair coin, at limit 0: the mean of the evidence is 1 exactly.
  let sum = 0
  for (let bits = 0; bits < 4096; bits++) {
    const process = new EProcess(0)
    for (let at = 0; at < 12; at++) process.observe((bits >> at) & 1 ? 1 : -1)
    sum += process.evidence
  }
  assert.ok(Math.abs(sum / 4096 - 1) < 1e-9, String(sum / 4096))
})

test('e-process: a loss of four times the limit is found within 500 values in nearly all runs', () => {
  const random = seeded(7)
  const found = Array.from({ length: 100 }, () => reached(new EProcess(LIMIT), 500, 20, () => loss(random, 4 * LIMIT)))
  assert.ok(found.filter((at) => at !== undefined).length >= 90, String(found))
})

test('e-process: a change after 5,000 good values is found, where one gambler alone would need thousands more', () => {
  const random = seeded(8)
  const delays = Array.from({ length: 40 }, () => {
    const process = new EProcess(LIMIT)
    for (let at = 0; at < 5000; at++) process.observe(loss(random, 0))
    return reached(process, 2000, 20, () => loss(random, 0.15)) ?? Infinity
  }).sort((a, b) => a - b)
  assert.ok((delays[20] ?? Infinity) <= 400 && (delays[38] ?? Infinity) <= 1000, String(delays))
})
