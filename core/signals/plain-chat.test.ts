import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readRequest } from '../dialects/openai/read-request.ts'
import { ofChat } from './content.ts'
import { plainChat } from './plain-chat.ts'

const message = fc.oneof(
  fc.record({ role: fc.constantFrom('system', 'developer', 'user', 'assistant'), content: fc.string() }),
  fc.record({ role: fc.constant('user'), content: fc.constant([{ type: 'text', text: 'in parts' }]) }),
  fc.record({ role: fc.constant('assistant'), content: fc.string(), reasoning_content: fc.string() }),
)
const chat = fc.record(
  {
    model: fc.constant('m'),
    messages: fc.array(message, { minLength: 1, maxLength: 5 }),
    tools: fc.array(fc.constant({ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }), {
      maxLength: 2,
    }),
    response_format: fc.constantFrom(
      { type: 'text' },
      { type: 'json_object' },
      { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } },
    ),
    max_tokens: fc.integer({ min: 1, max: 1000 }),
    max_completion_tokens: fc.integer({ min: 1, max: 1000 }),
  },
  { requiredKeys: ['model', 'messages'] },
)

test('a chat of plain texts is known as its canonical form is', () => {
  let plain = 0
  fc.assert(
    fc.property(chat, (body) => {
      const found = plainChat(body)
      if (!found) return
      plain++
      const expected = ofChat(readRequest(body, {}))
      assert.deepEqual({ ...found, media: new Set(found.media) }, expected)
    }),
    { numRuns: 500 },
  )
  assert.ok(plain > 100, `${plain}`)
})

test('what is not plain is looked at more closely', () => {
  for (const body of [
    {},
    { messages: 'Hello' },
    { messages: [null] },
    { messages: [{ role: 'robot', content: 'Hello' }] },
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] },
    { messages: [{ role: 'user', content: 'Hello' }], tools: 'all' },
    { messages: [{ role: 'user', content: 'Hello' }], max_tokens: 'many' },
  ])
    assert.equal(plainChat(body), undefined, JSON.stringify(body))
})
