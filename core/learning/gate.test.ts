import assert from 'node:assert/strict'
import test from 'node:test'
import { ArtefactError } from './artefact-error.ts'
import { calibrationError, reliability } from './calibrate.ts'
import { CERTIFY_DEFAULTS, certify } from './certificate.ts'
import { fitGate, judge } from './gate.ts'
import { gateFeatures } from './gate-features.ts'
import type { GateRow } from './gates.ts'
import { keeps, readGates, trainGate, writeGates } from './gates.ts'
import { seeded } from './random.ts'

/**
 * Sums of two kinds. Of easy ones the cheap model hedges where it is wrong, and the strong one is right; of hard ones both are wrong in half, so that
 * escalating helps nothing. Another cheap model agrees with right answers.
 */
function written(count: number, seed: number): readonly GateRow[] {
  const random = seeded(seed)
  return Array.from({ length: count }, () => {
    const [a, b] = [Math.floor(100 * random()), Math.floor(100 * random())]
    const hard = random() < 0.3
    const right = random() < (hard ? 0.5 : 0.85)
    const said = right ? a + b : a + b + 1
    const hedges = random() < (right ? 0.1 : 0.6)
    return {
      text: hard ? `Prove with $x^2$ that \\sum is ${a} + ${b}` : `What is ${a} + ${b}?`,
      segment: hard ? 'hard' : 'sums',
      answer: { text: `${hedges ? 'Perhaps, I think, ' : ''}${a} plus ${b} makes ${said}.\n{"answer": "${said}"}` },
      second: { text: `{"answer": "${right || random() < 0.2 ? said : a + b + 2}"}` },
      weak: right ? 1 : 0,
      strong: hard && !right ? 0 : 1,
    }
  })
}

function rows(count: number, seed: number) {
  const made = written(count, seed)
  return {
    features: made.map(({ text, answer, second }) => gateFeatures(text, answer, second)),
    weak: made.map(({ weak }) => weak),
    strong: made.map(({ strong }) => strong),
    hard: made.map(({ segment }) => segment === 'hard'),
  }
}

const gate = fitGate(rows(1500, 1), 0.5)
const held = rows(2000, 2)
const judged = held.features.map((features) => judge(gate, features))

test('gate: the probability that an answer is wrong is calibrated on answers it has not seen', () => {
  const wrong = Float64Array.from(judged, ({ wrong }) => wrong)
  const outcomes = Float64Array.from(held.weak, (quality) => 1 - quality)
  assert.ok(calibrationError(reliability(wrong, outcomes)) < 0.05)
  const mean = (of: number): number => {
    const part = wrong.filter((_, i) => outcomes[i] === of)
    return part.reduce((sum, value) => sum + value, 0) / part.length
  }
  assert.ok(mean(1) > mean(0) + 0.4)
})

test('gate: it is surer to escalate a wrong answer that the strong endpoint gets right than one that both get wrong', () => {
  const mean = (hard: boolean): number => {
    const part = judged.filter((_, i) => held.hard[i] === hard && held.weak[i] === 0)
    return part.reduce((sum, { score }) => sum + score, 0) / part.length
  }
  assert.ok(mean(true) > mean(false) + 0.15, `${mean(true)} ${mean(false)}`)
})

test('gate: a threshold certified on its scores keeps most answers cheap, and the promise on other rows', () => {
  const grid = rows(1000, 3).features.map((features) => judge(gate, features).score)
  const options = { ...CERTIFY_DEFAULTS, segment: '*', issued: '2026-11-21' }
  const made = certify({ score: judged.map(({ score }) => score), weak: held.weak, strong: held.strong }, grid, options)
  assert.ok(made.kind === 'Certificate' && made.share > 0.6, JSON.stringify(made))
  const fresh = rows(4000, 4)
  let [routed, strong] = [0, 0]
  for (const [i, features] of fresh.features.entries()) {
    strong += fresh.strong[i] ?? 0
    routed += (judge(gate, features).score >= made.threshold ? fresh.weak[i] : fresh.strong[i]) ?? 0
  }
  assert.ok(routed / strong >= 0.98, String(routed / strong))
})

/** Both end in the same JSON. */
const agree = ({ answer, second }: GateRow): boolean => answer.text.endsWith(second?.text ?? '')

/** The rows as a training file has them. */
const trained = trainGate(written(1500, 1), written(800, 3), written(2000, 2), {
  ...CERTIFY_DEFAULTS,
  issued: '2026-11-21',
  bar: 0.5,
  field: 'task',
  models: { weak: 'cheap', strong: 'strong', second: 'other' },
})

test('gate: a trained one says of each segment what it keeps, and keeps nothing without a certificate or after its end', () => {
  assert.deepEqual(
    trained.made.map((it) => [it.segment, it.kind]),
    [
      ['hard', 'Certificate'],
      ['sums', 'Certificate'],
    ],
  )
  const features = (row: GateRow | undefined): Float64Array =>
    gateFeatures(row?.text ?? '', row?.answer ?? { text: '' }, row?.second)
  const fresh = written(1000, 9)
  const sure = fresh.find((row) => row.segment === 'sums' && row.weak === 1 && !row.answer.text.startsWith('Perhaps'))
  const now = Date.parse('2026-12-01')
  assert.equal(keeps(trained, 'sums', features(sure), now).keep, true)
  assert.equal(keeps(trained, 'sums', features(sure), Date.parse('2027-12-01')).keep, false)
  assert.equal(keeps(trained, 'poems', features(sure), now).threshold, Infinity)
  const unsure = fresh.find(
    (row) => row.segment === 'sums' && row.weak === 0 && row.answer.text.startsWith('Perhaps') && !agree(row),
  )
  const verdict = keeps(trained, 'sums', features(unsure), now)
  assert.ok(!verdict.keep && verdict.wrong > 0.5, JSON.stringify(verdict))
})

test('gate: it judges the same after writing and reading, and what is no gate of this version is refused', () => {
  const [again] = readGates(writeGates([trained]))
  const features = held.features[0] ?? new Float64Array()
  assert.deepEqual(again && judge(again.gate, features), judge(trained.gate, features))
  assert.deepEqual(again?.made, trained.made)
  const text = Buffer.from(writeGates([trained])).toString()
  for (const changed of [
    '{}',
    'no',
    '[{}]',
    text.replace('answer.empty', 'answer.other'),
    text.replace('"spread":[', '"spread":[0,'),
    text.replace(/"threshold":[\d.]+/, '"threshold":"x"'),
  ])
    assert.throws(() => readGates(Buffer.from(changed)), ArtefactError)
})
