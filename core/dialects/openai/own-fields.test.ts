import assert from 'node:assert/strict'
import test from 'node:test'
import { Bytes } from '../../bytes.ts'
import { requestFields } from '../../json-fields.ts'
import { ownFields } from './own-fields.ts'

const edits = (body: object) => {
  const bytes = new Bytes([Buffer.from(JSON.stringify(body))])
  return ownFields(bytes, requestFields(bytes))
}
const user = { role: 'user', content: 'Hi' }
const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }

test('own fields: what other providers’ answers carried is taken out, and told', () => {
  const signed = { ...call, extra_content: { google: { thought_signature: 'c2ln' } } }
  const thought = { reasoning_content: 'a', reasoning_details: [{ type: 'reasoning.text', text: 'a' }] }
  const messages = [user, { role: 'assistant', content: null, ...thought, tool_calls: [signed, call] }, user]
  assert.deepEqual(edits({ model: 'm', messages }), [
    {
      name: 'messages',
      json: JSON.stringify([user, { role: 'assistant', content: null, tool_calls: [call, call] }, user]),
      lost: ['messages.1.reasoning_content', 'messages.1.reasoning_details', 'messages.1.tool_calls.0.extra_content'],
    },
  ])
})

test('own fields: a body without them keeps its bytes, whatever words are in it', () => {
  for (const messages of [
    [user],
    [{ role: 'user', content: '"reasoning_content"' }],
    [{ role: 'user', reasoning_content: 'not the assistant’s' }],
    [user, { role: 'assistant', content: 'Hello', tool_calls: [call, 1] }, 1, null],
    'reasoning_content',
  ])
    assert.deepEqual(edits({ model: 'm', messages, extra: { reasoning_content: '' } }), [])
})
