import assert from 'node:assert/strict'
import test from 'node:test'
import { surfaceOf } from '../../surfaces/index.ts'
import { modelPath } from './target.ts'

const cases: readonly (readonly [path: string, surface: string | undefined, model?: string, stream?: boolean])[] = [
  ['/v1beta/models/gemini-2.5-flash:generateContent', 'generate_content', 'gemini-2.5-flash', false],
  ['/v1/models/gemini-2.5-flash:generateContent', 'generate_content', 'gemini-2.5-flash', false],
  ['/v1beta/models/m:streamGenerateContent?alt=sse', 'generate_content', 'm', true],
  ['/v1beta/models/m:streamGenerateContent?key=k&alt=sse', 'generate_content', 'm', true],
  ['/v1beta/models/m:streamGenerateContent', 'generate_content_list', 'm', false],
  ['/v1beta/models/org/name:8b:generateContent', 'generate_content', 'org/name:8b', false],
  ['/v1beta/models/org%2Fname:generateContent', 'generate_content', 'org/name', false],
  ['/v1beta/tunedModels/mine:generateContent', 'generate_content', 'tunedModels/mine', false],
  [
    '/v1beta1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent?alt=sse',
    'generate_content',
    'm',
    true,
  ],
  ['/v1beta1/publishers/google/models/m:generateContent', 'generate_content', 'm', false],
  ['/v1beta/models/m:embedContent', 'embed_content', 'm', false],
  ['/v1beta/models/m:batchEmbedContents', 'batch_embed_contents', 'm', false],
  ['/v1beta/models/m:countTokens', 'count_content_tokens', 'm', false],
  ['/v1beta/models/%ff:generateContent', undefined],
  ['/v1beta/models/m:other', undefined],
  ['/v1beta/models/:generateContent', undefined],
]

for (const [url, surface, model, stream] of cases)
  test(`paths of Google's API: ${url} is ${surface ?? 'none'}`, () => {
    const [path = '', query] = url.split(/(?=\?)/)
    const place = surfaceOf(path, query)
    assert.equal(place?.surface.name, surface)
    assert.equal(place?.found.model, model)
    assert.equal(place?.found.stream, stream)
  })

test('the path of a model has its name as one part', () => {
  assert.equal(modelPath('gemini-2.5-flash'), '/v1beta/models/gemini-2.5-flash')
  assert.equal(modelPath('models/gemini-2.5-flash'), '/v1beta/models/gemini-2.5-flash')
  assert.equal(modelPath('tunedModels/mine'), '/v1beta/tunedModels/mine')
  assert.equal(modelPath('../files?x'), '/v1beta/models/..%2Ffiles%3Fx')
})
