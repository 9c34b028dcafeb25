import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import test from 'node:test'
import { type Answer, bodyOf, Refusal } from '../answer.ts'
import { gemini } from '../providers/gemini.ts'
import type { MockProvider } from '../providers/provider.ts'
import { vertexAI } from '../providers/vertex-ai.ts'
import { signature } from './contents.ts'

const voice = { name: 'mock', tokens: 8, created: 1_700_000_000 }

function ask(provider: MockProvider, path: string, body: unknown, query = '', key?: string, headers = {}): Answer {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const request = { method: 'POST', path, query: new URLSearchParams(query), headers, body, bytes }
  try {
    return provider.answer(request, { models: [], voice, key })
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    throw error
  }
}

interface Said {
  readonly error: { readonly code: number; readonly message: string; readonly status: string }
  readonly candidates: readonly {
    readonly content: { readonly parts: readonly { readonly thoughtSignature?: string }[] }
  }[]
}
interface Granted {
  readonly error?: string
  readonly error_description: string
  readonly access_token: string
  readonly token_type: string
}

const said = (answer: Answer): Said => JSON.parse(String(bodyOf(answer)))
const granted = (answer: Answer): Granted => JSON.parse(String(bodyOf(answer)))
const content = (model: string, body: object): Answer => ask(gemini, `/v1beta/models/${model}:generateContent`, body)

const hi = { role: 'user', parts: [{ text: 'Hello' }] }
const declared = (rest: object) => [{ functionDeclarations: [{ name: 'f', ...rest }] }]
const call = { role: 'model', parts: [{ functionCall: { name: 'f', args: {} } }] }
const signed = { role: 'model', parts: [{ functionCall: { name: 'f', args: {} }, thoughtSignature: signature('f') }] }
const result = (name: string, response: unknown) => ({
  role: 'user',
  parts: [{ functionResponse: { name, response } }],
})

