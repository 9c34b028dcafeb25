import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EventReader } from './stream.js'

const text =
  'retry: 1000\n\nevent: state\ndata: {"a":1}\n\n:\n\nevent: change\ndata: {"set":\ndata: {}}\n\ndata: alone\n\n'
const events = [
  { name: 'state', data: '{"a":1}' },
  { name: 'change', data: '{"set":\n{}}' },
  { name: 'message', data: 'alone' },
]

test('stream: events are the same wherever their text is split', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), text.length]
      const reader = new EventReader()
      assert.deepEqual(
        at.slice(1).flatMap((to, index) => reader.take(text.slice(at[index], to))),
        events,
      )
    }),
  )
})

test('stream: what has not ended yet is no event', () => {
  const reader = new EventReader()
  assert.deepEqual(reader.take('data: half'), [])
  assert.deepEqual(reader.take('\n'), [])
  assert.deepEqual(reader.take('\n'), [{ name: 'message', data: 'half' }])
})
