import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledEndpoint, CompiledRule } from '../../api/compiled.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'

const KEY = 'triton-secret'

/** A route `fraud` to the model `fraud-v2/a` of one simulated server, and to that of a second after it. */
async function lab(t: TestContext, rest: Partial<CompiledRule> = {}) {
  const options = { provider: 'open-inference', apiKey: KEY, models: ['fraud-v2/a'] }
  const [a, b] = await upstreams(t, options, options)
  const common: Partial<CompiledEndpoint> = {
    provider: { type: 'OpenInference' },
    credentials: { type: 'Secret', secret: { secret: 'ai/key', key: 'key' } },
    models: [{ name: 'fraud-v2/a', rank: 0, defaults: {}, force: {} }],
  }
  const to = (name: string, priority = 0) => target(name, { model: 'fraud-v2/a', priority })
  const path = await dataPath(t, {
    routes: [route('fraud', [rule([to('a'), to('b', 1)], rest)])],
    endpoints: [endpoint('a', a.url, common), endpoint('b', `${b.url}/`.replace(/\/$/, ''), common)],
    secrets: { 'ai/key': { data: { key: KEY } } },
  })
  return { a, b, ...path }
}

const inputs = [{ name: 'INPUT0', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] }]
const post = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

test('inference: a model is routed by its name, which is the target’s own on the way out', async (t) => {
  const { url, a, telemetry } = await lab(t)
  const response = await fetch(`${url}/v2/models/fraud/infer`, post({ id: '1', inputs }))
  assert.equal(response.status, 200)
  assert.deepEqual(await response.json(), {
    model_name: 'fraud-v2/a',
    model_version: '1',
    id: '1',
    outputs: [{ name: 'OUTPUT0', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] }],
  })
  assert.equal(response.headers.get('x-tradewind-model'), 'fraud-v2/a')
  assert.equal(a.requests()[0]?.path, '/v2/models/fraud-v2%2Fa/infer')
  const versioned = await fetch(`${url}/v2/models/fraud/versions/2/infer`, post({ inputs }))
  assert.equal(Object(await versioned.json()).model_version, '2')
  assert.equal(a.requests()[1]?.path, '/v2/models/fraud-v2%2Fa/versions/2/infer')
  await eventually(() => assert.equal(telemetry.exchanges.length, 2))
  const [facts] = telemetry.exchanges
  assert.deepEqual([facts?.surface, facts?.requestedModel, facts?.model], ['infer', 'fraud', 'fraud-v2/a'])
})

test('inference: tensors as bytes pass untouched, both ways', async (t) => {
  const { url, a } = await lab(t)
  const tensor = Buffer.from(Float32Array.from([1.5, -2.5]).buffer)
  const head = Buffer.from(
    JSON.stringify({
      inputs: [{ name: 'INPUT0', shape: [2], datatype: 'FP32', parameters: { binary_data_size: tensor.length } }],
      parameters: { binary_data_output: true },
    }),
  )
  const ask = () =>
    fetch(`${url}/v2/models/fraud/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) },
      body: Buffer.concat([head, tensor]),
    })
  const check = async (response: Response): Promise<void> => {
    assert.equal(response.status, 200)
    const body = Buffer.from(await response.arrayBuffer())
    const size = Number(response.headers.get('inference-header-content-length'))
    assert.deepEqual(body.subarray(size), tensor)
    assert.equal(JSON.parse(body.toString('utf8', 0, size)).outputs[0].parameters.binary_data_size, tensor.length)
  }
  await check(await ask())
  // One that is cut is asked for again elsewhere.
  await a.setFaults(['cut=10'])
  await check(await ask())
})

test('inference: retries, fallback and the breaker are those of any model', async (t) => {
  const { url, a, b, telemetry } = await lab(t, { retry: { attempts: 1, when: ['Status5xx'] } })
  await a.setFaults(['status=503'])
  const response = await fetch(`${url}/v2/models/fraud/infer`, post({ inputs }))
  assert.equal(response.status, 200)
  assert.deepEqual([a.requests().length, b.requests().length], [2, 1])
  await a.setFaults(['error-200'])
  const again = await fetch(`${url}/v2/models/fraud/infer`, post({ inputs }))
  assert.equal(again.status, 200)
  assert.equal(b.requests().length, 2)
  await eventually(() => assert.equal(telemetry.exchanges.length, 2))
})

test('inference: what is asked of a model besides', async (t) => {
  const { url } = await lab(t)
  const get = async (path: string): Promise<unknown> => (await fetch(`${url}${path}`)).json()
  assert.deepEqual(await get('/v2/models/fraud/ready'), { name: 'fraud-v2/a', ready: true })
  assert.equal(Object(await get('/v2/models/fraud')).platform, 'mock')
  assert.equal(Object(await get('/v2/models/fraud/versions/2/ready')).ready, true)
  assert.deepEqual(await get('/v2/health/live'), { live: true })
  assert.deepEqual(await get('/v2/health/ready'), { ready: true })
})

test('inference: errors are in the protocol’s form, ours and the server’s', async (t) => {
  const { url } = await lab(t)
  const unknown = await fetch(`${url}/v2/models/other/infer`, post({ inputs }))
  assert.equal(unknown.status, 404)
  assert.match(Object(await unknown.json()).error, /^No route on this pod serves that model\. Asked for "other"/)
  const wrong = await fetch(`${url}/v2/models/fraud/infer`, post({ inputs: [] }))
  assert.equal(wrong.status, 400)
  assert.match(Object(await wrong.json()).error, /^Unable to parse 'inputs'/)
  const method = await fetch(`${url}/v2/models/fraud/infer`)
  assert.equal(method.status, 405)
})

test('inference: a provider of language models has nothing for it, and says so', async (t) => {
  const [mock] = await upstreams(t, {})
  const { url } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [endpoint('a', `${mock.url}/v1`)],
  })
  const response = await fetch(`${url}/v2/models/chat/infer`, post({ inputs }))
  assert.match(Object(await response.json()).error, /has nothing for \/v2\/models\/chat\/infer/)
  assert.equal(mock.requests().length, 0)
})
