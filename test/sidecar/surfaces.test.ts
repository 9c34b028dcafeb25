import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import OpenAI, { NotFoundError } from 'openai'
import { compiled, dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstreams } from '../helpers/upstream.ts'

const messages = [{ role: 'user' as const, content: 'Say hello.' }]
const sdk = (baseURL: string) => new OpenAI({ baseURL, apiKey: 'the-callers-own', maxRetries: 0 })

async function oneTarget(t: Parameters<typeof dataPath>[0]) {
  const [a] = await upstreams(t, {})
  const sidecar = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [endpoint('a', `${a.url}/v1`)],
  })
  return { a, ...sidecar }
}

test('surfaces: chat, completions and embeddings through the SDK, with the base URL ending in /v1 or not', async (t) => {
  const { a, url } = await oneTarget(t)
  for (const base of [url, `${url}/v1`]) {
    const client = sdk(base)
    const chat = await client.chat.completions.create({ model: 'chat', messages })
    assert.equal(chat.choices[0]?.finish_reason, 'stop')
    assert.ok((chat.usage?.total_tokens ?? 0) > 0)
    const completion = await client.completions.create({ model: 'chat', prompt: 'Say' })
    assert.equal(typeof completion.choices[0]?.text, 'string')
    const embedding = await client.embeddings.create({ model: 'chat', input: 'hello' })
    assert.ok((embedding.data[0]?.embedding.length ?? 0) > 0)
  }
  assert.deepEqual([...new Set(a.requests().map(({ model }) => model))], ['a-model'], 'the model is the target’s')
})

test('surfaces: streamed chat and completions', async (t) => {
  const { url, telemetry } = await oneTarget(t)
  const client = sdk(`${url}/v1`)
  let text = ''
  let usage = false
  for await (const chunk of await client.chat.completions.create({ model: 'chat', messages, stream: true })) {
    text += chunk.choices[0]?.delta.content ?? ''
    usage ||= chunk.usage !== undefined && chunk.usage !== null
  }
  assert.ok(text.length > 0)
  assert.equal(usage, false, 'usage was not asked for by the caller')
  assert.ok((telemetry.exchanges[0]?.usage?.output ?? 0) > 0, 'and is known all the same')
  assert.equal(telemetry.exchanges[0]?.usage?.estimated, undefined)
  const stream = await client.chat.completions.create({
    model: 'chat',
    messages,
    stream: true,
    stream_options: { include_usage: true },
  })
  for await (const chunk of stream) usage ||= (chunk.usage?.total_tokens ?? 0) > 0
  assert.equal(usage, true, 'the caller gets it where it asks')
  for await (const chunk of await client.completions.create({ model: 'chat', prompt: 'Say', stream: true }))
    text += chunk.choices[0]?.text ?? ''
})

test('surfaces: /v1/models lists what the routes offer, one by one too', async (t) => {
  const { url, apply } = await oneTarget(t)
  const client = sdk(`${url}/v1`)
  const models = await client.models.list()
  assert.deepEqual(
    models.data.map(({ id }) => id),
    ['chat'],
  )
  assert.equal((await client.models.retrieve('chat')).id, 'chat')
  await assert.rejects(client.models.retrieve('other'), NotFoundError)
  apply({
    routes: [route('any', [rule([target('a')])], { models: ['*', 'org/name'] })],
    endpoints: [endpoint('a', 'http://127.0.0.1:1/v1')],
  })
  assert.equal((await client.models.retrieve('org/name')).id, 'org/name')
  assert.equal((await client.models.retrieve('whatever')).id, 'whatever')
})

test('surfaces: a model that no route has is a 404 that lists what is served', async (t) => {
  const { a, url } = await oneTarget(t)
  await assert.rejects(sdk(url).chat.completions.create({ model: 'gpt-9', messages }), (error: unknown) => {
    assert.ok(error instanceof NotFoundError)
    assert.equal(error.code, 'model_not_found')
    assert.match(error.message, /"gpt-9".*chat/)
    return true
  })
  assert.equal(a.stats().requests, 0)
})

