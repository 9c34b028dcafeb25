import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { request } from 'undici'
import type { CompiledEndpoint, CompiledRule } from '../../api/compiled.ts'
import type { MockOptions } from '../../cli/mock/server.ts'
import { authority } from '../helpers/authority.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { event, scripted } from '../helpers/scripted.ts'
import { upstreams } from '../helpers/upstream.ts'

const messages = [{ role: 'user', content: 'Say something of some length.' }]
const pace = { tokens: 20, tokensPerSecond: 500 }
const vllm = { provider: { type: 'OpenAICompatible', settings: { preset: 'VLLM' } } } as const

interface Chunk {
  readonly id?: string
  readonly model?: string
  readonly created?: number
  readonly choices?: readonly {
    readonly delta: { readonly role?: string; readonly content?: string }
    readonly finish_reason: string | null
  }[]
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null
  readonly error?: { readonly code: string }
}

/** What a caller gets of a stream, looked at closely. */
async function ask(url: string, fields: object = {}) {
  const answer = await request(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat', messages, stream: true, stream_options: { include_usage: true }, ...fields }),
  })
  const raw = await answer.body.text()
  const data = raw
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice(6))
  const chunks = data.filter((it) => it !== '[DONE]').map((it): Chunk => JSON.parse(it))
  const choices = chunks.flatMap((chunk) => chunk.choices ?? [])
  return {
    status: answer.statusCode,
    raw,
    text: choices.map(({ delta }) => delta.content ?? '').join(''),
    roles: choices.filter(({ delta }) => delta.role !== undefined).length,
    finishes: choices.flatMap(({ finish_reason }) => finish_reason ?? []),
    heads: new Set(chunks.filter(({ error }) => !error).map(({ id, model, created }) => `${id} ${model} ${created}`)),
    usages: chunks.flatMap(({ usage }) => usage ?? []),
    done: data.filter((it) => it === '[DONE]').length,
    error: chunks.find(({ error }) => error)?.error?.code,
    trailer: answer.trailers['x-tradewind-rescue'],
  }
}

interface Setting {
  readonly first?: MockOptions
  readonly second?: MockOptions
  readonly rule?: Partial<CompiledRule>
  readonly endpoint?: Partial<CompiledEndpoint>
}

/** Two simulated servers of one model, the first of which fails. */
async function pair(t: TestContext, fault: string, setting: Setting = {}) {
  const both = { name: 'm', ...pace }
  const [a, b] = await upstreams(t, { ...both, faults: [fault], ...setting.first }, { ...both, ...setting.second })
  const timeouts = { connect: 10_000, firstToken: 10_000, idle: 300, attempt: 20_000 }
  const sidecar = await dataPath(t, {
    routes: [route('chat', [rule([target('a'), target('b', { priority: 1 })], setting.rule)])],
    endpoints: [
      endpoint('a', `${a.url}/v1`, { timeouts }),
      endpoint('b', `${b.url}/v1`, { timeouts, ...setting.endpoint }),
    ],
  })
  return { a, b, ...sidecar }
}

/** An answer that nothing happened to. */
async function undisturbed(t: TestContext, fields: object = {}) {
  const { url } = await pair(t, 'delay=0')
  return ask(url, fields)
}

const stops = [
  'stall-body,after=6',
  'cut,bytes=1400',
  'cut,bytes=1400,how=reset',
  'error-middle,after=6',
  'malformed,after=6',
  'truncate,after=6',
  'truncate,after=1',
  'no-finish',
]

for (const fault of stops)
  test(`rescue: ${fault}: the same answer from the next target goes on where the first stopped`, async (t) => {
    const { url, telemetry, b } = await pair(t, fault)
    const [seen, whole] = [await ask(url), await undisturbed(t)]
    assert.equal(seen.error, undefined)
    assert.equal(seen.text, whole.text)
    assert.deepEqual([seen.roles, seen.finishes, seen.done], [1, ['stop'], 1])
    assert.equal(seen.heads.size, 1, 'one answer has one id, one model, one time')
    assert.equal(seen.usages.at(-1)?.completion_tokens, 20)
    assert.equal(seen.trailer, 'replayed')
    assert.equal(b.stats().requests, 1)
    const [facts] = telemetry.exchanges
    assert.deepEqual(
      [facts?.code, facts?.error, facts?.rescue, facts?.finishReason, facts?.usage?.output, facts?.endpoint],
      [undefined, undefined, 'replayed', 'stop', 20, 'ai/b'],
    )
    const [first, second] = facts?.attempts ?? []
    assert.ok((first?.usage?.input ?? 0) > 0, 'what the first made is accounted for')
    assert.equal(second?.why, 'rescue')
  })

