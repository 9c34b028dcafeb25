import assert from 'node:assert/strict'
import test from 'node:test'
import { seeded } from '../../core/learning/random.ts'
import { gatesOf } from './gates.ts'
import { readTraining } from './rows.ts'

const random = seeded(5)
/** The small model hedges where it is wrong; the large one is right. */
const file = Array.from({ length: 2400 }, (_, at) => {
  const right = random() < 0.85
  const small = `${right ? '' : 'Perhaps '}{"answer": "${right ? at : at + 1}"}`
  const known = { small: right ? 1 : 0, large: 1, other: 1 }
  return JSON.stringify({ prompt: `What is ${at}?`, quality: known, answer: { small, other: `{"answer": "${at}"}` } })
}).join('\n')
const rows = readTraining([{ name: 'rows.jsonl', text: file }], { text: 'LastUser' })
const parts = { taught: rows.slice(0, 1000), held: rows.slice(1000, 1200), certify: rows.slice(1200) }
const options = {
  strong: 'large',
  weak: ['small'],
  second: undefined,
  field: '*',
  bar: 0.5,
  retain: 0.98,
  delta: 0.05,
  issued: '2026-11-21',
}

test('train: gates: one for the answers of a cheap model, and one beside a second', () => {
  const gates = gatesOf(parts, { ...options, second: 'other' })
  assert.deepEqual(
    gates.map(({ weak, strong, second, field, made }) => [
      weak,
      strong,
      second,
      field,
      made.map(({ kind, segment }) => [kind, segment]),
    ]),
    [
      ['small', 'large', undefined, '*', [['Certificate', '*']]],
      ['small', 'large', 'other', '*', [['Certificate', '*']]],
    ],
  )
  for (const { made } of gates) assert.ok(made[0]?.kind === 'Certificate' && made[0].share > 0.75 && made[0].n === 1200)
})

test('train: gates: none where the rows do not say what was answered, and delta is shared among cheap models', () => {
  const mute = rows.map((row) => ({ ...row, answers: new Map<string, string>() }))
  assert.deepEqual(gatesOf({ taught: mute, held: mute, certify: mute }, options), [])
  const [gate] = gatesOf(parts, { ...options, weak: ['small', 'large'] })
  assert.equal(gate?.made[0]?.delta, 0.025)
})

test('train: answers are read in each of the forms that rows come in', () => {
  const read = (name: string, text: string) => [
    ...(readTraining([{ name, text }], { text: 'LastUser' })[0]?.answers ?? []),
  ]
  const prompt = '"prompt": "Hi"'
  for (const [text, expected] of [
    [`{${prompt}, "quality": {"a": 1, "b": 0}, "answer": {"a": "x"}}`, [['a', 'x']]],
    [`{${prompt}, "model": "a", "quality": 1, "answer": "x"}`, [['a', 'x']]],
    [
      `{${prompt}, "model_a": "a", "model_b": "b", "winner": "tie", "answer_a": "x", "answer_b": "y"}`,
      [
        ['a', 'x'],
        ['b', 'y'],
      ],
    ],
    [`{${prompt}, "quality": {"a": 1}}`, []],
  ] as const)
    assert.deepEqual(read('r.jsonl', text), expected)
  assert.deepEqual(read('r.csv', 'prompt,quality:a,answer:a\nHi,1,"x, y"\n'), [['a', 'x, y']])
  assert.throws(
    () => read('r.jsonl', `{${prompt}, "quality": {"a": 1}, "answer": "x"}`),
    /column "answer": it must be an object/,
  )
  assert.throws(
    () => read('r.jsonl', `{${prompt}, "quality": {"a": 1}, "answer": {"a": 7}}`),
    /column "answer:a": it must be the text/,
  )
})
