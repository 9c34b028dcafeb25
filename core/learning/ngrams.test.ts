import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { denseReader, DENSE } from './dense.ts'
import { BUCKETS, ngramReader } from './ngrams.ts'
import { capped, MOST_UNITS, normalised, textOf } from './text.ts'

const snapshot = (read: ReturnType<typeof ngramReader>, text: string): ReadonlyMap<number, number> => {
  const { size, index, value } = read(normalised(text))
  return new Map(Array.from(index.slice(0, size), (bucket, at) => [bucket, value[at] ?? 0]))
}

test('n-grams: any text gives different buckets within the space, and length 1 in all', () => {
  const read = ngramReader(MOST_UNITS)
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      const { size, index, value, words } = read(normalised(text))
      const buckets = index.slice(0, size)
      assert.equal(new Set(buckets).size, size)
      assert.ok(buckets.every((bucket) => bucket < BUCKETS) && words <= size)
      const length = value.slice(0, size).reduce((sum, it) => sum + it * it, 0)
      assert.ok(
        size === 0 || words === size ? length < 0.51 : Math.abs(length - 1) < 1e-5 || Math.abs(length - 0.5) < 1e-5,
      )
    }),
  )
})

test('n-grams: what was read before leaves nothing behind', () => {
  const reused = ngramReader(MOST_UNITS)
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), fc.string({ maxLength: 80 }), (first, second) => {
      snapshot(reused, first)
      assert.deepEqual(snapshot(reused, second), snapshot(ngramReader(MOST_UNITS), second))
    }),
    { numRuns: 30 },
  )
})

test('n-grams: case, runs of blanks, compatibility forms and which digit it is make no difference', () => {
  const read = ngramReader(MOST_UNITS)
  for (const [a, b] of [
    ['Why is  it\n\tSO?', 'why is it so?'],
    ['ﬁnd １２ files', 'find 12 files'],
    ['add 17 and 4', 'add 99 and 8'],
  ] as const)
    assert.deepEqual(snapshot(read, a), snapshot(read, b))
  assert.notDeepEqual(snapshot(read, 'not true'), snapshot(read, 'true'))
})

test('text: of a long one the beginning and the end are read, and never more than the cap', () => {
  const long = `first words ${'x'.repeat(2 ** 20)} last words`
  assert.equal(capped(long).length, MOST_UNITS)
  assert.ok(capped(long).startsWith('first words') && capped(long).endsWith('last words'))
  // One ligature becomes 18 letters.
  assert.ok(normalised('ﷺ'.repeat(MOST_UNITS)).length <= MOST_UNITS)
})

test('text: the rule says which turns are classified', () => {
  const turns = [
    { role: 'system', text: 'Be brief.' },
    { role: 'user', text: 'First?' },
    { role: 'assistant', text: 'Yes.' },
    { role: 'user', text: 'Second?' },
    { role: 'assistant', text: 'So' },
  ]
  assert.equal(textOf(turns, 'LastUser'), 'Second?')
  assert.equal(textOf(turns, 'Conversation'), 'Be brief.\nFirst?\nYes.\nSecond?\nSo')
  assert.equal(textOf([{ role: 'system', text: 'Only this' }], 'LastUser'), 'Only this')
  assert.equal(textOf([], 'LastUser'), '')
})

test('dense features: each tells what it is named for, and any text gives finite numbers', () => {
  const read = denseReader()
  const of = (text: string, name: (typeof DENSE)[number]): number => read(text)[DENSE.indexOf(name)] ?? Number.NaN
  assert.ok(of('Why? How?', 'questions') > of('Why?', 'questions'))
  assert.ok(of('Prove that it is, step by step.', 'reasoningWords') > of('Good morning to all.', 'reasoningWords'))
  assert.ok(of('This is not so', 'negations') > of('This is so', 'negations'))
  assert.ok(of('Which?\nA. one\nB. two\nC. three', 'optionLines') > of('Which? one, two, three', 'optionLines'))
  assert.ok(of('x == y; {a[0]}', 'codeMarks') > of('x equals y', 'codeMarks'))
  assert.ok(of('LOUD words', 'upperShare') > of('loud words', 'upperShare'))
  assert.ok(of('什么是二叉树', 'ideographShare') > 0.9 && of('Что это', 'ideographShare') === 0)
  assert.ok(of('Что это', 'foreignShare') > 0.5 && of('plain', 'foreignShare') === 0)
  assert.equal(of('7 times 12 is 84', 'numbers'), Math.log1p(3))
  assert.equal(of('the the the', 'typeTokenRatio'), 1 / 3)
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => read(text).every((it) => Number.isFinite(it))),
  )
})
