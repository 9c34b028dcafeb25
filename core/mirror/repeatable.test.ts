import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bytes } from '../bytes.ts'
import { Exchange } from '../exchange.ts'
import type { Facts } from '../exchange.ts'
import { requestFields } from '../json-fields.ts'
import { surfaceOf } from '../surfaces/index.ts'
import { unrepeatable } from './repeatable.ts'

function of(path: string, body: object) {
  const place = surfaceOf(path, '')
  assert.ok(place, path)
  const bytes = new Bytes([Buffer.from(JSON.stringify(body))])
  const incoming = { ...place, method: 'POST', query: '', headers: [], body: bytes }
  const exchange = new Exchange(incoming, { requestedModel: 'm' } as Facts) // nothing else of them is looked at
  exchange.fields = requestFields(bytes)
  return unrepeatable(exchange)
}

const CHAT = '/v1/chat/completions'
const messages = [{ role: 'user', content: 'Hi' }]
const GEMINI = '/v1beta/models/m:generateContent'
const contents = [{ role: 'user', parts: [{ text: 'Hi' }] }]
const CONVERSE = '/model/m/converse'
const turns = [{ role: 'user', content: [{ text: 'Hi' }] }]
const schema = { type: 'object', properties: {} }

for (const [path, body, reason] of [
  [CHAT, { messages }, undefined],
  [CHAT, { messages, store: false, tools: [{ type: 'function', function: { name: 'f' } }] }, undefined],
  [CHAT, { messages, tools: [{ type: 'custom', custom: { name: 'f' } }] }, undefined],
  [CHAT, { messages, tools: [{ type: 'web_search' }] }, 'stateful'],
  [CHAT, { messages, web_search_options: null }, undefined],
  [CHAT, { messages, plugins: [{ id: 'web' }] }, 'stateful'],
  [CHAT, { messages, models: ['a', 'b'] }, 'stateful'],
  [CHAT, { messages, service_tier: 'flex' }, undefined],
  [CHAT, { messages, service_tier: 'scale' }, 'unbounded'],
  [CHAT, { messages, prediction: { type: 'content', content: 'Hi' } }, 'unbounded'],
  ['/v1/completions', { prompt: 'Hi' }, undefined],
  ['/v1/embeddings', { input: ['Hi', 'there'] }, undefined],
  ['/v2/embed', { texts: ['Hi'], input_type: 'search_query', embedding_types: ['float'] }, undefined],
  ['/v1/responses', { input: 'Hi', store: false, tools: [{ type: 'function', name: 'f' }] }, undefined],
  ['/v1/responses', { input: 'Hi' }, 'stateful'],
  ['/v1/responses', { input: 'Hi', store: false, tools: [{ type: 'mcp', server_url: 'x' }] }, 'stateful'],
  ['/v1/responses', { input: 'Hi', store: false, conversation: 'c' }, 'stateful'],
  ['/v1/responses/compact', { input: 'Hi' }, 'operation'],
  ['/v1/messages', { messages, max_tokens: 9, tools: [{ name: 'f', input_schema: schema }] }, undefined],
  ['/v1/messages', { messages, max_tokens: 9, tools: [{ type: 'bash_20250124', name: 'bash' }] }, undefined],
  ['/v1/messages', { messages, max_tokens: 9, tools: [{ type: 'web_search_20250305', name: 'w' }] }, 'stateful'],
  ['/v1/messages', { messages, max_tokens: 9, container: 'c' }, 'stateful'],
  ['/v1/messages', { messages, max_tokens: 9, speed: 'fast' }, 'unbounded'],
  ['/v1/messages/count_tokens', { messages }, 'operation'],
  [GEMINI, { contents, tools: [{ functionDeclarations: [{ name: 'f' }] }] }, undefined],
  [GEMINI, { contents, tools: [{ googleSearch: {} }] }, 'stateful'],
  [GEMINI, { contents, tools: [{ functionDeclarations: [{ name: 'f' }], codeExecution: {} }] }, 'stateful'],
  [GEMINI, { contents, cachedContent: 'cachedContents/c' }, 'stateful'],
  [
    GEMINI,
    { contents: [{ role: 'user', parts: [{ fileData: { fileUri: 'gs://b/a.pdf', mimeType: 'application/pdf' } }] }] },
    'unbounded',
  ],
  [
    CONVERSE,
    { messages: turns, toolConfig: { tools: [{ toolSpec: { name: 'f', inputSchema: { json: schema } } }] } },
    undefined,
  ],
  [CONVERSE, { messages: turns, toolConfig: { tools: [{ systemTool: { name: 'nova_grounding' } }] } }, 'stateful'],
  [CONVERSE, { messages: turns, guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: '1' } }, 'stateful'],
  ['/v2/chat', { messages, tools: [{ type: 'function', function: { name: 'f' } }] }, undefined],
  ['/v1/rerank', { query: 'q', documents: ['a'] }, 'operation'],
  ['/v1/moderations', { input: 'Hi' }, 'operation'],
  ['/v1/audio/speech', { input: 'Hi', voice: 'alloy' }, 'operation'],
  ['/v2/models/m/infer', { inputs: [] }, 'operation'],
] as const)
  test(`repeatable: ${path} ${JSON.stringify(body).slice(0, 100)}: ${reason ?? 'it is'}`, () => {
    assert.equal(of(path, { model: 'm', ...body }), reason)
  })
