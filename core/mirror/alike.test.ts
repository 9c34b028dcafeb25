import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Said } from '../gate/said.ts'
import { alike } from './alike.ts'

const said = (rest: Partial<Said>): Said => ({
  ...{ text: '', refusal: '', calls: [], finish: 'stop', logprobs: [], citations: 0, media: false },
  ...rest,
})
const text = (it: string) => said({ text: it })
const calls = (...it: readonly (readonly [name: string, given: string])[]) =>
  said({ calls: it.map(([name, given]) => ({ name, arguments: given })), finish: 'tool_calls' })

for (const [what, one, other, expected] of [
  [
    'the same words',
    text('Some words of no account, long enough.'),
    text('Some words of no account, long enough. '),
    1,
  ],
  ['the same short answer', text('Let me see.\nThe answer is 42.'), text('So the answer is **42**'), 1],
  ['another short answer', text('The answer is 42.'), text('The answer is 43.'), 0],
  ['long words that come to nothing short', text('word '.repeat(40)), text('other '.repeat(40)), undefined],
  ['the same JSON in another order', text('{"a": 1, "b": [2]}'), text('{"b":[2],"a":1}'), 1],
  ['other JSON', text('{"a": 1}'), text('{"a": 2}'), 0],
  ['JSON and words', text('{"a": 1}'), text('It is one.'), 0],
  ['the same calls in another order', calls(['f', '{"a":1}'], ['g', '{}']), calls(['g', '{ }'], ['f', '{"a": 1}']), 1],
  ['other arguments', calls(['f', '{"a":1}']), calls(['f', '{"a":2}']), 0],
  ['a call too many', calls(['f', '{}']), calls(['f', '{}'], ['f', '{}']), 0],
  ['a call and words', calls(['f', '{}']), text('The answer is 42.'), 0],
  ['arguments that are no JSON', calls(['f', '{"a":']), calls(['f', '{"a":']), 1],
  ['two refusals', said({ refusal: 'No.' }), said({ finish: 'content_filter' }), 1],
  ['a refusal and words', said({ refusal: 'No.' }), text('The answer is 42.'), 0],
  [
    'an answer that was cut',
    said({ text: 'The answer is 42.', finish: 'length' }),
    text('The answer is 42.'),
    undefined,
  ],
] as const)
  test(`alike: ${what}`, () => {
    assert.equal(alike(one, other), expected)
    assert.equal(alike(other, one), expected)
  })
