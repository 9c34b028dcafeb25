import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import type { CompiledEndpoint } from '../../api/compiled.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'

const KEY = 'sk-secret'
const common: Partial<CompiledEndpoint> = {
  credentials: { type: 'Secret', secret: { secret: 'ai/key', key: 'key' } },
  models: [{ name: 'gpt-realtime mini', rank: 0, defaults: {}, force: {} }],
}
const secrets = { 'ai/key': { data: { key: KEY } } }
const to = (name: string, priority = 0) => target(name, { model: 'gpt-realtime mini', priority })

/** A route `voice` to a simulated OpenAI, and to a simulated Azure after it. */
async function lab(t: TestContext, apiVersion = 'v1') {
  const [openai, azure] = await upstreams(t, { provider: 'openai', apiKey: KEY }, { provider: 'azure', apiKey: KEY })
  const path = await dataPath(t, {
    routes: [route('voice', [rule([to('a'), to('b', 1)])]), route('azure', [rule([to('b')])])],
    endpoints: [
      endpoint('a', `${openai.url}/v1`, { provider: { type: 'OpenAI' }, ...common }),
      endpoint('b', azure.url, { provider: { type: 'AzureOpenAI', settings: { apiVersion } }, ...common }),
    ],
    secrets,
  })
  return { openai, azure, ...path }
}

interface Event {
  readonly type: string
  readonly session?: { readonly model?: string }
  readonly response?: { readonly output?: readonly string[] }
}

/** Opens a WebSocket and gathers its events, until the test ends. */
async function open(
  t: TestContext,
  url: string,
  protocols: readonly string[] = [],
  headers: Record<string, string> = {},
) {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), [...protocols], { headers })
  t.after(() => socket.terminate())
  const events: Event[] = []
  socket.on('message', (data) => events.push(JSON.parse(Buffer.isBuffer(data) ? data.toString() : '') as Event)) // the mock's events have a type
  await once(socket, 'open')
  const heard = (type: string) => eventually(() => assert.ok(events.some((event) => event.type === type)))
  return { socket, events, heard, say: (event: object) => socket.send(JSON.stringify(event)) }
}

test('realtime: a WebSocket goes to the model that its query names, under the provider’s own name', async (t) => {
  const { url, openai, telemetry } = await lab(t)
  const { events, heard, say, socket } = await open(t, `${url}/v1/realtime?model=voice&x=1`, [], {
    authorization: 'Bearer caller',
    'openai-beta': 'realtime=v1',
  })
  await heard('session.created')
  assert.equal(events[0]?.session?.model, 'gpt-realtime mini')
  say({ type: 'conversation.item.create', item: { content: [{ type: 'input_text', text: 'ahoy' }] } })
  say({ type: 'response.create' })
  await heard('response.done')
  assert.match(events.at(-1)?.response?.output?.[0] ?? '', /^a heard: ahoy/)
  const [seen] = openai.requests()
  assert.deepEqual([seen?.path, seen?.model], ['/v1/realtime', 'gpt-realtime mini'])
  assert.equal(seen?.headers['authorization'], `Bearer ${KEY}`)
  assert.equal(seen?.headers['openai-beta'], 'realtime=v1')
  socket.close()
  await eventually(() => assert.equal(telemetry.exchanges.length, 1))
  const [facts] = telemetry.exchanges
  assert.deepEqual(
    [facts?.surface, facts?.route, facts?.requestedModel, facts?.model, facts?.status, facts?.code],
    ['realtime', 'ai/voice', 'voice', 'gpt-realtime mini', 101, undefined],
  )
})

test('realtime: a browser’s key in the subprotocol never goes on', async (t) => {
  const { url, openai } = await lab(t)
  const { socket, heard } = await open(t, `${url}/v1/realtime?model=voice`, [
    'realtime',
    'openai-insecure-api-key.sk-caller',
  ])
  await heard('session.created')
  assert.equal(socket.protocol, 'realtime')
  const said = JSON.stringify(openai.requests()[0]?.headers)
  assert.ok(!said.includes('sk-caller') && !said.includes('insecure'), said)
})

for (const [version, path] of [
  ['v1', '/openai/v1/realtime'],
  ['2024-10-01-preview', '/openai/realtime'],
] as const)
  test(`realtime: Azure has it too, with its own header and query (${version})`, async (t) => {
    const { url, azure } = await lab(t, version)
    const { heard, events } = await open(t, `${url}/v1/realtime?model=azure`, [], { 'api-key': 'caller' })
    await heard('session.created')
    assert.equal(events[0]?.session?.model, 'gpt-realtime mini')
    assert.deepEqual([azure.requests()[0]?.path, azure.requests()[0]?.headers['api-key']], [path, KEY])
  })

test('realtime: a target that is not there is passed over for the next', async (t) => {
  const { url, openai } = await lab(t)
  await openai.close()
  const { heard } = await open(t, `${url}/v1/realtime?model=voice`)
  await heard('session.created')
})

test('realtime: a model without a route, and a provider without realtime, are refused before anything opens', async (t) => {
  const [mock] = await upstreams(t, { provider: 'mistral' })
  const { url } = await dataPath(t, {
    routes: [route('m', [rule([to('a')])])],
    endpoints: [endpoint('a', `${mock.url}/v1`, { provider: { type: 'Mistral' }, ...common })],
    secrets,
  })
  const refused = async (model: string): Promise<number | undefined> => {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/realtime?model=${model}`)
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode?: number; destroy(): void },
    ] // as ws emits it
    response.destroy()
    return response.statusCode
  }
  assert.equal(await refused('other'), 404)
  assert.equal(await refused('m'), 400)
  assert.equal(mock.requests().length, 0)
})

test('realtime: a rule that names the path keeps it', async (t) => {
  const [echo, openai] = await upstreams(t, { echo: true }, { provider: 'openai', apiKey: KEY })
  const { url } = await dataPath(t, {
    routes: [
      route('voice', [rule([to('a')])]),
      route(
        'pipe',
        [
          rule([target('e', { model: '' })], {
            matches: [{ headers: [], path: { type: 'Prefix', value: '/v1/realtime' } }],
          }),
        ],
        { models: [] },
      ),
    ],
    endpoints: [
      endpoint('a', `${openai.url}/v1`, { provider: { type: 'OpenAI' }, ...common }),
      endpoint('e', echo.url, { provider: { type: 'HTTP' }, models: [{ name: '', rank: 0, defaults: {}, force: {} }] }),
    ],
    secrets,
  })
  const { say, heard } = await open(t, `${url}/v1/realtime?model=voice`)
  say({ type: 'mine' })
  await heard('mine')
  assert.equal(openai.requests().length, 0)
})
