import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import test from 'node:test'
import { type Answer, bodyOf, Refusal } from '../answer.ts'
import { bedrock } from '../providers/bedrock.ts'
import type { MockRequest } from '../providers/provider.ts'
import { checkSignature } from './signature.ts'
import { asksSts, sts } from './sts.ts'

const voice = { name: 'mock', tokens: 8, created: 1_700_000_000 }
const CLAUDE = 'anthropic.claude-sonnet-4-5-v1%3A0'

function ask(body: unknown, model = CLAUDE, operation = 'converse'): Answer {
  const bytes = Buffer.from(JSON.stringify(body))
  const request = {
    method: 'POST',
    path: `/model/${model}/${operation}`,
    query: new URLSearchParams(),
    headers: {},
    body,
    bytes,
  }
  try {
    return bedrock.answer(request, { models: [], voice })
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    throw error
  }
}

const user = (...content: unknown[]): unknown => ({
  role: 'user',
  content: content.length > 0 ? content : [{ text: 'Hello' }],
})
const assistant = (...content: unknown[]): unknown => ({ role: 'assistant', content })
const spec = (more: object = {}): unknown => ({
  toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } }, ...more },
})
const toolConfig = { tools: [spec()] }
const use = { toolUse: { toolUseId: 't1', name: 'f', input: {} } }
const result = (more: object = {}): unknown => ({ toolResult: { toolUseId: 't1', content: [{ text: 'ok' }], ...more } })
const called = [user(), assistant(use)]
const png = { image: { format: 'png', source: { bytes: 'AAAA' } } }
const pdf = (name: string): unknown => ({ document: { format: 'pdf', name, source: { bytes: 'AAAA' } } })
const thinking = { thinking: { type: 'enabled', budget_tokens: 2000 } }

