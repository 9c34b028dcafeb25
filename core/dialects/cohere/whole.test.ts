import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { EmbeddingsRequest } from '../../embeddings.ts'
import { Failure } from '../../errors.ts'
import { Malformed } from '../dialect.ts'
import type { TargetContext } from '../dialect.ts'
import { openaiEmbeddingsCaller, openaiEmbeddingsTarget } from '../openai/embeddings.ts'
import { cohereEmbedCaller, cohereEmbedTarget } from './embed.ts'
import { cohereRerankTarget, rerankCaller, teiRerankTarget } from './rerank.ts'

/** Embeddings and rankings: what goes there and back, and what no input may do. */

const context: TargetContext = {
  model: 'm',
  settings: {},
  capabilities: { contextWindow: undefined, maxOutputTokens: undefined, prefill: undefined },
  requestId: 'req_1',
}
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const body = (value: unknown) => json(value) as Readonly<Record<string, unknown>> // writers make objects

const texts = fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { minLength: 1, maxLength: 4 })
const dimensions = fc.option(fc.integer({ min: 1, max: 4096 }), { nil: undefined })

test('embeddings: a request that is written and read again by the same dialect asks the same', () => {
  const tokens = fc.array(fc.nat(100_000), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.oneof(texts, fc.array(tokens, { minLength: 1, maxLength: 3 })), dimensions, (input, size) => {
      const request: EmbeddingsRequest = { model: 'm', input, dimensions: size, encoding: 'float', unread: [] }
      const read = openaiEmbeddingsCaller.read(body(openaiEmbeddingsTarget.write(request, context).body), {})
      assert.deepEqual(json(read), json(request))
    }),
  )
  const purpose = fc.constantFrom(
    'query' as const,
    'document' as const,
    'classification' as const,
    'clustering' as const,
  )
  fc.assert(
    fc.property(texts, dimensions, purpose, (input, size, what) => {
      const request: EmbeddingsRequest = {
        model: 'm',
        input,
        dimensions: size,
        encoding: 'float',
        purpose: what,
        unread: [],
      }
      const read = cohereEmbedCaller.read(body(cohereEmbedTarget.write(request, context).body), {})
      assert.deepEqual(json(read), json(request))
    }),
  )
})

test('embeddings: vectors are the same after either dialect, and in base64 to a 32-bit float', () => {
  const vectors = fc.array(
    fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 5 }),
    { minLength: 1, maxLength: 3 },
  )
  fc.assert(
    fc.property(vectors, (given) => {
      const request: EmbeddingsRequest = { model: 'm', input: given.map(() => 'x'), encoding: 'base64', unread: [] }
      const answer = { model: undefined, vectors: given, usage: undefined }
      // JSON has no -0.
      const plain = given.map((vector) => vector.map((x) => x + 0))
      const packed = openaiEmbeddingsTarget.read(
        json(openaiEmbeddingsCaller.answer(answer, request, 'r')),
        request,
        context,
      )
      assert.deepEqual(
        packed.vectors.map((vector) => vector.map((x) => x + 0)),
        plain,
      )
      const floats: EmbeddingsRequest = { ...request, encoding: 'float' }
      assert.deepEqual(
        cohereEmbedTarget.read(json(cohereEmbedCaller.answer(answer, floats, 'r')), floats, context).vectors,
        plain,
      )
    }),
  )
})

test('rerank: a request that is written and read again asks the same', () => {
  const count = fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined })
  fc.assert(
    fc.property(fc.string(), texts, count, count, (query, documents, topN, maxTokensPerDocument) => {
      const request = { model: 'm', query, documents, topN, maxTokensPerDocument, unread: [] }
      assert.deepEqual(
        json(rerankCaller.read(body(cohereRerankTarget.write(request, context).body), {})),
        json(request),
      )
    }),
  )
})

test('embeddings, rerank: no input crashes a reader: what is wrong is refused or Malformed', () => {
  const names = fc.constantFrom(
    ...[
      'data',
      'embedding',
      'index',
      'embeddings',
      'float',
      'meta',
      'results',
      'relevance_score',
      'score',
      'usage',
      'input',
      'texts',
    ],
    ...[
      'inputs',
      'content',
      'input_type',
      'documents',
      'query',
      'model',
      'rank_fields',
      'text',
      'type',
      'embedding_types',
    ],
  )
  const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.oneof(
        fc.string(),
        fc.double(),
        fc.boolean(),
        fc.constantFrom(null, 'float', 'search_query', 'text', 'AACAPw=='),
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(names, tie('value'), { maxKeys: 4 }),
    ),
  })).value
  const embeddings: EmbeddingsRequest = { model: 'm', input: ['a', 'b'], encoding: 'float', unread: [] }
  const rerank = { model: 'm', query: 'q', documents: ['a', 'b'], unread: [] }
  const only = (run: () => unknown, known: (error: unknown) => boolean): void => {
    try {
      run()
    } catch (error) {
      assert.ok(known(error), String(error))
    }
  }
  const malformed = (error: unknown) => error instanceof Malformed
  const refused = (error: unknown) =>
    error instanceof Failure && (error.code === 'invalid_request' || error.code === 'not_translatable')
  fc.assert(
    fc.property(value, fc.dictionary(names, value), (answer, request) => {
      for (const target of [openaiEmbeddingsTarget, cohereEmbedTarget])
        only(() => target.read(answer, embeddings, context), malformed)
      for (const target of [cohereRerankTarget, teiRerankTarget])
        only(() => target.read(answer, rerank, context), malformed)
      for (const caller of [openaiEmbeddingsCaller, cohereEmbedCaller, rerankCaller])
        only(() => caller.read(request, {}), refused)
    }),
    { numRuns: 1000 },
  )
})
