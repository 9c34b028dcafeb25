import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledEndpoint, CompiledRule } from '../../api/compiled.ts'
import type { MockOptions } from '../../cli/mock/server.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { torrent } from '../helpers/torrent.ts'
import { upstream } from '../helpers/upstream.ts'

/** Streams that are said anew on their way, and what must be as with any other: nothing left behind, breakers, leaving, back-pressure. */

const said = 'Say something of some length.'
const messages = [{ role: 'user', content: said }]

const callers = {
  chat: { path: '/v1/chat/completions', body: { model: 'chat', stream: true, messages } },
  responses: { path: '/v1/responses', body: { model: 'chat', stream: true, input: said } },
  messages: { path: '/v1/messages', body: { model: 'chat', stream: true, max_tokens: 500, messages } },
  gemini: {
    path: '/v1beta/models/chat:streamGenerateContent?alt=sse',
    body: { contents: [{ role: 'user', parts: [{ text: said }] }] },
  },
  converse: { path: '/model/chat/converse-stream', body: { messages: [{ role: 'user', content: [{ text: said }] }] } },
} as const
type Caller = keyof typeof callers

const providers = {
  openai: { type: 'OpenAI', model: 'gpt-4o', base: '/v1' },
  anthropic: { type: 'Anthropic', model: 'claude-sonnet-4-5', base: '' },
  gemini: { type: 'Gemini', model: 'gemini-2.5-flash', base: '' },
  cohere: { type: 'Cohere', model: 'command-a-03-2025', base: '' },
} as const
type Provider = keyof typeof providers

/** Pairs in which every event is read and written anew. */
const pairs: readonly (readonly [Caller, Provider])[] = [
  ['chat', 'anthropic'],
  ['messages', 'openai'],
  ['responses', 'gemini'],
  ['gemini', 'cohere'],
  ['converse', 'anthropic'],
]

function endpointOf(name: string, provider: Provider, url: string, rest: Partial<CompiledEndpoint> = {}) {
  const { type, model, base } = providers[provider]
  return endpoint(name, url + base, {
    provider: { type },
    models: [{ name: model, rank: 0, defaults: {}, force: {} }],
    ...rest,
  })
}

const to = (name: string, provider: Provider, priority = 0) =>
  target(name, { model: providers[provider].model, priority })

async function sidecar(
  t: TestContext,
  mocks: readonly (MockOptions & { readonly provider: Provider })[],
  rest: Partial<CompiledRule> = {},
  at: Partial<CompiledEndpoint> = {},
) {
  const started = await Promise.all(mocks.map((it) => upstream(t, it)))
  const names = ['a', 'b', 'c']
  const parts = (extra: Partial<CompiledEndpoint> = {}) => ({
    routes: [
      route('chat', [
        rule(
          mocks.map(({ provider }, i) => to(names[i] ?? '', provider, i)),
          rest,
        ),
      ]),
    ],
    endpoints: mocks.map(({ provider }, i) =>
      endpointOf(names[i] ?? '', provider, started[i]?.url ?? '', { ...at, ...extra }),
    ),
  })
  const running = await dataPath(t, parts())
  return { ...running, mocks: started, parts }
}

/** Asks, and leaves `after` so many ms, if it has not been answered by then. */
function leave(port: number, caller: Caller, after: number): Promise<unknown> {
  const { path, body } = callers[caller]
  const headers = { 'content-type': 'application/json' }
  const outgoing = request({ port, path, method: 'POST', headers, agent: false })
  outgoing.on('response', (answer) => answer.on('error', () => {}).resume())
  outgoing.on('error', () => {})
  outgoing.end(JSON.stringify(body))
  const timer = setTimeout(() => outgoing.destroy(), after)
  return new Promise((resolve) =>
    outgoing.on('close', () => {
      clearTimeout(timer)
      resolve(undefined)
    }),
  )
}

async function nothingLeft({ path, mocks }: Awaited<ReturnType<typeof sidecar>>): Promise<void> {
  await eventually(() => assert.equal(path.traffic.busy, 0))
  await eventually(() =>
    assert.deepEqual(
      mocks.map((mock) => mock.stats().open),
      mocks.map(() => 0),
    ),
  )
  const endpoints = [...(path.configuration.runtime?.endpoints.values() ?? [])]
  for (const { name, load, models, addresses } of endpoints) {
    assert.equal(load.inFlight, 0, name)
    for (const { state } of models.values()) assert.equal(state.ewma.inFlight, 0, `${name}: the model's own`)
    for (const { ewma } of addresses) assert.equal(ewma.inFlight, 0, `${name}: the address's own`)
  }
}

const slow = { tokens: 40, tokensPerSecond: 400 }

