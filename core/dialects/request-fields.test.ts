import assert from 'node:assert/strict'
import test from 'node:test'
import { Failure } from '../errors.ts'
import { flag, list, listOf, number, object, oneOf, optional, text, unreadOf, whole } from './request-fields.ts'

const refused = (read: () => unknown, words: string) =>
  assert.throws(
    read,
    (error) => error instanceof Failure && error.code === 'invalid_request' && error.message.endsWith(words),
  )

test('request fields: a member that is not what it has to be is refused by its name, with what belongs there', () => {
  refused(() => text(1, 'model'), '"model" must be a string.')
  refused(() => flag('yes', 'logprobs'), '"logprobs" must be true or false.')
  refused(() => number(0, 1)(1.5, 'temperature'), '"temperature" must be a number from 0 to 1.')
  refused(() => number()('1', 'x'), '"x" must be a number.')
  refused(() => whole(1)(0, 'n'), '"n" must be a whole number of 1 or more.')
  refused(() => whole(-Infinity, 9)(10, 'n'), '"n" must be a whole number of 9 or less.')
  refused(() => whole()(1.5, 'n'), '"n" must be a whole number.')
  refused(() => list({}, 'messages'), '"messages" must be a list.')
  refused(() => object([], 'tools.0'), '"tools.0" must be an object.')
  refused(() => object(null, 'tools.0'), '"tools.0" must be an object.')
  refused(() => listOf(text)(['a', 1], 'stop'), '"stop.1" must be a string.')
  refused(() => oneOf('a', 'b')('c', 'mode'), '"mode" must be one of "a", "b".')
})

test('request fields: what is right is read, and what is left out or null is not given', () => {
  assert.deepEqual(listOf(text)(['a', 'b'], 'stop'), ['a', 'b'])
  assert.equal(oneOf('a', 'b')('b', 'mode'), 'b')
  assert.equal(number(0, 1)(1, 'p'), 1)
  assert.equal(optional(null, 'p', number()), undefined)
  assert.equal(optional(undefined, 'p', number()), undefined)
  assert.equal(optional(0, 'p', number()), 0)
  assert.deepEqual(unreadOf({ model: 'm', seed: null, odd: false }, new Set(['model'])), ['odd'])
})
