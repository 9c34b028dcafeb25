import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Bytes } from '../bytes.ts'
import { scan, splice } from '../json-fields.ts'
import { chatWords } from '../dialects/mistral/words.ts'
import { presetNames, presetOf } from './presets.ts'
import { editsOf, inWords } from './request-words.ts'
import type { Words } from './request-words.ts'

/** What becomes of a body: its bytes with the edits, and what was lost. */
function passed(words: Words, text: string): { readonly body: string; readonly lost: readonly string[] } {
  const body = new Bytes([Buffer.from(text)])
  const fields = scan(body)
  const edits = editsOf(words, body, fields)
  const after = splice(body, fields, edits)
  return { body: Buffer.concat(after.pieces).toString(), lost: edits.flatMap(({ lost = [] }) => lost) }
}

const words: Words = {
  renamed: { old: 'new' },
  refused: { n: 1, gone: null },
  values: { choice: (value) => (value === 'a' ? { value: 'b' } : undefined) },
}

test('words: fields are renamed, changed, and taken out, and all other bytes stay', () => {
  const cases: readonly (readonly [text: string, after: string, lost?: readonly string[]])[] = [
    ['{ "x" : 1.0 }', '{ "x" : 1.0 }'],
    ['{"old": 1.50, "x":2}', '{"x":2,"new":1.5}'],
    ['{"old":1,"new":2}', '{"new":2}'],
    ['{"old":null}', '{}'],
    ['{"n":1,"gone":null}', '{}'],
    ['{"n":2,"gone":[]}', '{}', ['n', 'gone']],
    ['{"choice":"a"}', '{"choice":"b"}'],
    ['{"choice": "c"}', '{"choice": "c"}'],
  ]
  for (const [text, after, lost = []] of cases) assert.deepEqual(passed(words, text), { body: after, lost }, text)
})

test('words: where only some fields are known, every other is taken out', () => {
  assert.deepEqual(passed({ known: new Set(['a']) }, '{"a":1,"b":2,"c":null}'), { body: '{"a":1}', lost: ['b'] })
})

test('words: a value without the signs of a change is not read', () => {
  const never: Words = {
    signs: { messages: ['"developer"'] },
    values: {
      messages: () => {
        throw new Error('it was read')
      },
    },
  }
  assert.deepEqual(passed(never, '{"messages":[{"role":"user"}],"x":"\\"developer\\""}').lost, [])
  assert.throws(() => passed(never, '{"messages":[{"role":"developer"}]}'), /it was read/)
})

test('words: a body that passes and one that was written anew come out the same', () => {
  const all: readonly Words[] = [
    words,
    chatWords(false, 'mistral-small'),
    chatWords(true, 'magistral-medium'),
    ...presetNames.flatMap((preset) => presetOf({ preset }).words?.('chat', 'grok-4') ?? []),
  ]
  const name = fc.constantFrom(
    ...'model old new n gone choice seed random_seed max_tokens max_completion_tokens stop tool_choice user logprobs'.split(
      ' ',
    ),
    ...'stream_options reasoning_effort response_format logit_bias parallel_tool_calls messages presence_penalty'.split(
      ' ',
    ),
  )
  const message = fc.dictionary(
    fc.constantFrom('role', 'content', 'name', 'reasoning_content', 'tool_calls', 'tool_call_id'),
    fc.oneof(fc.constantFrom('user', 'assistant', 'developer', 'tool', 'system', '', null), fc.jsonValue()),
    { noNullPrototype: true },
  )
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(1, true, 'required', 'a', 'high'),
    fc.array(message, { maxLength: 3 }),
  )
  fc.assert(
    fc.property(fc.constantFrom(...all), fc.dictionary(name, value, { noNullPrototype: true }), (own, body) => {
      const text = JSON.stringify(body)
      const { body: after, lost } = passed(own, text)
      const out = inWords(own, { path: '/', body: JSON.parse(text), dropped: [] })
      assert.deepEqual(JSON.parse(after), JSON.parse(JSON.stringify(out.body)))
      assert.deepEqual([...lost].sort(), [...out.dropped].sort())
      // Once in those words, there is nothing left to change.
      assert.deepEqual(passed(own, after), { body: after, lost: [] })
    }),
    { numRuns: 3000 },
  )
})
