import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure, wordsForLog } from './errors.ts'

test('errors: of a fault of ours the log has the stack of what was thrown', () => {
  const cause = new TypeError('it is not a function')
  const words = wordsForLog(new Failure('internal', { cause }))
  assert.match(words, /^TypeError: it is not a function\n/)
  assert.match(words, /errors\.test\.ts/)
})

test('errors: of what a target did the log has the words alone', () => {
  const failure = new Failure('connect_failed', { detail: '(openai/gpt)', cause: new Error('ECONNREFUSED') })
  assert.equal(wordsForLog(failure), failure.message)
})
