import assert from 'node:assert/strict'
import test from 'node:test'
import type { GatedAnswer } from './gate-features.ts'
import { GATE_FEATURES, gateFeatures } from './gate-features.ts'

const PROMPT = 'How many apples are left of 12 when 5 are eaten?'

function of(name: string, answer: Partial<GatedAnswer>, second?: string, prompt = PROMPT): number {
  const features = gateFeatures(prompt, { text: '', ...answer }, second === undefined ? undefined : { text: second })
  assert.equal(features.length, GATE_FEATURES.length)
  assert.ok(features.every((value) => Number.isFinite(value)))
  const at = GATE_FEATURES.indexOf(name)
  assert.ok(at >= 0, name)
  return features[at] ?? Number.NaN
}

const flags: readonly (readonly [string, Partial<GatedAnswer>, Partial<GatedAnswer>])[] = [
  ['answer.cut', { finishReason: 'length' }, { finishReason: 'stop' }],
  ['answer.empty', { text: ' \n' }, { text: '7' }],
  ['answer.refusal', { text: "I'm sorry, I can't help with that." }, { text: 'You help with that.' }],
  [
    'answer.refusal',
    { text: 'The provided text does not contain a date: the text does not mention it.' },
    { text: 'The text mentions a date.' },
  ],
  ['answer.json', { text: '```json\n{"answer": 7}\n```' }, { text: '{"answer": 7' }],
  ['answer.brokenJson', { text: '{"answer": 7' }, { text: 'no braces' }],
  ['answer.noKey', { text: 'word '.repeat(40) }, { text: '{"answer": 7}' }],
  ['answer.keyNumeric', { text: '{"answer": "7"}' }, { text: '{"answer": "seven"}' }],
  ['answer.keyFraction', { text: '{"answer": "7/3"}' }, { text: '{"answer": "7"}' }],
  ['answer.keyUnsupported', { text: 'So 12 - 5 = 7. {"answer": "8"}' }, { text: 'So 12 - 5 = 8. {"answer": "8"}' }],
  ['answer.logprobsKnown', { text: 'x', logprobs: [-0.1] }, { text: 'x' }],
]
for (const [name, is, isNot] of flags)
  test(`gate features: ${name} tells ${JSON.stringify(is)} from ${JSON.stringify(isNot)}`, () => {
    assert.deepEqual([of(name, is), of(name, isNot)], [1, 0])
  })

test('gate features: counts and shares grow with what they count', () => {
  assert.ok(
    of('answer.hedging', { text: 'Perhaps it is 7, probably.' }) > of('answer.hedging', { text: 'Perhaps it is 7.' }),
  )
  assert.ok(of('answer.secondThoughts', { text: 'Wait, that is a mistake.' }) > 1)
  assert.ok(of('answer.repetition', { text: 'one two three four '.repeat(30) }) > 0.9)
  assert.equal(of('answer.repetition', { text: 'all of these words are different from each other' }), 0)
  assert.equal(of('answer.fromPrompt', { text: 'how many apples' }), 1)
  assert.ok(of('answer.otherScript', { text: 'リンゴは七個です' }) > 0.9)
  assert.ok(of('answer.charsToPrompt', { text: 'x'.repeat(500) }) > 2)
})

test('gate features: log-probabilities count by their mean and their least', () => {
  assert.ok(Math.abs(of('answer.logprobMean', { text: 'x', logprobs: [-0.1, -0.3] }) + 0.2) < 1e-12)
  assert.equal(of('answer.logprobLeast', { text: 'x', logprobs: [-0.1, -3, -Infinity] }), -20)
})

test('gate features: a second answer agrees by what it comes to, not by how it says it', () => {
  const first = { text: 'So 12 - 5 = 7.\n#### 7' }
  assert.equal(of('agrees', first, '{"reasoning": "", "answer": "7.0"}'), 1)
  assert.equal(of('agrees', first, '#### 8'), -1)
  assert.equal(of('agrees', first), 0)
  assert.equal(of('second', first), 0)
  assert.equal(of('similar', first, first.text), 1)
  // Where neither comes to a short answer there is nothing to agree on.
  const long = 'word '.repeat(60)
  assert.equal(of('agrees', { text: long }, long), -1)
})

test('gate features: the prompt’s own are those of a prompt alone, whatever the answer', () => {
  const without = gateFeatures(PROMPT, { text: '' })
  const withAnswer = gateFeatures(PROMPT, { text: 'A long\nanswer with 12 numbers and `code`?' })
  for (const [at, name] of GATE_FEATURES.entries())
    if (name.startsWith('prompt.')) assert.equal(without[at], withAnswer[at], name)
})

test('gate features: a megabyte of anything comes to an end', () => {
  for (const text of ['{', '"', ' ', 'a ', '```', '{"a":', 'the answer is ', "I can't "])
    of('agrees', { text: text.repeat(1_000_000 / text.length) }, text.repeat(1_000_000 / text.length))
})
