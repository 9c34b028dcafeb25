import assert from 'node:assert/strict'
import test from 'node:test'
import { readAnswer } from './openai-answer.ts'
import { NO_USAGE } from './usage.ts'

const read = (value: unknown) => readAnswer(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))

test('answer: usage and reason of a chat completion', () => {
  assert.deepEqual(
    read({
      choices: [{ index: 0, message: { content: '"finish_reason":"fake" é' }, finish_reason: 'length' }],
      usage: {
        prompt_tokens: 9,
        completion_tokens: 5,
        prompt_tokens_details: { cached_tokens: 2 },
        completion_tokens_details: null,
      },
    }),
    { usage: { ...NO_USAGE, input: 9, output: 5, cached: 2, reasoning: 0 }, finishReason: 'length', error: undefined },
  )
})

test('answer: embeddings have usage and no reason', () => {
  assert.deepEqual(read({ data: [{ embedding: [0.1, -2e-5] }], usage: { prompt_tokens: 3, total_tokens: 3 } }), {
    usage: { ...NO_USAGE, input: 3, output: 0, cached: 0, reasoning: 0 },
    finishReason: undefined,
    error: undefined,
  })
})

test('answer: one without usage says so', () => {
  for (const usage of [null, undefined, 'x', []]) assert.equal(read({ choices: [], usage }).usage, undefined)
})

test('answer: an error in spite of status 200', () => {
  const body = '{"error":{"message":"é"}}'
  assert.equal(read(body).error, body)
  assert.equal(read({ error: null, choices: [] }).error, undefined)
})

test('answer: what is no JSON object is malformed', () => {
  for (const body of ['', 'hello', '<html>', '[1]', '{"choices":[', 'null'])
    assert.throws(() => read(body), { name: 'InvalidJson' }, body)
})
