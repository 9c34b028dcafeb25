import assert from 'node:assert/strict'
import test from 'node:test'
import type { EmbeddingsRequest } from '../../embeddings.ts'
import { Failure } from '../../errors.ts'
import { NO_USAGE } from '../../usage.ts'
import { Malformed } from '../dialect.ts'
import type { TargetContext } from '../dialect.ts'
import { batchEmbedContentsCaller, embedContentCaller, geminiEmbedTarget } from './embeddings.ts'
import { vertexEmbedTarget } from './vertex.ts'

const request: EmbeddingsRequest = { model: 'any', input: ['Hello, world!'], encoding: 'float', unread: [] }
const query: EmbeddingsRequest = { ...request, purpose: 'query', dimensions: 768 }
const context = (model: string): TargetContext => ({
  model,
  settings: { project: 'p', location: 'global' },
  capabilities: { contextWindow: undefined, maxOutputTokens: undefined, prefill: undefined },
  requestId: 'r1',
})
const notTranslatable = (error: unknown) => error instanceof Failure && error.code === 'not_translatable'

// pydantic-ai cassette TestGoogle.test_query_with_dimensions
test('gemini embeddings: a batch whose texts name the model of the path, and its vectors', () => {
  const { path, body } = geminiEmbedTarget.write(query, context('gemini-embedding-001'))
  assert.equal(path, '/v1beta/models/gemini-embedding-001:batchEmbedContents')
  assert.deepEqual(body, {
    requests: [
      {
        model: 'models/gemini-embedding-001',
        content: { parts: [{ text: 'Hello, world!' }] },
        taskType: 'RETRIEVAL_QUERY',
        outputDimensionality: 768,
      },
    ],
  })
  const answer = geminiEmbedTarget.read({ embeddings: [{ values: [-0.020920176, 0.009755219] }] }, query, context('m'))
  assert.deepEqual(answer, { model: undefined, vectors: [[-0.020920176, 0.009755219]], usage: undefined })
})

test('gemini embeddings: newer models say what was used', () => {
  const body = { embeddings: [{ values: [1] }], usageMetadata: { promptTokenCount: 4 } }
  assert.deepEqual(geminiEmbedTarget.read(body, request, context('m')).usage, { ...NO_USAGE, input: 4 })
})

// pydantic-ai cassette TestGoogle.test_vertex_query
test('vertex embeddings: instances with their purpose, and predictions with their counts', () => {
  const { path, body } = vertexEmbedTarget.write(query, context('gemini-embedding-001'))
  assert.equal(path, '/v1/projects/p/locations/global/publishers/google/models/gemini-embedding-001:predict')
  assert.deepEqual(body, {
    instances: [{ content: 'Hello, world!', task_type: 'RETRIEVAL_QUERY' }],
    parameters: { autoTruncate: false, outputDimensionality: 768 },
  })
  const answer = vertexEmbedTarget.read(
    {
      metadata: { billableCharacterCount: 12 },
      predictions: [{ embeddings: { statistics: { token_count: 4, truncated: false }, values: [-0.02, 0.009] } }],
    },
    query,
    context('m'),
  )
  assert.deepEqual(answer, { model: undefined, vectors: [[-0.02, 0.009]], usage: { ...NO_USAGE, input: 4 } })
})

test('vertex embeddings: Gemini’s take one text at a time, and others many', () => {
  const two = { ...request, input: ['a', 'b'] }
  assert.throws(() => vertexEmbedTarget.write(two, context('gemini-embedding-001')), notTranslatable)
  assert.deepEqual(Object(vertexEmbedTarget.write(two, context('text-embedding-005')).body).instances, [
    { content: 'a' },
    { content: 'b' },
  ])
})

for (const target of [geminiEmbedTarget, vertexEmbedTarget]) {
  test('google embeddings: tokens of another model are refused, and the end user is reported', () => {
    assert.throws(() => target.write({ ...request, input: [[1, 2]] }, context('m')), notTranslatable)
    assert.deepEqual(target.write({ ...request, user: 'u' }, context('m')).dropped, ['user'])
  })
  test('google embeddings: what is no vector is malformed', () => {
    for (const body of [null, {}, { embeddings: [{}], predictions: [{}] }, { embeddings: 1, predictions: 1 }])
      assert.throws(() => target.read(body, request, context('m')), Malformed)
  })
}

test('embedContent: one text in several parts, in either case of names', () => {
  const body = { content: { parts: [{ text: 'a' }, { text: 'b' }] }, task_type: 'CLUSTERING', output_dimensionality: 8 }
  assert.deepEqual(embedContentCaller.read(body, { model: 'm' }), {
    model: 'm',
    input: ['a\nb'],
    encoding: 'float',
    dimensions: 8,
    purpose: 'clustering',
    unread: [],
  })
})

test('batchEmbedContents: several texts, with what has no place elsewhere reported', () => {
  const content = { parts: [{ text: 'a' }] }
  const one = { model: 'models/m', content, title: 'T', taskType: 'FACT_VERIFICATION' }
  const read = batchEmbedContentsCaller.read({ requests: [one, one] }, { model: 'm' })
  assert.deepEqual(read.input, ['a', 'a'])
  assert.deepEqual(read.unread, ['requests.0.title', 'requests.0.taskType', 'requests.1.title', 'requests.1.taskType'])
  const different = [one, { content, outputDimensionality: 8 }]
  assert.throws(() => batchEmbedContentsCaller.read({ requests: different }, { model: 'm' }), notTranslatable)
  const picture = { content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] } }
  assert.throws(() => embedContentCaller.read(picture, { model: 'm' }), notTranslatable)
  assert.throws(() => batchEmbedContentsCaller.read({ requests: [] }, { model: 'm' }), /"requests" must be/)
})
