import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { request } from 'undici'
import { awsEvent, awsException } from '../../core/aws-event-stream.ts'
import { frameParser } from '../../core/framing.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstream } from '../helpers/upstream.ts'

/** Converse from end to end without an SDK: what passes untouched, and what becomes of streams that are none. */

const provider = { type: 'Bedrock', settings: { region: 'eu-west-1' } } as const
const body = JSON.stringify({
  messages: [{ role: 'user', content: [{ text: 'Hello, “harbour”' }] }],
  inferenceConfig: { maxTokens: 50 },
})

async function post(url: string, bytes = body) {
  const answer = await request(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: bytes })
  return { status: answer.statusCode, headers: answer.headers, bytes: Buffer.from(await answer.body.arrayBuffer()) }
}

const typesOf = (bytes: Buffer): readonly string[] =>
  frameParser('aws-event-stream')
    .push(bytes)
    .map(({ type }) => type)

test('bedrock: Converse passes untouched, whole and streamed, with the model of the target in its path; usage is seen', async (t) => {
  const mock = await upstream(t, { provider: 'bedrock' })
  const id = 'eu.amazon.nova-lite-v1:0'
  const { url, telemetry } = await dataPath(t, {
    routes: [route('alias', [rule([target('e', { model: id })])])],
    endpoints: [endpoint('e', mock.url, { provider, models: [{ name: id, rank: 0, defaults: {}, force: {} }] })],
  })
  for (const operation of ['converse', 'converse-stream']) {
    const direct = await post(`${mock.url}/model/${encodeURIComponent(id)}/${operation}`)
    const through = await post(`${url}/model/alias/${operation}`)
    assert.equal(through.status, 200)
    assert.equal(through.headers['content-type'], direct.headers['content-type'])
    assert.deepEqual(through.bytes, direct.bytes)
    const [, got] = mock.requests().slice(-2)
    assert.deepEqual([got?.path, got?.body], [`/model/eu.amazon.nova-lite-v1%3A0/${operation}`, body])
    const { usage } = telemetry.attempts.at(-1) ?? {}
    assert.ok(usage && usage.input > 0)
    assert.equal(usage.output, 16)
  }
})

test('bedrock: an ARN in the path, encoded or not, is the model that is asked for', async (t) => {
  const mock = await upstream(t, { provider: 'bedrock' })
  const arn = 'arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0'
  const { url } = await dataPath(t, {
    routes: [route('arn', [rule([target('e', { model: '*' })])], { models: [arn] })],
    endpoints: [endpoint('e', mock.url, { provider, models: [{ name: '*', rank: 0, defaults: {}, force: {} }] })],
  })
  for (const written of [encodeURIComponent(arn), arn, arn.replaceAll(':', '%3A')])
    assert.equal((await post(`${url}/model/${written}/converse`)).status, 200, written)
  assert.equal(mock.requests().at(-1)?.path, `/model/${encodeURIComponent(arn)}/converse`)
})

/** A server that answers each stream with these pieces, a turn of the event loop apart. */
async function serving(t: TestContext, pieces: readonly Buffer[]): Promise<string> {
  const server = createServer((_, res) => {
    res.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
    const next = (i: number): void => {
      const piece = pieces[i]
      if (!piece) res.end()
      else res.write(piece, () => setTimeout(() => next(i + 1), 5))
    }
    next(0)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo // it listens on a port
  return `http://127.0.0.1:${port}`
}

const start = awsEvent('messageStart', '{"role":"assistant"}')
const delta = awsEvent('contentBlockDelta', '{"contentBlockIndex":0,"delta":{"text":"Hello"}}')
const stop = awsEvent('messageStop', '{"stopReason":"end_turn"}')
const corrupt = Buffer.from(stop)
corrupt[30] = (corrupt[30] ?? 0) ^ 1

/** Bedrock first, and OpenAI where that fails before the first byte. */
async function both(t: TestContext, pieces: readonly Buffer[]) {
  const [first, openai] = [await serving(t, pieces), await upstream(t, { name: 'second' })]
  const targets = [target('e'), target('o', { priority: 1 })]
  return dataPath(t, {
    routes: [route('chat', [rule(targets)])],
    endpoints: [endpoint('e', first, { provider }), endpoint('o', `${openai.url}/v1`)],
  })
}

for (const [about, bad] of [
  ['an exception', awsException('throttlingException', '{"message":"Too many"}')],
  ['a wrong checksum', corrupt],
  ['what is no event stream', Buffer.from('data: {"error":{"message":"no"}}\n\n')],
] as const) {
  test(`bedrock: ${about} as the first of a stream is seen before anything goes on, and the next target answers`, async (t) => {
    const { url } = await both(t, [bad])
    const { status, bytes, headers } = await post(`${url}/model/chat/converse-stream`)
    assert.equal(status, 200)
    assert.equal(headers['x-tradewind-endpoint'], 'ai/o')
    const types = typesOf(bytes)
    assert.deepEqual([types[0], types.at(-2), types.at(-1)], ['messageStart', 'messageStop', 'metadata'])
  })

  test(`bedrock: ${about} in the middle of a stream ends it with an exception, for its own callers and for others`, async (t) => {
    const first = await serving(t, [start, delta, delta, bad])
    const { url } = await dataPath(t, {
      routes: [route('chat', [rule([target('e')])])],
      endpoints: [endpoint('e', first, { provider })],
    })
    const own = await post(`${url}/model/chat/converse-stream`)
    const types = typesOf(own.bytes)
    assert.deepEqual(types.slice(0, -1), ['messageStart', 'contentBlockDelta', 'contentBlockDelta'])
    assert.match(types.at(-1) ?? '', /Exception$/)
    const asked = JSON.stringify({ model: 'chat', stream: true, messages: [{ role: 'user', content: 'Hello' }] })
    const other = String((await post(`${url}/v1/chat/completions`, asked)).bytes)
    assert.match(other, /"content":"Hello"/)
    assert.match(other, /"error":\{/)
    assert.ok(!other.includes('[DONE]'))
  })
}

test('bedrock: a stream in pieces of any size is one stream', async (t) => {
  const bytes = Buffer.concat([start, delta, delta, stop])
  const pieces = Array.from({ length: Math.ceil(bytes.length / 37) }, (_, i) => bytes.subarray(i * 37, i * 37 + 37))
  const first = await serving(t, pieces)
  const { url } = await dataPath(t, {
    routes: [route('chat', [rule([target('e')])])],
    endpoints: [endpoint('e', first, { provider })],
  })
  assert.deepEqual((await post(`${url}/model/chat/converse-stream`)).bytes, bytes)
})