const refused: readonly (readonly [about: string, words: RegExp, body: object, model?: string])[] = [
  ['no contents', /contents is not specified/, {}],
  ['empty contents', /contents is not specified/, { contents: [] }],
  ['a content without parts', /parts must not be empty/, { contents: [{ role: 'user', parts: [] }] }],
  ['another role', /valid role: user, model/, { contents: [{ role: 'assistant', parts: [{ text: 'a' }] }] }],
  [
    'a part of nothing',
    /must have one initialized field/,
    { contents: [{ role: 'user', parts: [{ thought: true }] }] },
  ],
  [
    'a part of two kinds',
    /already set/,
    { contents: [{ role: 'user', parts: [{ text: 'a', inlineData: { mimeType: 'image/png', data: 'AAAA' } }] }] },
  ],
  ['an unknown member', /Unknown name "messages": Cannot find field/, { contents: [hi], messages: [] }],
  [
    'an unknown member below',
    /Unknown name "max_tokens" at 'generation_config'/,
    { contents: [hi], generationConfig: { max_tokens: 1 } },
  ],
  [
    'a stop sequence that is no list',
    /Invalid value at 'generation_config.stop_sequences'/,
    { contents: [hi], generationConfig: { stopSequences: 'a' } },
  ],
  ['six stop sequences', /at most 5/, { contents: [hi], generationConfig: { stopSequences: 'abcdef'.split('') } }],
  [
    'a temperature beyond 2',
    /temperature must be in the range/,
    { contents: [hi], generationConfig: { temperature: 3 } },
  ],
  ['a seed beyond 32 bits', /seed must be in the range/, { contents: [hi], generationConfig: { seed: 2 ** 32 } }],
  ['log-probabilities unasked', /response_logprobs/, { contents: [hi], generationConfig: { logprobs: 2 } }],
  ['a schema without JSON', /application\/json/, { contents: [hi], generationConfig: { responseJsonSchema: {} } }],
  [
    'a keyword that the subset lacks',
    /Unknown name "additionalProperties"/,
    {
      contents: [hi],
      tools: declared({ parameters: { type: 'object', properties: {}, additionalProperties: false } }),
    },
  ],
  [
    'numbers among words',
    /TYPE_STRING/,
    {
      contents: [hi],
      tools: declared({ parameters: { type: 'object', properties: { a: { type: 'integer', enum: [1] } } } }),
    },
  ],
  [
    'an object of nothing',
    /non-empty for OBJECT/,
    { contents: [hi], tools: declared({ parameters: { type: 'object' } }) },
  ],
  [
    'a name that is none',
    /Invalid function name/,
    { contents: [hi], tools: [{ functionDeclarations: [{ name: '1 f' }] }] },
  ],
  [
    'an allowed name that is not declared',
    /not declared/,
    {
      contents: [hi],
      tools: declared({}),
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['g'] } },
    },
  ],
  [
    'allowed names without ANY',
    /mode is ANY/,
    {
      contents: [hi],
      tools: declared({}),
      toolConfig: { functionCallingConfig: { mode: 'AUTO', allowedFunctionNames: ['f'] } },
    },
  ],
  [
    'tools with JSON',
    /Function calling with a response mime type/,
    { contents: [hi], tools: declared({}), generationConfig: { responseMimeType: 'application/json' } },
  ],
  ['a call that follows no user', /function call turn comes immediately after/, { contents: [call] }],
  [
    'a response that follows no call',
    /function response turn comes immediately after/,
    { contents: [hi, result('f', {})] },
  ],
  ['a call without a response', /number of function response parts/, { contents: [hi, call, hi] }],
  ['a response of another name', /names of the function calls/, { contents: [hi, call, result('g', {})] }],
  ['a response that is no object', /protobuf.Struct/, { contents: [hi, call, result('f', 'sunny')] }],
  [
    'a call without its signature',
    /missing a thought_signature/,
    { contents: [hi, call, result('f', {})] },
    'gemini-3-pro-preview',
  ],
  [
    'a call with a wrong signature',
    /Corrupted thought signature/,
    { contents: [hi, { ...signed, parts: [{ ...signed.parts[0], thoughtSignature: 'AAAA' }] }, result('f', {})] },
    'gemini-3-pro-preview',
  ],
  [
    'bytes that are none',
    /Base64 decoding failed/,
    {
      contents: [
        { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: 'data:image/png;base64,AAAA' } }] },
      ],
    },
  ],
  [
    'thought of a model that has none',
    /Thinking is not supported/,
    { contents: [hi], generationConfig: { thinkingConfig: { thinkingBudget: 1 } } },
    'gemini-2.0-flash',
  ],
  [
    'a level before Gemini 3',
    /level is not supported/,
    { contents: [hi], generationConfig: { thinkingConfig: { thinkingLevel: 'LOW' } } },
  ],
  [
    'level and budget',
    /only one of/,
    { contents: [hi], generationConfig: { thinkingConfig: { thinkingLevel: 'LOW', thinkingBudget: 1 } } },
    'gemini-3-pro-preview',
  ],
  [
    'no thought of a model that thinks',
    /Budget 0 is invalid/,
    { contents: [hi], generationConfig: { thinkingConfig: { thinkingBudget: 0 } } },
    'gemini-2.5-pro',
  ],
]

for (const [about, words, body, model = 'gemini-2.5-flash'] of refused)
  test(`mock gemini: ${about} is refused`, () => {
    const answer = content(model, body)
    assert.equal(answer.status, 400)
    const { error } = said(answer)
    assert.match(error.message, words)
    assert.deepEqual([error.code, error.status], [400, 'INVALID_ARGUMENT'])
  })

test('mock gemini: signatures of this turn alone are asked for, and those that it gave are good', () => {
  const model = 'gemini-3-pro-preview'
  for (const contents of [
    [hi, signed, result('f', {})],
    [hi, call, result('f', {}), { role: 'model', parts: [{ text: 'Done' }] }, hi],
    [
      hi,
      { ...call, parts: [{ ...call.parts[0], thoughtSignature: 'skip_thought_signature_validator' }] },
      result('f', {}),
    ],
  ])
    assert.equal(content(model, { contents }).status, 200)
  const { candidates } = said(content(model, { contents: [hi], tools: declared({}) }))
  assert.equal(candidates[0]?.content.parts[0]?.thoughtSignature, signature('f'))
})