for (const [caller, provider] of pairs)
  test(`translated: ${caller} by ${provider}: callers leave at any time, and the configuration changes meanwhile`, async (t) => {
    const running = await sidecar(t, [{ provider, ...slow }])
    for (let i = 0; i < 5; i++) {
      const asked = Array.from({ length: 12 }, (_, j) => leave(running.port, caller, (i * 17 + j * 11) % 140))
      assert.deepEqual(running.apply(running.parts({ maxInFlight: 100 + i })), [])
      await Promise.all(asked)
    }
    await nothingLeft(running)
    assert.ok(running.telemetry.exchanges.some(({ aborted }) => aborted))
  })

for (const [what, mocks, rest] of [
  [
    'hedged',
    [
      { provider: 'anthropic', ttft: '60ms', ...slow },
      { provider: 'gemini', ...slow },
    ],
    { hedge: { after: 20, percent: 100 } },
  ],
  [
    'rescued',
    [
      { provider: 'anthropic', faults: ['cut,bytes=900,how=reset'], ...slow },
      { provider: 'openai', ...slow },
    ],
    {},
  ],
  [
    'rescued without end',
    [
      { provider: 'cohere', faults: ['cut,bytes=900,how=reset'] },
      { provider: 'anthropic', faults: ['cut,bytes=1400,how=reset'] },
    ],
    {},
  ],
] as const)
  test(`translated: ${what}: whether callers stay or leave, nothing is left behind`, async (t) => {
    const running = await sidecar(t, mocks, rest)
    for (const caller of ['chat', 'messages', 'responses'] as const)
      for (let i = 0; i < 3; i++)
        await Promise.all(
          Array.from({ length: 8 }, (_, j) => leave(running.port, caller, j === 0 ? 5000 : (i * 13 + j * 9) % 150)),
        )
    await nothingLeft(running)
  })

for (const [caller, provider] of pairs)
  test(`translated: ${caller} by ${provider}: a caller that leaves in the midst ends the call within 100 ms`, async (t) => {
    const { port, mocks } = await sidecar(t, [{ provider, faults: ['stall-body,after=4'] }])
    const open = () => mocks[0]?.stats().open
    const tried: number[] = []
    // A busy machine may keep us from it once, but not each time.
    for (let i = 0; i < 6 && (tried.at(-1) ?? Infinity) >= 100; i++) {
      const { path, body } = callers[caller]
      const outgoing = request({
        port,
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        agent: false,
      })
      outgoing.on('error', () => {})
      outgoing.end(JSON.stringify(body))
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
      answer.on('error', () => {})
      await once(answer, 'data')
      const left = performance.now()
      outgoing.destroy()
      await eventually(() => assert.equal(open(), 0), { every: 1 })
      tried.push(performance.now() - left)
    }
    assert.ok((tried.at(-1) ?? Infinity) < 100, tried.join())
  })

const breaker = {
  consecutive: 3,
  percent: 50,
  minimum: 1000,
  within: 30_000,
  openFor: 1000,
  probes: 1,
  rampUp: [100],
}

test('translated: a stream probes a breaker: one that is left gives its place back, one that is whole closes it', async (t) => {
  const running = await sidecar(
    t,
    [{ provider: 'anthropic', faults: ['status=500'] }, { provider: 'gemini' }],
    {},
    { breaker },
  )
  const { port, path, mocks } = running
  const [a] = mocks
  const state = () =>
    path.configuration.runtime?.endpoints.get('ai/a')?.models.get('claude-sonnet-4-5')?.state.breaker.state
  for (let i = 0; i < 3; i++) await leave(port, 'chat', 5000)
  assert.equal(state(), 'open')
  const asked = () => a?.stats().requests ?? 0
  // The probe's caller leaves in the midst of it.
  await a?.setFaults(['stall-body,after=4'])
  const before = asked()
  await eventually(async () => {
    await leave(port, 'chat', 150)
    assert.ok(asked() > before)
  })
  await a?.setFaults([])
  await eventually(async () => {
    await leave(port, 'chat', 5000)
    assert.equal(state(), 'closed')
  })
  await nothingLeft(running)
})

test('translated: a caller that does not read holds the target back, and loses nothing', async (t) => {
  const delta = { index: 0, delta: { type: 'text_delta', text: 'x'.repeat(1000) } }
  const event = (type: string, data: object = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
  const usage = { input_tokens: 1, output_tokens: 1 }
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage }
  const { url, readLate } = await torrent(t, {
    opening:
      event('message_start', { message }) +
      event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event: event('content_block_delta', delta),
    closing:
      event('content_block_stop', { index: 0 }) +
      event('message_delta', { delta: { stop_reason: 'end_turn' }, usage }) +
      event('message_stop'),
  })
  const { port } = await dataPath(t, {
    routes: [route('chat', [rule([to('a', 'anthropic')])])],
    endpoints: [
      endpointOf('a', 'anthropic', url, {
        // A caller that takes its time is no stall of the target's.
        timeouts: { connect: 1000, firstToken: 1000, idle: 800, attempt: 60_000 },
      }),
    ],
  })
  const { path, body } = callers.chat
  const outgoing = request({ port, path, method: 'POST', agent: false })
  outgoing.end(JSON.stringify(body))
  assert.match(await readLate(outgoing, 1000), /\[DONE\]\n\n$/)
})
