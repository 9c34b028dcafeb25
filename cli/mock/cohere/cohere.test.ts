import assert from 'node:assert/strict'
import test from 'node:test'
import { type Answer, bodyOf, Refusal } from '../answer.ts'
import { cohere } from '../providers/cohere.ts'

const voice = { name: 'mock', tokens: 8, created: 1_700_000_000 }

function ask(path: string, body: unknown): Answer {
  const request = {
    method: 'POST',
    path,
    query: new URLSearchParams(),
    headers: {},
    body,
    bytes: Buffer.from(JSON.stringify(body)),
  }
  try {
    return cohere.answer(request, { models: [], voice })
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    throw error
  }
}

const said = (answer: Answer): { readonly message: string } => JSON.parse(String(bodyOf(answer)))
const user = { role: 'user', content: 'Hello' }
const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }
const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }

const refused: readonly (readonly [about: string, status: number, words: RegExp, body: object, path?: string])[] = [
  ['an unknown member', 422, /unknown field: parameter 'top_p'/, { messages: [user], top_p: 1 }],
  [
    'an unknown member of a tool',
    422,
    /'strict'/,
    { messages: [user], tools: [{ ...tool, function: { ...tool.function, strict: true } }] },
  ],
  [
    'a member of another type',
    422,
    /temperature is of type string but should be of type number/,
    { messages: [user], temperature: '1' },
  ],
  ['no messages', 400, /must not be empty/, { messages: [] }],
  ['an unknown role', 400, /role must be one of/, { messages: [{ role: 'developer', content: 'x' }] }],
  ['an empty prompt', 400, /at least 1 token long/, { messages: [{ role: 'user', content: ' ' }] }],
  [
    'an empty message of the assistant',
    400,
    /must have a message/,
    { messages: [user, { role: 'assistant', content: '' }, user] },
  ],
  [
    'a result without its call',
    400,
    /does not match/,
    { messages: [user, { role: 'tool', tool_call_id: 'c', content: 'x' }] },
  ],
  [
    'arguments that are no object',
    400,
    /must be a JSON object/,
    { messages: [user, { role: 'assistant', tool_calls: [{ ...call, function: { name: 'f', arguments: '' } }] }] },
  ],
  [
    'an image in a result',
    400,
    /type must be one of text, document/,
    {
      messages: [
        user,
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c', content: [{ type: 'image_url', image_url: { url: 'https://a/b' } }] },
      ],
    },
  ],
  [
    'an image that is none',
    400,
    /must be a web URL/,
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
  ],
  ['a temperature above 1', 400, /temperature must be between 0 and 1/, { messages: [user], temperature: 1.5 }],
  ['a p of 1', 400, /p must be between 0.01 and 0.99/, { messages: [user], p: 1 }],
  ['both penalties', 400, /cannot specify both/, { messages: [user], frequency_penalty: 0.1, presence_penalty: 0.1 }],
  ['six stop sequences', 400, /at most 5/, { messages: [user], stop_sequences: ['a', 'b', 'c', 'd', 'e', 'f'] }],
  ['a choice without tools', 400, /requires tools/, { messages: [user], tool_choice: 'REQUIRED' }],
  ['an unknown choice', 400, /one of REQUIRED, NONE/, { messages: [user], tools: [tool], tool_choice: 'auto' }],
  [
    'a tool without parameters',
    400,
    /parameters is required/,
    { messages: [user], tools: [{ type: 'function', function: { name: 'f' } }] },
  ],
  [
    'strict tools without a required parameter',
    400,
    /at least one required/,
    { messages: [user], tools: [tool], strict_tools: true },
  ],
  [
    'a format with tools',
    400,
    /not supported with RAG or tools/,
    { messages: [user], tools: [tool], response_format: { type: 'json_object' } },
  ],
  [
    'a format of OpenAI’s',
    400,
    /one of text, json_object/,
    { messages: [user], response_format: { type: 'json_schema' } },
  ],
  ['thinking without a type', 400, /thinking.type/, { messages: [user], thinking: {} }],
  ['embeddings without a type', 400, /valid input_type/, { texts: ['a'] }, '/v2/embed'],
  ['too many texts', 400, /at most 96/, { texts: Array(97).fill('a'), input_type: 'search_query' }, '/v2/embed'],
  [
    'dimensions of its own',
    400,
    /output_dimension/,
    { texts: ['a'], input_type: 'search_query', output_dimension: 3 },
    '/v2/embed',
  ],
  ['texts and images', 400, /exactly one/, { texts: ['a'], images: ['b'], input_type: 'image' }, '/v2/embed'],
  ['no query', 400, /query must not be empty/, { query: ' ', documents: ['a'] }, '/v2/rerank'],
  ['no documents', 400, /documents must not be empty/, { query: 'a', documents: [] }, '/v2/rerank'],
  [
    'the first version’s fields in the second',
    422,
    /'return_documents'/,
    { query: 'a', documents: ['a'], return_documents: true },
    '/v2/rerank',
  ],
  [
    'documents that are objects in the second',
    422,
    /documents is of type array/,
    { query: 'a', documents: [{ text: 'a' }] },
    '/v2/rerank',
  ],
  ['another path', 404, /not found/, {}, '/v2/generate'],
]

for (const [about, status, words, body, path = '/v2/chat'] of refused)
  test(`mock cohere: ${about} is refused`, () => {
    const answer = ask(path, { model: 'm', ...body })
    assert.equal(answer.status, status)
    assert.match(said(answer).message, words)
  })

test('mock cohere: a model is needed', () => {
  assert.match(said(ask('/v2/chat', { messages: [user] })).message, /model parameter is required/)
})

test('mock cohere: the same request gets the same answer, and a stream ends with its reason, its usage and [DONE]', () => {
  const body = { model: 'm', messages: [user] }
  assert.deepEqual(ask('/v2/chat', body), ask('/v2/chat', body))
  const { parts } = ask('/v2/chat', { ...body, stream: true })
  assert.equal(cohere.terminates(parts.at(-1) ?? ''), true)
  assert.equal(cohere.finishes(parts.at(-2) ?? ''), true)
  assert.match(String(parts.at(-2)), /"billed_units".*"tokens"/)
  assert.equal(parts.filter((part) => cohere.finishes(part)).length, 1)
})

test('mock cohere: vectors of every type are of the same signs', () => {
  const types = ['float', 'int8', 'uint8', 'binary', 'ubinary', 'base64']
  const answer = ask('/v2/embed', { model: 'm', texts: ['a'], input_type: 'search_query', embedding_types: types })
  const { embeddings } = JSON.parse(String(bodyOf(answer)))
  const [vector] = embeddings.float
  const bytes = Buffer.from(embeddings.base64[0], 'base64')
  vector.forEach((x: number, i: number) => {
    assert.ok(Math.abs(bytes.readFloatLE(i * 4) - x) < 1e-6)
    assert.ok(embeddings.int8[0][i] * x >= 0)
    assert.equal(embeddings.uint8[0][i], embeddings.int8[0][i] + 128)
    assert.equal((embeddings.ubinary[0][0] & (128 >> i)) > 0, x > 0)
  })
  assert.equal(embeddings.binary[0][0], embeddings.ubinary[0][0] - 128)
})