const refused: readonly (readonly [about: string, words: RegExp, body: object, model?: string])[] = [
  ['an unknown member', /extraneous key \[max_tokens\]/, { messages: [user()], max_tokens: 5 }],
  ['an unknown member of a block', /extraneous key \[type\]/, { messages: [user({ type: 'text', text: 'x' })] }],
  ['no messages', /must start with a user message/, { messages: [] }],
  ['an assistant who begins', /must start with a user message/, { messages: [assistant({ text: 'x' }), user()] }],
  ['two of one role', /must alternate/, { messages: [user(), user()] }],
  [
    'a role that there is not',
    /enum value set: \[user, assistant\]/,
    { messages: [{ role: 'system', content: [{ text: 'x' }] }] },
  ],
  ['an empty message', /content field .* is empty/, { messages: [{ role: 'user', content: [] }] }],
  ['a block of two kinds', /must set one of the following keys/, { messages: [user({ text: 'x', ...png })] }],
  ['blank text', /is blank/, { messages: [user({ text: ' \n' })] }],
  ['blank text of the system', /is blank/, { messages: [user()], system: [{ text: '' }] }],
  [
    'an image at a URL',
    /extraneous key \[url\]/,
    { messages: [user({ image: { format: 'png', source: { url: 'https://x' } } })] },
  ],
  [
    'an image of another format',
    /enum value set/,
    { messages: [user({ image: { format: 'tiff', source: { bytes: 'AAAA' } } })] },
  ],
  ['bytes that are none', /Base64/, { messages: [user({ image: { format: 'png', source: { bytes: 'data:,x' } } })] }],
  [
    'an image of the assistant',
    /not allowed in a message of role assistant/,
    { messages: [user(), assistant(png), user()] },
  ],
  ['a document without text', /document but no text/, { messages: [user(pdf('a'))] }],
  ['a document of a wrong name', /invalid characters/, { messages: [user({ text: 'x' }, pdf('a.pdf'))] }],
  ['two documents of one name', /duplicate document names/, { messages: [user({ text: 'x' }, pdf('a'), pdf('a'))] }],
  ['calls without a toolConfig', /toolConfig field must be defined/, { messages: [...called, user(result())] }],
  ['a call without its result', /Expected toolResult blocks .* t1/, { messages: [...called, user()], toolConfig }],
  ['a call at the end', /Expected toolResult blocks/, { messages: called, toolConfig }],
  ['a result without its call', /exceeds the number of toolUse/, { messages: [user(result())], toolConfig }],
  ['results in two messages', /must alternate/, { messages: [...called, user(result()), user(result())], toolConfig }],
  ['a result after text', /must come first/, { messages: [...called, user({ text: 'x' }, result())], toolConfig }],
  ['an empty result', /is blank/, { messages: [...called, user(result({ content: [{ text: '' }] }))], toolConfig }],
  [
    'an error without words',
    /cannot be empty when status/,
    { messages: [...called, user(result({ content: [], status: 'error' }))], toolConfig },
  ],
  [
    'a result that is a list',
    /Provide a json object/,
    { messages: [...called, user(result({ content: [{ json: [] }] }))], toolConfig },
  ],
  [
    'arguments in a string',
    /Provide a json object/,
    { messages: [user(), assistant({ toolUse: { ...use.toolUse, input: '{}' } })], toolConfig },
  ],
  [
    'an id with a colon',
    /\[a-zA-Z0-9_-\]\+/,
    { messages: [user(), assistant({ toolUse: { ...use.toolUse, toolUseId: 'a:b' } })], toolConfig },
  ],
  ['no tools in a toolConfig', /length greater than or equal to 1/, { messages: [user()], toolConfig: { tools: [] } }],
  [
    'a schema that is no object’s',
    /type must be one of/,
    { messages: [user()], toolConfig: { tools: [spec({ inputSchema: { json: {} } })] } },
  ],
  ['two tools of one name', /duplicate tool names/, { messages: [user()], toolConfig: { tools: [spec(), spec()] } }],
  [
    'a choice that there is not',
    /extraneous key \[none\]/,
    { messages: [user()], toolConfig: { ...toolConfig, toolChoice: { none: {} } } },
  ],
  [
    'a choice of an unknown tool',
    /is not one of/,
    { messages: [user()], toolConfig: { ...toolConfig, toolChoice: { tool: { name: 'g' } } } },
  ],
  ['a temperature beyond 1', /less than or equal to 1/, { messages: [user()], inferenceConfig: { temperature: 1.5 } }],
  [
    'temperature and topP together',
    /cannot both be specified/,
    { messages: [user()], inferenceConfig: { temperature: 1, topP: 1 } },
  ],
  ['an answer of no tokens', /greater than or equal to 1/, { messages: [user()], inferenceConfig: { maxTokens: 0 } }],
  [
    'a stop sequence of white space',
    /length greater/,
    { messages: [user()], inferenceConfig: { stopSequences: [' '] } },
  ],
  ['a beginning that ends in white space', /trailing whitespace/, { messages: [user(), assistant({ text: 'One, ' })] }],
  [
    'a forced tool with thought',
    /may not be enabled when tool_choice/,
    {
      messages: [user()],
      additionalModelRequestFields: thinking,
      toolConfig: { ...toolConfig, toolChoice: { any: {} } },
    },
  ],
  [
    'a temperature with thought',
    /may only be set to 1/,
    { messages: [user()], additionalModelRequestFields: thinking, inferenceConfig: { temperature: 0.5 } },
  ],
  [
    'a budget beyond the tokens',
    /must be greater than/,
    { messages: [user()], additionalModelRequestFields: thinking, inferenceConfig: { maxTokens: 2000 } },
  ],
  [
    'a thought without a signature',
    /Invalid `signature`/,
    { messages: [user(), assistant({ reasoningContent: { reasoningText: { text: 'x' } } }, { text: 'y' }), user()] },
  ],
  [
    'fields of another model',
    /extraneous key \[reasoning_effort\]/,
    { messages: [user()], additionalModelRequestFields: { reasoning_effort: 'low' } },
  ],
  [
    'top_k of Claude’s for Nova',
    /extraneous key \[top_k\]/,
    { messages: [user()], additionalModelRequestFields: { top_k: 5 } },
    'amazon.nova-lite-v1',
  ],
  [
    'cache points for a model that keeps nothing',
    /did not allow prompt caching/,
    { messages: [user({ text: 'x' }, { cachePoint: { type: 'default' } })] },
    'meta.llama3',
  ],
  [
    'five cache points',
    /maximum of 4/,
    { messages: [user(...[1, 2, 3, 4, 5].flatMap((n) => [{ text: String(n) }, { cachePoint: { type: 'default' } }]))] },
  ],
  [
    'an open schema',
    /additionalProperties/,
    {
      messages: [user()],
      outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { schema: '{"type":"object"}' } } } },
    },
  ],
  ['odd metadata', /requestMetadata/, { messages: [user()], requestMetadata: { a: 'b|c' } }],
]

for (const [about, words, body, model] of refused)
  test(`the simulated Bedrock refuses ${about}`, () => {
    const answer = ask(body, model)
    const said = JSON.parse(String(bodyOf(answer))) as { readonly message: string } // every error has one
    assert.match(said.message, words)
    assert.ok(answer.status === 400 || answer.status === 403)
    assert.match(answer.headers['x-amzn-errortype'] ?? '', /Exception$/)
  })

