import assert from 'node:assert/strict'
import test from 'node:test'
import { errors } from '../../errors.ts'
import { classifyError } from '../../openai-errors.ts'
import { finishOf } from './finish.ts'

for (const reason of ['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'MALFORMED_RESPONSE', 'TOO_MANY_TOOL_CALLS'])
  test(`finish: ${reason} is an error that the same target and the next may be asked again after`, () => {
    const finish = finishOf(reason, 'print(default_api.f())', true)
    assert.ok('error' in finish)
    const { code, shouldRetry } = classifyError(finish.error, 0)
    assert.deepEqual([code, shouldRetry], ['upstream_error', undefined])
    const { retry, fallback } = errors.upstream_error
    assert.deepEqual([retry, fallback], ['Status5xx', 'Status5xx'])
    assert.match(finish.error, /print\(default_api/)
  })

test('finish: a missing signature is of the request, and asking again is of no use', () => {
  const finish = finishOf('MISSING_THOUGHT_SIGNATURE', undefined, false)
  assert.ok('error' in finish)
  assert.equal(classifyError(finish.error, 0).code, 'upstream_refused')
})

test('finish: STOP after calls is for tools to be called, and other reasons stay what they are', () => {
  assert.deepEqual(finishOf('STOP', undefined, true), { reason: 'tool_calls' })
  assert.deepEqual(finishOf('MAX_TOKENS', undefined, true), { reason: 'length' })
  assert.deepEqual(finishOf('SAFETY', undefined, true), { reason: 'content_filter' })
})
