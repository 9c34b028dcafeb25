import assert from 'node:assert/strict'
import test from 'node:test'
import { countRequest } from './count-request.ts'

const words = 'The quick brown fox jumps over the lazy dog. '.repeat(20)
const says = (content: unknown) => ({ model: 'm', messages: [{ role: 'user', content }] })

test('count: text is about as many tokens as a tokenizer finds', () => {
  // Ten tokens a sentence.
  const tokens = countRequest(says(words))
  assert.ok(tokens > 180 && tokens < 230, String(tokens))
})

test('count: text counts wherever it stands', () => {
  const plain = countRequest(says(words))
  const blocks = [
    { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: words }] },
    { type: 'text', text: words },
  ]
  assert.ok(countRequest(says(blocks)) > plain * 1.8)
  assert.ok(countRequest({ ...says(words), system: words }) > plain * 1.8)
  assert.ok(countRequest({ ...says(words), system: [{ type: 'text', text: words }] }) > plain * 1.8)
})

test('count: bytes of images and documents are not words, and tools come with a prompt of their own', () => {
  const data = 'A'.repeat(100_000)
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } }
  assert.ok(countRequest(says([image])) < 2000)
  const pdf = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data } }
  assert.ok(countRequest(says([pdf])) < 10_000)
  const tools = [{ name: 'f', input_schema: { type: 'object' } }]
  assert.ok(countRequest({ ...says('x'), tools }) - countRequest(says('x')) > 346)
})

test('count: a request without messages is refused', () => {
  assert.throws(() => countRequest({ model: 'm', messages: [] }), /"messages"/)
  assert.throws(() => countRequest({ model: 'm' }), /"messages"/)
})