test('the simulated Bedrock takes what is right', () => {
  for (const body of [
    { messages: [user()] },
    { messages: [...called, user(result(), { text: 'and?' })], toolConfig },
    { messages: [user({ text: 'x' }, png, pdf('a b (1)'), { cachePoint: { type: 'default', ttl: '1h' } })] },
    {
      messages: [user()],
      additionalModelRequestFields: thinking,
      inferenceConfig: { maxTokens: 4000, temperature: 1 },
    },
  ])
    assert.equal(ask(body).status, 200)
})

const NOW = Date.UTC(2026, 0, 1, 12)
const KEY = 'AKIDEXAMPLE:secret'

/** A request signed by the book. */
function signed(change: Partial<MockRequest> = {}, id = 'AKIDEXAMPLE', secret = 'secret', token?: string): MockRequest {
  const bytes = Buffer.from('{"messages":[]}')
  const path = '/model/a%3A0/converse'
  const date = '20260101T120000Z'
  const headers: Record<string, string> = {
    host: '127.0.0.1:1',
    'x-amz-date': date,
    ...(token === undefined ? {} : { 'x-amz-security-token': token }),
  }
  const names = Object.keys(headers).join(';')
  const sha = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex')
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}`)
  const canonical = ['POST', '/model/a%253A0/converse', '', ...lines, '', names, sha(bytes)].join('\n')
  const scope = '20260101/eu-west-1/bedrock/aws4_request'
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${secret}`)
  const signature = hmac(Buffer.from(key), ['AWS4-HMAC-SHA256', date, scope, sha(canonical)].join('\n')).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return {
    method: 'POST',
    path,
    query: new URLSearchParams(),
    headers: { ...headers, authorization },
    body: {},
    bytes,
    ...change,
  }
}

test('the simulated Bedrock takes a right signature', () => {
  assert.doesNotThrow(() => checkSignature(signed(), KEY, NOW))
  assert.doesNotThrow(() => checkSignature(signed({ headers: { authorization: 'Bearer api-key' } }), 'api-key', NOW))
})

const headersOf = (more: object): MockRequest['headers'] => ({ ...signed().headers, ...more })
for (const [about, words, request, now = NOW] of [
  ['no signature', /Missing Authentication Token/, signed({ headers: {} })],
  ['another scheme', /requires existence/, signed({ headers: { authorization: 'Bearer x' } })],
  ['an unknown key', /token included in the request is invalid/, signed({}, 'AKIDOTHER')],
  ['a wrong secret', /does not match/, signed({}, 'AKIDEXAMPLE', 'other')],
  ['another body', /does not match/, signed({ bytes: Buffer.from('{}') })],
  ['another path', /does not match/, signed({ path: '/model/b/converse' })],
  ['another query', /does not match/, signed({ query: new URLSearchParams('a=b') })],
  ['another host', /does not match/, signed({ headers: headersOf({ host: 'evil' }) })],
  [
    'a header of AWS’s that is not signed',
    /must be a 'SignedHeader'/,
    signed({ headers: headersOf({ 'x-amz-target': 'x' }) }),
  ],
  ['an old date', /Signature expired/, signed(), NOW + 301_000],
  ['a token that is not of the key', /is invalid/, signed({ headers: headersOf({ 'x-amz-security-token': 'x' }) })],
] as const)
  test(`the simulated Bedrock refuses a request with ${about}`, () => {
    assert.throws(
      () => checkSignature(request, KEY, now),
      (error: Error) => error instanceof Refusal && words.test(error.message),
    )
  })

test('the simulated STS gives keys that the simulated Bedrock takes, for a token and a role', () => {
  const request = (form: Record<string, string>): MockRequest => ({
    ...signed(),
    path: '/',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    bytes: Buffer.from(new URLSearchParams(form).toString()),
  })
  const form = {
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: 'arn:aws:iam::123456789012:role/r',
    RoleSessionName: 'tradewind',
    WebIdentityToken: 'a.b.c',
  }
  assert.ok(asksSts(request(form)))
  const answer = String(bodyOf(sts(request(form), NOW)))
  const of = (name: string): string => new RegExp(`<${name}>(.*)</${name}>`).exec(answer)?.[1] ?? ''
  const role = signed({}, of('AccessKeyId'), of('SecretAccessKey'), of('SessionToken'))
  assert.doesNotThrow(() => checkSignature(role, KEY, NOW))
  for (const wrong of [
    { Action: 'GetCallerIdentity' },
    { RoleArn: 'role' },
    { RoleSessionName: 'a b' },
    { WebIdentityToken: 'no jwt' },
  ])
    assert.equal(sts(request({ ...form, ...wrong }), NOW).status, 400)
})