for (const fault of ['truncate,after=6', 'stall-body,after=6', 'error-middle,after=6'])
  test(`rescue: ${fault}: a target that takes the beginning of an answer goes on with it`, async (t) => {
    const { url, telemetry, b } = await pair(t, fault, { endpoint: vllm, second: { provider: 'vllm' } })
    const [seen, whole] = [await ask(url, { max_tokens: 500 }), await undisturbed(t)]
    assert.equal(seen.error, undefined)
    assert.equal(seen.text, whole.text)
    assert.deepEqual([seen.roles, seen.finishes, seen.done, seen.heads.size], [1, ['stop'], 1, 1])
    assert.equal(seen.trailer, 'continued')
    const sent = JSON.parse(b.requests().at(-1)?.body ?? '{}')
    assert.deepEqual(sent.messages[0], messages[0])
    assert.equal(sent.messages[1].role, 'assistant')
    assert.ok(whole.text.startsWith(sent.messages[1].content) && sent.messages[1].content.length > 0)
    assert.deepEqual([sent.continue_final_message, sent.add_generation_prompt], [true, false])
    assert.ok(sent.max_tokens < 500, 'what was said counts')
    const [facts] = telemetry.exchanges
    assert.deepEqual([facts?.rescue, facts?.usage?.output, facts?.usage?.estimated], ['continued', 20, true])
    assert.deepEqual(
      seen.usages.map(({ completion_tokens: tokens }) => tokens),
      [20],
    )
  })

test('rescue: one that fails again is rescued again, by the next', async (t) => {
  const both = { name: 'm', ...pace }
  const [a, b, c, d] = await upstreams(
    t,
    { ...both, faults: ['truncate,after=4'] },
    { ...both, faults: ['truncate,after=9'] },
    { ...both, faults: ['status=500'] },
    both,
  )
  const { url, telemetry } = await dataPath(t, {
    routes: [route('chat', [rule(['a', 'b', 'c', 'd'].map((name, priority) => target(name, { priority })))])],
    endpoints: [a, b, c, d].map((mock, i) => endpoint(String.fromCharCode(97 + i), `${mock.url}/v1`)),
  })
  const [seen, whole] = [await ask(url), await undisturbed(t)]
  assert.equal(seen.text, whole.text)
  assert.deepEqual([seen.error, seen.finishes, seen.heads.size, seen.trailer], [undefined, ['stop'], 1, 'replayed'])
  assert.deepEqual(
    telemetry.exchanges[0]?.attempts.map(({ endpoint, code }) => `${endpoint} ${code}`),
    ['ai/a upstream_truncated', 'ai/b upstream_truncated', 'ai/c upstream_error', 'ai/d undefined'],
  )
})

const tools = [
  {
    type: 'function',
    function: {
      name: 'weather',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
]

test('rescue: a call of a tool is gone on with only as the same call', async (t) => {
  for (const fault of ['truncate,after=2', 'truncate,after=3']) {
    const fields = { tools, tool_choice: 'required' }
    const { url } = await pair(t, fault)
    const [seen, whole] = [await ask(url, fields), await undisturbed(t, fields)]
    const pieces = (raw: string) =>
      [...raw.matchAll(/"arguments":"((?:[^"\\]|\\.)*)"/g)].map(([, piece]) => piece).join('')
    assert.equal(seen.error, undefined)
    assert.equal(pieces(seen.raw), pieces(whole.raw))
    assert.deepEqual([seen.finishes, seen.trailer], [['tool_calls'], 'replayed'])

    const other = await pair(t, fault, { second: { name: 'another' }, endpoint: vllm })
    const calls = await ask(other.url, { ...fields, messages: [{ role: 'user', content: 'The weather in Rome.' }] })
    assert.equal(calls.trailer === 'continued', false, 'never from within a call')
  }
})

test('rescue: an answer that another does not begin like ends in an error', async (t) => {
  const { url, telemetry } = await pair(t, 'truncate,after=6', { second: { name: 'another' } })
  const seen = await ask(url)
  assert.deepEqual([seen.error, seen.done, seen.finishes, seen.trailer], ['upstream_truncated', 0, [], 'failed'])
  assert.equal(telemetry.exchanges[0]?.rescue, 'failed')
})

test('rescue: an answer that another ends sooner, or without a word, ends in an error, and in time', async (t) => {
  for (const second of [{ faults: ['empty'] }, { tokens: 2 }]) {
    const { url } = await pair(t, 'truncate,after=6', { second })
    const seen = await ask(url)
    assert.deepEqual([seen.error, seen.done, seen.finishes, seen.trailer], ['upstream_truncated', 0, [], 'failed'])
  }
})

test('rescue: an answer that comes in one piece with something broken after its end is an answer', async (t) => {
  const all = await scripted(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(
      `${event({ role: 'assistant', content: 'Whole.' })}${event({}, 'stop')}data: {"id": \n\ndata: [DONE]\n\n`,
    )
  })
  const sidecar = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [endpoint('a', all.url)],
  })
  const seen = await ask(sidecar.url)
  assert.deepEqual([seen.status, seen.text, seen.finishes, seen.done], [200, 'Whole.', ['stop'], 1])
})