test('surfaces: every answer names how it came about', async (t) => {
  const { url } = await oneTarget(t)
  const post = (model: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify({ model, messages }), headers })
  const good = await post('chat', { 'x-request-id': 'mine-1' })
  assert.equal(good.headers.get('x-request-id'), 'mine-1')
  assert.equal(good.headers.get('x-tradewind-route'), 'ai/chat')
  assert.equal(good.headers.get('x-tradewind-rule'), 'all')
  assert.equal(good.headers.get('x-tradewind-endpoint'), 'ai/a')
  assert.equal(good.headers.get('x-tradewind-model'), 'a-model')
  assert.equal(good.headers.get('x-tradewind-attempts'), '1')
  const bad = await post('other')
  assert.match(bad.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
  assert.equal(bad.headers.get('x-tradewind-attempts'), '0')
  const body = (await bad.json()) as { request_id: string }
  assert.equal(body.request_id, bad.headers.get('x-request-id'))
})

test('surfaces: without a configuration, 503 with the reason', async (t) => {
  const { url } = await dataPath(t)
  for (const path of ['/v1/chat/completions', '/v1/models', '/other']) {
    const answer = await fetch(url + path, path.endsWith('ns') ? { method: 'POST', body: '{"model":"a"}' } : {})
    assert.equal(answer.status, 503)
    assert.match(await answer.text(), /no configuration/)
  }
})

const bad: [name: string, path: string, init: RequestInit, status: number, code: string][] = [
  ['no JSON', '/v1/chat/completions', { method: 'POST', body: '{"model": "chat",}' }, 400, 'invalid_json'],
  ['half a JSON', '/v1/chat/completions', { method: 'POST', body: '{"model": "ch' }, 400, 'invalid_json'],
  ['no body', '/v1/chat/completions', { method: 'POST' }, 400, 'invalid_json'],
  ['a list', '/v1/chat/completions', { method: 'POST', body: '[]' }, 400, 'invalid_json'],
  ['no model', '/v1/chat/completions', { method: 'POST', body: '{}' }, 400, 'model_required'],
  ['a model that is no text', '/v1/embeddings', { method: 'POST', body: '{"model":1}' }, 400, 'model_required'],
  ['GET', '/v1/chat/completions', { method: 'GET' }, 405, 'method_not_allowed'],
  ['POST to models', '/v1/models', { method: 'POST', body: '{}' }, 405, 'method_not_allowed'],
  ['another path', '/v1/nothing', { method: 'POST', body: '{}' }, 404, 'path_not_found'],
  ['a body above the limit', '/v1/chat/completions', { method: 'POST', body: 'x'.repeat(2000) }, 413, 'body_too_large'],
  [
    'a compressed body',
    '/v1/chat/completions',
    { method: 'POST', body: 'x', headers: { 'content-encoding': 'gzip' } },
    415,
    'encoding_not_supported',
  ],
]

for (const [name, path, init, status, code] of bad)
  test(`surfaces: ${name} is refused with ${status}, and nobody is asked`, async (t) => {
    const [a] = await upstreams(t, {})
    const { url } = await dataPath(
      t,
      { routes: [route('chat', [rule([target('a')])])], endpoints: [endpoint('a', `${a.url}/v1`)] },
      { bodyLimit: 1000 },
    )
    const answer = await fetch(url + path, init)
    assert.equal(answer.status, status)
    const { error } = (await answer.json()) as { error: { code: string; message: string; type: string } }
    assert.equal(error.code, code)
    assert.equal(error.type, 'invalid_request_error')
    if (code === 'invalid_json') assert.match(error.message, /byte \d+/)
    assert.equal(a.stats().requests, 0)
  })

test('surfaces: a body above the limit that does not say its length is refused too', async (t) => {
  const { port } = await dataPath(t, {}, { bodyLimit: 1000 })
  const outgoing = request({ port, path: '/v1/chat/completions', method: 'POST', agent: false })
  for (let i = 0; i < 10; i++) outgoing.write('x'.repeat(300))
  outgoing.end()
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  assert.equal(answer.statusCode, 413)
  answer.resume()
})

test('surfaces: a configuration that is refused changes nothing', async (t) => {
  const { url, path } = await oneTarget(t)
  const problems = path.configuration.apply(
    compiled({ routes: [route('chat', [rule([target('missing')])])], endpoints: [] }),
  )
  assert.equal(problems[0]?.resource, 'route/ai/chat')
  assert.equal(problems[0]?.path, '/rules/0/targets/0')
  assert.match(problems[0]?.message ?? '', /ai\/missing/)
  const answer = await sdk(url).chat.completions.create({ model: 'chat', messages })
  assert.equal(answer.choices.length, 1)
})