test('mock vertex ai: roles, and types of what URIs hold, are wanted', () => {
  const path = '/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent'
  const fileData = { fileUri: 'https://example.com/a' }
  for (const [contents, words] of [
    [[{ parts: [{ text: 'a' }] }], /valid role/],
    [[{ role: 'user', parts: [{ fileData }] }], /empty mimeType/],
  ] as const)
    assert.match(said(ask(vertexAI, path, { contents })).error.message, words)
  assert.equal(
    said(ask(gemini, '/v1beta/models/m:generateContent', { contents: [{ parts: [{ fileData }] }] })).candidates.length,
    1,
  )
})

test('mock vertex ai: Anthropic’s models want their version in the body, and no model', () => {
  const path = '/v1/projects/p/locations/l/publishers/anthropic/models/claude-sonnet-4-5:rawPredict'
  const body = {
    anthropic_version: 'vertex-2023-10-16',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'Hello' }],
  }
  assert.equal(ask(vertexAI, path, body).status, 200)
  assert.match(
    said(ask(vertexAI, path, { ...body, anthropic_version: '2023-06-01' })).error.message,
    /anthropic_version/,
  )
  assert.match(said(ask(vertexAI, path, { ...body, model: 'm' })).error.message, /Extra inputs/)
  assert.match(said(ask(vertexAI, path, { ...body, max_tokens: undefined })).error.message, /max_tokens/)
})

test('mock gemini: embeddings whose texts name another model are refused', () => {
  const one = (model: string) => ({ model, content: { parts: [{ text: 'a' }] } })
  const path = '/v1beta/models/m:batchEmbedContents'
  assert.equal(ask(gemini, path, { requests: [one('models/m')] }).status, 200)
  assert.match(said(ask(gemini, path, { requests: [one('models/n')] })).error.message, /must match the model/)
  assert.equal(ask(gemini, path, { requests: [] }).status, 400)
})

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = pair.publicKey.export({ type: 'spki', format: 'pem' })
const now = () => Math.floor(Date.now() / 1000)

function assertion(claims: object, key: KeyObject = pair.privateKey, alg = 'RS256'): string {
  const body = {
    iss: 'a@p',
    scope: 'https://www.googleapis.com/auth/cloud-platform',
    aud: 'http://host:1/token',
    iat: now(),
    exp: now() + 3600,
    ...claims,
  }
  const text = [{ alg, typ: 'JWT' }, body].map((it) => Buffer.from(JSON.stringify(it)).toString('base64url')).join('.')
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
}

const grant = (text: string, type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'): Answer =>
  ask(vertexAI, '/token', new URLSearchParams({ grant_type: type, assertion: text }).toString(), '', pem, {
    host: 'host:1',
  })

for (const [about, text, words] of [
  ['of another key', assertion({}, other.privateKey), /Invalid JWT Signature/],
  ['of another algorithm', assertion({}, pair.privateKey, 'none'), /RS256/],
  ['for another server', assertion({ aud: 'https://oauth2.googleapis.com/token' }), /aud/],
  ['for another scope', assertion({ scope: 'email' }), /scope/],
  ['of yesterday', assertion({ iat: now() - 90_000, exp: now() - 86_400 }), /short-lived/],
  ['that lives too long', assertion({ exp: now() + 7200 }), /short-lived/],
  ['that is none', 'a.b', /malformed/],
] as const)
  test(`mock vertex ai: an assertion ${about} gets no token`, () => {
    const answer = grant(text)
    assert.equal(answer.status, 400)
    const { error, error_description: why } = granted(answer)
    assert.equal(error, 'invalid_grant')
    assert.match(why, words)
  })

test('mock vertex ai: a good assertion gets a token, and only with one is anything served', () => {
  const { access_token: token, token_type: type } = granted(grant(assertion({})))
  assert.equal(type, 'Bearer')
  const shows = (authorization: string): boolean =>
    vertexAI.authorised(
      {
        method: 'POST',
        path: '/v1/x',
        query: new URLSearchParams(),
        headers: { authorization },
        body: {},
        bytes: Buffer.alloc(0),
      },
      pem,
    )
  assert.ok(shows(`Bearer ${token}`))
  assert.ok(!shows(`Bearer ${token}x`))
  assert.ok(!shows(`Bearer ${pem}`))
  assert.equal(granted(grant(assertion({}), 'refresh_token')).error, 'unsupported_grant_type')
  assert.equal(createPublicKey(pem).asymmetricKeyType, 'rsa')
})
