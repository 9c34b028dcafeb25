import assert from 'node:assert/strict'
import test from 'node:test'
import type { ChatEvent } from './chat.ts'
import { collect } from './collect.ts'
import { Malformed } from './dialects/dialect.ts'
import { NO_USAGE } from './usage.ts'

const choice = 0
const finish: ChatEvent = { type: 'finish', choice, reason: 'stop' }
const contentOf = (events: readonly ChatEvent[]) => collect([...events, finish]).choices[0]?.content

test('pieces of one kind are one part, and parts keep the order in which they began', () => {
  const content = contentOf([
    { type: 'reasoning', choice, text: 'H' },
    { type: 'reasoning', choice, text: 'm' },
    { type: 'text', choice, text: 'a' },
    { type: 'text', choice, text: 'b' },
    { type: 'refusal', choice, text: 'no' },
    { type: 'text', choice, text: 'c' },
  ])
  assert.deepEqual(content, [
    { type: 'reasoning', text: 'Hm' },
    { type: 'text', text: 'ab' },
    { type: 'refusal', text: 'no' },
    { type: 'text', text: 'c' },
  ])
})

test('a signature ends a thought; one without a thought stands alone', () => {
  const signature = { format: 'anthropic', value: 's' } as const
  const content = contentOf([
    { type: 'reasoning', choice, text: 'a' },
    { type: 'signature', choice, signature },
    { type: 'reasoning', choice, text: 'b' },
    { type: 'redacted', choice, data: signature },
    { type: 'signature', choice, signature },
  ])
  assert.deepEqual(content, [
    { type: 'reasoning', text: 'a', signature },
    { type: 'reasoning', text: 'b' },
    { type: 'redacted', data: signature },
    { type: 'reasoning', text: '', signature },
  ])
})

test('arguments that come in turns belong to their calls, and none are an empty object', () => {
  const content = contentOf([
    { type: 'tool', choice, index: 0, id: 'a', name: 'f' },
    { type: 'tool', choice, index: 1, id: 'b', name: 'g' },
    { type: 'arguments', choice, index: 1, text: '{"y"' },
    { type: 'arguments', choice, index: 0, text: '{}' },
    { type: 'arguments', choice, index: 1, text: ':1}' },
    { type: 'tool', choice, index: 2, id: 'c', name: 'h' },
  ])
  assert.deepEqual(
    content?.map((part) => part.type === 'tool-call' && [part.id, part.arguments]),
    [
      ['a', '{}'],
      ['b', '{"y":1}'],
      ['c', '{}'],
    ],
  )
})

test('sound in pieces is one sound, though each piece may be padded', () => {
  const content = contentOf([
    { type: 'audio', choice, id: 'x', data: Buffer.from('ab').toString('base64'), transcript: 'A' },
    { type: 'audio', choice, data: Buffer.from('cde').toString('base64'), transcript: 'B' },
    { type: 'audio', choice, expiresAt: 9 },
  ])
  const data = Buffer.from('abcde').toString('base64')
  assert.deepEqual(content, [{ type: 'audio', data, format: '', id: 'x', transcript: 'AB', expiresAt: 9 }])
})

test('the last usage counts, the first start, and each choice by its number', () => {
  const answer = collect([
    { type: 'start', id: '1', model: 'm' },
    { type: 'text', choice: 1, text: 'b' },
    { type: 'start', id: '2', created: 3 },
    { type: 'text', choice: 0, text: 'a' },
    { type: 'usage', usage: { ...NO_USAGE, output: 1 } },
    { type: 'usage', usage: { ...NO_USAGE, output: 5 } },
    { type: 'finish', choice: 1, reason: 'length' },
    { type: 'finish', choice: 0, reason: 'stop', stopSequence: 'x' },
    { type: 'ping' },
    { type: 'end' },
  ])
  assert.deepEqual([answer.id, answer.model, answer.created, answer.usage?.output], ['1', 'm', 3, 5])
  assert.deepEqual(
    answer.choices.map(({ index, finish: reason, stopSequence }) => [index, reason, stopSequence]),
    [
      [0, 'stop', 'x'],
      [1, 'length', undefined],
    ],
  )
})

test('what is not finished, or belongs to no call, is malformed', () => {
  assert.throws(() => collect([{ type: 'text', choice, text: 'a' }]), Malformed)
  assert.throws(() => collect([{ type: 'arguments', choice, index: 0, text: '{}' }, finish]), Malformed)
})
