import assert from 'node:assert/strict'
import test from 'node:test'
import { vertexAI } from './vertex-ai.ts'

const hosts: readonly (readonly [location: string, url: string])[] = [
  ['europe-west4', 'https://europe-west4-aiplatform.googleapis.com'],
  ['global', 'https://aiplatform.googleapis.com'],
  ['us', 'https://aiplatform.us.rep.googleapis.com'],
]
for (const [location, url] of hosts)
  test(`vertex ai: ${location} is served at ${url}`, () => assert.equal(vertexAI.url({ location }), url))

const settings = { project: 'p', location: 'global' }
const google = '/v1/projects/p/locations/global/publishers/google/models'
const anthropic = '/v1/projects/p/locations/global/publishers/anthropic/models'
const calls: readonly (readonly [surface: string, model: string, stream: boolean, path: string | undefined])[] = [
  ['generate_content', 'gemini-2.5-flash', false, `${google}/gemini-2.5-flash:generateContent`],
  ['generate_content', 'gemini-2.5-flash', true, `${google}/gemini-2.5-flash:streamGenerateContent?alt=sse`],
  ['generate_content_list', 'gemini-2.5-flash', false, `${google}/gemini-2.5-flash:streamGenerateContent`],
  ['generate_content', 'claude-sonnet-4-5', false, undefined],
  ['messages', 'claude-sonnet-4-5@20250929', false, `${anthropic}/claude-sonnet-4-5@20250929:rawPredict`],
  ['messages', 'anthropic/claude-sonnet-4-5', true, `${anthropic}/claude-sonnet-4-5:streamRawPredict`],
  ['messages', 'gemini-2.5-flash', false, undefined],
  ['chat', 'gemini-2.5-flash', false, undefined],
]
for (const [surface, model, stream, path] of calls)
  test(`vertex ai: ${surface} of ${model} ${path === undefined ? 'is translated' : 'passes'}${stream ? ', streamed' : ''}`, () =>
    assert.equal(vertexAI.native(surface, model, stream, settings, undefined)?.path, path))
