import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Failure } from '../failure.ts'
import { readCsv } from './csv.ts'
import { readTraining } from './rows.ts'
import type { ReadOptions } from './rows.ts'

const read = (name: string, text: string, options: Partial<ReadOptions> = {}) =>
  readTraining([{ name, text }], { text: 'LastUser', ...options }).map(({ text: own, segment, quality }) => ({
    text: own,
    segment,
    quality: Object.fromEntries(quality),
  }))
const jsonl = (...rows: readonly unknown[]): string => rows.map((row) => JSON.stringify(row)).join('\n')

test('csv: any cells come back as they were written, with the line that each record begins on', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '\n', 'é'), maxLength: 6 })
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 5 }), (records) => {
      const text = records.map((cells) => cells.map((it) => `"${it.replaceAll('"', '""')}"`).join(',')).join('\r\n')
      const found = readCsv(text, 'f.csv')
      assert.deepEqual(
        found.map(({ cells }) => cells),
        records,
      )
      let line = 1
      for (const [at, cells] of records.entries()) {
        assert.equal(found[at]?.line, line)
        line += cells.join('').split('\n').length
      }
    }),
  )
})

test('csv: a quote that does not end, or has something behind it, is named by its line', () => {
  assert.throws(() => readCsv('a,b\n1,"2\n3', 'f.csv'), /^Error: f\.csv:2: a quote is opened and never closed/)
  assert.throws(() => readCsv('a,b\n"1"x,2', 'f.csv'), /f\.csv:2: after a closing quote/)
})

test('rows: every format says the same of two models', () => {
  const expected = [{ text: 'Why?', segment: '*', quality: { small: 0, large: 1 } }]
  for (const [name, text] of [
    ['a.jsonl', jsonl({ prompt: 'Why?', acceptable: { small: false, large: true } })],
    ['a.jsonl', jsonl({ prompt: 'Why?', quality: { small: 0, large: 1 } })],
    ['a.jsonl', jsonl({ prompt: 'Why?', model_a: 'small', model_b: 'large', winner: 'model_b' })],
    [
      'a.jsonl',
      jsonl({ prompt: 'Why?', model: 'small', quality: 0 }, { prompt: 'why? ', model: 'large', acceptable: 'yes' }),
    ],
    ['a.csv', 'prompt,quality:small,quality:large\nWhy?,0,1\n'],
    ['a.csv', '\uFEFFprompt,acceptable:small,acceptable:large\r\nWhy?,no,TRUE\r\n'],
    ['a.csv', 'prompt,model,quality\nWhy?,small,0\n"Why?",large,1.0'],
    ['a.csv', 'prompt,model_a,model_b,winner\nWhy?,large,small,model_a'],
  ] as const)
    assert.deepEqual(read(name, text), expected, text)
})

test('rows: a tie is acceptable of both, or of neither; a prompt met twice has the mean', () => {
  const row = (winner: string) => ({ prompt: 'Why?', model_a: 'a', model_b: 'b', winner })
  assert.deepEqual(read('f.jsonl', jsonl(row('tie')))[0]?.quality, { a: 1, b: 1 })
  assert.deepEqual(read('f.jsonl', jsonl(row('tie (bothbad)')))[0]?.quality, { a: 0, b: 0 })
  assert.deepEqual(read('f.jsonl', jsonl(row('model_a'), row('tie')))[0]?.quality, { a: 1, b: 0.5 })
})

test('rows: of messages the text rule takes the last turn of the user, or all', () => {
  const row = {
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'Why?' }, { type: 'image_url' }] },
    ],
    acceptable: { a: true },
  }
  assert.equal(read('f.jsonl', jsonl(row))[0]?.text, 'Why?')
  assert.equal(read('f.jsonl', jsonl(row), { text: 'Conversation' })[0]?.text, 'Be brief.\nWhy?')
})

test('rows: a prompt of two segments is a row of each; an empty cell says nothing', () => {
  const rows = read('f.csv', 'prompt,task,quality:a,quality:b\nWhy?,x,1,\nWhy?,y,0,1\n', { segment: 'task' })
  assert.deepEqual(rows, [
    { text: 'Why?', segment: 'x', quality: { a: 1 } },
    { text: 'Why?', segment: 'y', quality: { a: 0, b: 1 } },
  ])
})

test('rows: an error names file, line and column, and says what is expected', () => {
  for (const [name, text, message] of [
    ['f.jsonl', `${jsonl({ prompt: 'a', quality: { m: 1 } })}\n{"prompt"`, /^f\.jsonl:2: this line is no JSON/],
    ['f.jsonl', '[1]', /^f\.jsonl:1: a line must be a JSON object/],
    ['f.jsonl', jsonl({ quality: { m: 1 } }), /^f\.jsonl:1: there is no column "prompt"/],
    ['f.jsonl', jsonl({ prompt: 7, quality: { m: 1 } }), /^f\.jsonl:1: column "prompt"/],
    ['f.jsonl', jsonl({ messages: [{ role: 1 }], quality: { m: 1 } }), /column "messages", number 1/],
    ['f.jsonl', jsonl({ prompt: 'a' }), /nothing is said of any model/],
    [
      'f.jsonl',
      jsonl({ prompt: 'a', quality: { m: 1.5 } }),
      /column "quality:m": it must be a number from 0 to 1, not 1\.5/,
    ],
    [
      'f.jsonl',
      jsonl({ prompt: 'a', acceptable: { m: 'constructor' } }),
      /column "acceptable:m": it must be true or false/,
    ],
    ['f.jsonl', jsonl({ prompt: 'a', model: 'm' }), /beside "model" there must be/],
    [
      'f.jsonl',
      jsonl({ prompt: 'a', model_a: 'm', model_b: 'm', winner: 'tie' }),
      /column "model_b": it must be another/,
    ],
    ['f.jsonl', jsonl({ prompt: 'a', model_a: 'm', model_b: 'n', winner: 'toString' }), /column "winner"/],
    ['f.csv', '', /^f\.csv: the file is empty/],
    ['f.csv', 'prompt,prompt\na,b', /two columns "prompt"/],
    ['f.csv', 'prompt,quality:m\n"a\nb",1,2', /^f\.csv:2: there are 3 cells where line 1 names 2/],
    [
      'f.csv',
      'prompt,quality:m\na,1\nb,good',
      /^f\.csv:3: column "quality:m": it must be a number from 0 to 1, not "good"/,
    ],
  ] as const)
    assert.throws(() => read(name, text), { message }, text)
  assert.throws(() => read('f.jsonl', jsonl({ prompt: 'a', quality: { m: 1 } }), { segment: 'task' }), {
    message: 'f.jsonl:1: there is no column "task", which --segment names',
  })
})

test('rows: any text ends in rows or in a Failure', () => {
  const piece = fc.constantFrom('{', '}', '"', ',', ':', '\n', 'prompt', 'quality', 'model', '1', '[', ']', 'a')
  fc.assert(
    fc.property(fc.constantFrom('f.csv', 'f.jsonl'), fc.string({ unit: piece, maxLength: 30 }), (name, text) => {
      try {
        read(name, text)
      } catch (error) {
        assert.ok(error instanceof Failure, String(error))
      }
    }),
  )
})
