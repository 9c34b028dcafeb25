import assert from 'node:assert/strict'
import test from 'node:test'
import { answerKey } from './answer-key.ts'

const cases: readonly (readonly [string, string])[] = [
  ['```json\n{ "reasoning": "12 is not it", "answer": "1,200.0" }\n```', '1200'],
  ['{"answer": 42}', '42'],
  ['{"answer": "a", "note": "the answer is b"}', 'a'],
  ['First I thought "answer": "3", then {"answer": "4"}', '4'],
  ['So we have $\\boxed{\\frac{1}{2}}$.', '1/2'],
  ['\\boxed{7} is wrong, so \\boxed{ 8 }', '8'],
  ['She has 3 + 4 = 7.\n#### 7', '7'],
  ['Long reasoning.\nThe answer is **Paris**.', 'paris'],
  ['One line.\nAnother.\nB', 'b'],
  ['{"answer": "................"}', '................'],
  ['{"answer": "\'ab c\'"}', 'abc'],
  ['{"answer": "0.50"}', '0.5'],
  ['{"answer": "100"}', '100'],
  ['word '.repeat(60), ''],
  ['', ''],
]

for (const [text, key] of cases)
  test(`answer key: of ${JSON.stringify(text).slice(0, 70)}`, () => assert.equal(answerKey(text), key))

test('answer key: equal for the same number said in several ways, different for others', () => {
  const same = ['{"answer": "1,000"}', 'The answer is 1000.', '#### 1000.00', '\\boxed{1{,}000}', '1000']
  assert.equal(new Set(same.slice(0, 3).map(answerKey)).size, 1)
  assert.notEqual(answerKey('#### 10'), answerKey('#### 100'))
  assert.equal(answerKey(same[4] ?? ''), '1000')
})

test('answer key: a megabyte that nearly matches comes to an end', () => {
  const nearly = ['"answer": "', 'the answer is ', '\\boxed{', ' ', '"answer": {', '#### ']
  for (const text of nearly) assert.equal(typeof answerKey(text.repeat(1_000_000 / text.length)), 'string')
})