test('rescue: Off leaves it at an error, and nobody else is asked', async (t) => {
  const { url, b } = await pair(t, 'truncate,after=6', { rule: { rescue: { mode: 'Off' } } })
  const seen = await ask(url)
  assert.deepEqual([seen.error, seen.trailer, b.stats().requests], ['upstream_truncated', undefined, 0])
})

test('rescue: Buffer holds an answer back until it is whole, so that another can begin anew', async (t) => {
  const { url, telemetry } = await pair(t, 'truncate,after=6', {
    second: { name: 'another' },
    rule: { rescue: { mode: 'Buffer' } },
  })
  const seen = await ask(url)
  assert.deepEqual([seen.error, seen.finishes, seen.done, seen.trailer], [undefined, ['stop'], 1, undefined])
  assert.match(seen.text, /^another heard/)
  assert.deepEqual(
    telemetry.exchanges[0]?.attempts.map(({ why }) => why),
    ['chosen', 'fallback'],
  )
})

test('rescue: an endpoint that takes one request at a time takes the second model’s once the first one’s has ended', async (t) => {
  const [a] = await upstreams(t, { name: 'm', ...pace, faults: ['truncate,after=6,model=one'] })
  const models = ['one', 'two'].map((name) => ({ name, rank: 0, defaults: {}, force: {} }))
  const { url } = await dataPath(t, {
    routes: [route('chat', [rule([target('a', { model: 'one' }), target('a', { model: 'two', priority: 1 })])])],
    endpoints: [endpoint('a', `${a.url}/v1`, { models, maxInFlight: 1 })],
  })
  const seen = await ask(url)
  assert.deepEqual([seen.error, seen.finishes, seen.trailer], [undefined, ['stop'], 'replayed'])
})

test('rescue: TLS that ends without saying so has not ended the answer, streamed or whole', async (t) => {
  const { ca, of } = await authority('localhost')
  const [a, b] = await upstreams(t, { name: 'm', ...pace, tls: of.localhost }, { name: 'm', ...pace })
  const { url, telemetry } = await dataPath(t, {
    routes: [route('chat', [rule([target('a'), target('b', { priority: 1 })])])],
    endpoints: [
      endpoint('a', `https://localhost:${a.port}/v1`, { tls: { ca: { secret: 'ai/ca', key: 'ca.crt' } } }),
      endpoint('b', `${b.url}/v1`),
    ],
    secrets: { 'ai/ca': { data: { 'ca.crt': ca } } },
  })
  const whole = await ask(url)
  assert.equal(a.stats().requests, 1)
  await a.setFaults(['cut,bytes=1400,how=reset'])
  const seen = await ask(url)
  assert.deepEqual([seen.text, seen.error, seen.trailer], [whole.text, undefined, 'replayed'])
  await a.setFaults(['cut,bytes=200,how=reset'])
  assert.match((await ask(url, { stream: false, stream_options: undefined })).raw, /"finish_reason":"stop"/)
  assert.equal(telemetry.exchanges.at(-1)?.attempts[0]?.code, 'upstream_truncated')
})

test('rescue: a caller that leaves while an answer is being rescued ends it', async (t) => {
  const { url, a, b, telemetry } = await pair(t, 'truncate,after=6', { second: { ttft: '5s' } })
  const leaving = new AbortController()
  const answer = await request(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat', messages, stream: true }),
    signal: leaving.signal,
  })
  answer.body.on('error', () => {})
  answer.body.resume()
  const until = async (done: () => boolean) => {
    while (!done()) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await until(() => b.stats().requests === 1)
  leaving.abort()
  await until(() => telemetry.exchanges.length === 1)
  assert.equal(telemetry.exchanges[0]?.code, 'client_closed')
  await until(() => b.requests().at(-1)?.aborted !== undefined)
  assert.equal(a.stats().requests, 1)
})
