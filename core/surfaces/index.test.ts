import assert from 'node:assert/strict'
import { test } from 'node:test'
import { surfaceOf } from './index.ts'

const cases: [path: string, surface: string | undefined, full?: string][] = [
  ['/v1/chat/completions', 'chat', '/v1/chat/completions'],
  ['/chat/completions', 'chat', '/v1/chat/completions'],
  ['/v1/chat/completions/', 'chat', '/v1/chat/completions'],
  ['/v1/completions', 'completions', '/v1/completions'],
  ['/embeddings', 'embeddings', '/v1/embeddings'],
  ['/v2/chat', 'cohere_chat', '/v2/chat'],
  ['/v2/embed', 'cohere_embed', '/v2/embed'],
  ['/v1/rerank', 'rerank', '/v1/rerank'],
  ['/rerank', 'rerank', '/v1/rerank'],
  ['/v2/rerank', 'rerank_v2', '/v2/rerank'],
  ['/v1/models', 'models', '/v1/models'],
  ['/models', 'models', '/v1/models'],
  ['/v1/models/org/name', 'models', '/v1/models/org/name'],
  ['/v1/modelsx', undefined],
  ['/v2/models', undefined],
  ['/', undefined],
  ['/v1', undefined],
  ['/toString', undefined],
]

for (const [path, surface, full] of cases)
  test(`surface: ${path} is ${surface ?? 'none'}`, () => {
    const found = surfaceOf(path)
    assert.equal(found?.surface.name, surface)
    assert.equal(found?.found.path, full)
  })
