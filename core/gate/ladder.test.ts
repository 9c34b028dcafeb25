import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agreement, agrees } from './agreement.ts'
import { bound, goDirect } from './ladder.ts'
import type { Asking, Rungs } from './ladder.ts'
import { readMark } from './mark.ts'
import { EscalationRate } from './rate.ts'

/** A rate after so many answers, every so manieth of which failed. */
function rate(answers: number, every: number): EscalationRate {
  const made = new EscalationRate()
  for (let i = 1; i <= answers; i++) made.observe(i % every === 0, 100)
  return made
}

const rungs = (rest: Partial<Rungs> = {}): Rungs => ({
  rate: rate(100, 2),
  weakCost: 1,
  strongCost: 10,
  weakLatency: 100,
  strongLatency: 1000,
  left: 10_000,
  ...rest,
})

test('direct: the cheap target is left out where P > 1 − c_w/c_s, and where the cascade would be late', () => {
  assert.equal(goDirect(rungs()), undefined, 'half of the answers fail, and it costs a tenth')
  assert.equal(goDirect(rungs({ weakCost: 6 })), 'direct_cheaper', 'half fail, and it costs six tenths')
  assert.equal(goDirect(rungs({ rate: rate(100, 1) })), 'direct_cheaper', 'all fail')
  assert.equal(
    goDirect(rungs({ rate: rate(100, 1), strongCost: undefined })),
    undefined,
    'nothing is known of the cost',
  )
  assert.equal(goDirect(rungs({ left: 500 })), 'direct_faster', '100 + ½ · 1000 ms are more than there is')
  assert.equal(goDirect(rungs({ left: 700 })), undefined)
  assert.equal(goDirect(rungs({ rate: rate(19, 1) })), undefined, 'too little is known')
})

test('direct: one of twenty still begins with the cheap target, so that the estimate stays one', () => {
  const failing = rate(100, 1)
  const all = Array.from({ length: 200 }, () => goDirect(rungs({ rate: failing })))
  assert.equal(all.filter((it) => it === undefined).length, 10)
})

test('rate: recent answers count more than those of long ago', () => {
  const changed = rate(1000, 1)
  assert.equal(changed.probability, 1)
  for (let i = 0; i < 500; i++) changed.observe(false, 10)
  assert.ok((changed.probability ?? 1) < 0.1)
  assert.ok((changed.output ?? 0) < 20)
})

const asking = (rest: Partial<Asking> = {}): Asking => ({
  escalations: 0,
  spent: 10,
  next: 100,
  first: 10,
  latency: 0,
  left: 1000,
  ...rest,
})
const config = (budget?: { most?: number; multiple?: number }) => ({
  mode: 'Buffer' as const,
  prefix: { tokens: 1, within: 1 },
  checks: [],
  logprobs: undefined,
  learned: undefined,
  agreement: undefined,
  judge: undefined,
  maxEscalations: 2,
  budget: budget && { most: budget.most, multiple: budget.multiple },
})

test('bound: by count, by time, by money', () => {
  assert.equal(bound(config(), asking()), undefined)
  assert.equal(bound(config(), asking({ escalations: 2 })), 'max_escalations')
  assert.equal(bound(config(), asking({ latency: 1000 })), 'deadline')
  assert.equal(bound(config({ most: 109 }), asking()), 'budget')
  assert.equal(bound(config({ most: 110 }), asking()), undefined)
  assert.equal(bound(config({ multiple: 11 }), asking()), undefined)
  assert.equal(bound(config({ multiple: 10 }), asking()), 'budget')
  assert.equal(bound(config({ most: 50, multiple: 11 }), asking()), 'budget')
  for (const unknown of [{ spent: undefined }, { next: undefined }])
    assert.equal(bound(config({ most: 1e12 }), asking(unknown)), 'budget', 'what is unknown is never free')
  assert.equal(bound(config({ multiple: 1000 }), asking({ first: undefined })), 'budget')
})

test('agreement: by what answers come to, of those that come to something', () => {
  assert.equal(agreement('So the answer is 42.', ['…\n#### 42', '\\boxed{42}']), 1)
  assert.equal(agreement('So the answer is 42.', ['the answer is 41', '\\boxed{42}']), 0.5)
  assert.equal(agreement('So the answer is 42.', []), undefined)
  assert.equal(agreement('A long story. '.repeat(30), ['\\boxed{42}']), undefined)
  assert.deepEqual([0, 0.5, 1].map(agrees), [false, true, true])
})

test('mark: the number that a judge gave', () => {
  for (const [text, mark] of [
    ['7', 7],
    ['8/10', 8],
    ['Let me think: 3 points are wrong. Mark: 6.5', 6.5],
    ['**9** / 10', 9],
    ['eleven', undefined],
    ['42', undefined],
    ['', undefined],
  ] as const)
    assert.equal(readMark(text), mark, text)
})
