import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledEndpoint, CompiledRule } from '../../api/compiled.ts'
import { seeded } from '../../core/learning/random.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { request } from 'undici'
import { eventually } from '../helpers/eventually.ts'
import { ask, gate, said } from '../helpers/ladder.ts'
import { completion, event, json, scripted } from '../helpers/scripted.ts'
import { upstream } from '../helpers/upstream.ts'

type Mirror = NonNullable<CompiledRule['mirror']>
type Answers = (response: ServerResponse, body: string, request: IncomingMessage) => void

/** What it says, streamed where a stream was asked for. */
function says(response: ServerResponse, body: string, text: string): void {
  const usage = { prompt_tokens: 10, completion_tokens: 10 }
  if (!body.includes('"stream":true')) return json(response, completion(text, usage))
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const word of text.split(/(?<= )/)) response.write(event({ content: word }))
  response.write(event({}, 'stop'))
  const last = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage }
  response.end(`data: ${JSON.stringify(last)}\n\ndata: [DONE]\n\n`)
}

interface Shape {
  readonly own?: Answers
  readonly candidate?: Answers
  readonly judge?: Answers
  readonly mirror?: Partial<Mirror>
  readonly rule?: Partial<CompiledRule>
  /** Of the candidate. */
  readonly endpoint?: Partial<CompiledEndpoint>
  /** Of the candidate and the judge, USD for a million tokens; 0 unless given, so that money is no bound. */
  readonly price?: string
}

const WORDS = 'The answer is 42.'
/** Of the model that answers, USD for a million tokens. */
const PRICE = '1'

/** A rule that `a` answers and `b` is a candidate for, with a judge `c`. */
async function mirrored(t: TestContext, shape: Shape = {}) {
  const answering = (given: Answers | undefined) =>
    scripted(t, given ?? ((response: ServerResponse, body: string) => says(response, body, WORDS)))
  const own = await answering(shape.own)
  const candidate = await answering(shape.candidate)
  const judge = await answering(shape.judge ?? ((response, body) => says(response, body, '8/10')))
  const { price = '0' } = shape
  const models = (name: string, each: string) => [
    { name: `${name}-model`, rank: 0, defaults: {}, force: {}, prices: [{ price: { input: each, output: each } }] },
  ]
  const settings: Mirror = {
    ...{ version: 'mirror.1', by: { endpoint: 'ai/b', model: 'b-model' }, percent: 100 },
    budget: { spendPercent: 1000 },
    ...{ maxTokens: 20, maxConcurrent: 8 },
    ...shape.mirror,
  }
  const partsOf = (more: Partial<CompiledRule> = {}, of: Partial<Mirror> = {}) => ({
    routes: [route('chat', [rule([target('a')], { mirror: { ...settings, ...of }, ...shape.rule, ...more })])],
    endpoints: [
      endpoint('a', own.url, { models: models('a', PRICE) }),
      endpoint('b', candidate.url, { models: models('b', price), ...shape.endpoint }),
      endpoint('c', judge.url, { models: models('c', price) }),
    ],
  })
  const sidecar = await dataPath(t, partsOf())
  const { mirrors } = sidecar.telemetry
  const told = (count: number) => eventually(() => assert.equal(mirrors.length, count))
  const outcomes = () => mirrors.map(({ outcome }) => outcome)
  return { ...sidecar, partsOf, mirrors, told, outcomes, own, candidate, judge }
}

for (const stream of [false, true])
  test(`mirror: ${stream ? 'streamed' : 'whole'}: the caller has its answer before the candidate is asked, and nothing of it is in it`, async (t) => {
    let asked: ServerResponse | undefined
    let heard = ''
    const { url, mirrors, told, telemetry } = await mirrored(t, {
      candidate: (response, body) => {
        asked = response
        heard = body
      },
    })
    const { by, text, answer } = await ask(url, { stream })
    assert.equal(by, 'ai/a')
    assert.match(stream ? said(text) : text, /The answer is 42\./)
    assert.equal(answer.headers['x-tradewind-attempts'], '1')
    const cost = stream ? answer.trailers['x-tradewind-cost'] : answer.headers['x-tradewind-cost']
    assert.equal(cost, '0.00002')
    await eventually(() => assert.ok(asked))
    assert.equal(telemetry.exchanges.length, 1)
    assert.equal(mirrors.length, 0)
    assert.equal(heard.includes('"stream":true'), stream)
    assert.match(heard, /"model":"b-model"/)
    assert.match(heard, /"max_tokens":20/)
    if (asked) says(asked, stream ? '"stream":true' : '', 'The answer is 42')
    await told(1)
    const [record] = mirrors
    assert.deepEqual(
      [record?.id, record?.route, record?.rule, record?.target, record?.current, record?.outcome],
      [telemetry.exchanges[0]?.requestId, 'ai/chat', 'all', 'ai/b b-model', 'ai/a a-model', 'answered'],
    )
    assert.equal(record?.pair?.alike, 1)
    assert.deepEqual([record?.pair?.candidate.cost, record?.pair?.own.cost], [0, 0.00002])
    assert.equal(record?.pair?.candidate.firstToken !== undefined, stream)
    assert.equal(record?.pair?.own.firstToken !== undefined, stream)
    assert.deepEqual(
      telemetry.attempts.map(({ why, endpoint: at }) => [why, at]),
      [
        ['chosen', 'ai/a'],
        ['mirror', 'ai/b'],
      ],
    )
  })

test('mirror: the bytes of an answer are the same with and without a mirror, however they come', async (t) => {
  const words = 'One two three four five six seven eight nine ten. The answer is 42.'
  const { url, apply, partsOf, told, mirrors } = await mirrored(t, {
    // Pieces that begin and end anywhere.
    own: (response, body) => {
      if (!body.includes('"stream":true')) return says(response, body, words)
      const whole = Buffer.from(Array.from(words, (it) => event({ content: it })).join('') + event({}, 'stop'))
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let at = 0; at < whole.length; at += 97) response.write(whole.subarray(at, at + 97))
      response.end('data: [DONE]\n\n')
    },
  })
  const answers = async () => {
    const all: string[] = []
    for (const stream of [false, true, true, false]) {
      const { text, answer } = await ask(url, { stream })
      const { date: _, 'x-request-id': id, ...headers } = answer.headers
      all.push(JSON.stringify([answer.statusCode, headers, text.replaceAll(String(id), ''), answer.trailers]))
    }
    return all
  }
  const with100 = await answers()
  await told(4)
  assert.deepEqual(apply(partsOf({}, { percent: 0 })), [])
  assert.deepEqual(await answers(), with100)
  assert.deepEqual(apply(partsOf({ mirror: undefined })), [])
  assert.deepEqual(await answers(), with100)
  assert.equal(mirrors.length, 4)
  assert.ok(mirrors.every(({ pair }) => pair?.alike === 1))
})

for (const [what, more] of [
  ['held back until they are whole', { rescue: { mode: 'Buffer' } }],
  ['held back by a gate', { gate: gate() }],
  ['judged by a gate as they pass', { gate: gate({ mode: 'Audit' }) }],
] as const)
  test(`mirror: streams that are ${what} are mirrored as they went out`, async (t) => {
    const { url, told, mirrors } = await mirrored(t, {
      rule: more,
      // All of it in one piece, so that it has ended before it goes on.
      own: (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.end(`${event({ content: WORDS })}${event({}, 'stop')}data: [DONE]\n\n`)
      },
    })
    assert.match(said((await ask(url, { stream: true })).text), /The answer is 42\./)
    await told(1)
    const { outcome, pair } = mirrors[0] ?? {}
    assert.deepEqual([outcome, pair?.alike], ['answered', 1])
    assert.ok(pair?.own.firstToken !== undefined && pair.candidate.firstToken !== undefined)
  })

test('mirror: as many requests are mirrored as the share says', async (t) => {
  const { url, told, outcomes, path } = await mirrored(t, { mirror: { percent: 10, maxConcurrent: 64 } })
  Object.assign(path.deps, { random: seeded(11) })
  for (let i = 0; i < 400; i++) await ask(url)
  await eventually(() => assert.ok(outcomes().length >= 20))
  await told(outcomes().length)
  assert.ok(outcomes().length <= 65, String(outcomes().length))
  assert.ok(outcomes().every((it) => it === 'answered'))
})

/** The path names the model. */
const isNamed = (path: string) => /generateContent|converse/.test(path)

/** Surfaces in whose words a chat is asked for, without a limit on its answer. */
const WAYS: readonly (readonly [path: string, body: object])[] = [
  ['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] }],
  ['/v1/completions', { prompt: 'Hi' }],
  ['/v1/responses', { input: 'Hi', store: false }],
  ['/v2/chat', { messages: [{ role: 'user', content: 'Hi' }] }],
  ['/v1beta/models/chat:generateContent', { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] }],
  ['/model/chat/converse', { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }],
]

test('mirror: callers of every dialect are mirrored, to candidates of another, and what both say is compared', async (t) => {
  const candidates = ['anthropic', 'gemini', 'openai'] as const
  for (const provider of candidates) {
    const mock = await upstream(t, { provider, name: 'b', faults: [`says=${encodeURIComponent(WORDS)}`] })
    const type = { anthropic: 'Anthropic', gemini: 'Gemini', openai: 'OpenAI' }[
      provider
    ] as CompiledEndpoint['provider']['type'] // they are
    const { url, told, mirrors } = await mirrored(t, {
      endpoint: { provider: { type }, url: `${mock.url}${mock.provider.basePath}` },
    })
    let count = 0
    for (const [path, body] of WAYS)
      for (const stream of isNamed(path) ? [false] : [false, true]) {
        const named = isNamed(path)
          ? { messages: undefined, model: undefined, stream: undefined }
          : { messages: undefined, stream }
        const { status, text } = await ask(url, { path, body: { ...named, ...body } })
        assert.equal(status, 200, `${path}: ${text}`)
        await told(++count)
        const { outcome, pair } = mirrors.at(-1) ?? {}
        assert.equal(outcome, 'answered', `${path} to ${provider}, stream ${stream}: ${pair?.code}`)
        // Legacy completions are not read.
        assert.equal(
          pair?.alike,
          path === '/v1/completions' ? undefined : 1,
          `${path} to ${provider}, stream ${stream}`,
        )
      }
    for (const { body = '' } of mock.requests())
      assert.match(body, /(max_tokens|max_completion_tokens|max_output_tokens|maxOutputTokens)":20/)
  }
})

const user = (content: unknown) => ({ messages: [{ role: 'user', content }] })
const picture = [{ type: 'image_url', image_url: { url: 'https://images.example/a.png' } }]

for (const [what, path, body, reason] of [
  ['an answer that is stored', '/v1/responses', { input: 'Hi' }, 'stateful'],
  ['a chat that is stored', '/v1/chat/completions', { ...user('Hi'), store: true }, 'stateful'],
  [
    'what goes on from an earlier answer',
    '/v1/responses',
    { input: 'Hi', store: false, previous_response_id: 'r' },
    'stateful',
  ],
  ['a background answer', '/v1/responses', { input: 'Hi', store: false, background: true }, 'stateful'],
  ['a prompt by its id', '/v1/responses', { prompt: { id: 'p' }, input: 'Hi', store: false }, 'stateful'],
  [
    'a tool that the provider runs',
    '/v1/responses',
    { input: 'Hi', store: false, tools: [{ type: 'web_search' }] },
    'stateful',
  ],
  [
    'a tool server that the provider calls',
    '/v1/messages',
    { ...user('Hi'), max_tokens: 5, mcp_servers: [{ url: 'x' }] },
    'stateful',
  ],
  ['a search', '/v1/chat/completions', { ...user('Hi'), web_search_options: {} }, 'stateful'],
  ['a picture', '/v1/chat/completions', user(picture), 'unbounded'],
  ['a tier that costs more', '/v1/chat/completions', { ...user('Hi'), service_tier: 'priority' }, 'unbounded'],
  ['a body of more than a megabyte', '/v1/chat/completions', user('x'.repeat(1 << 20)), 'too_large'],
  ['moderations', '/v1/moderations', { input: 'Hi' }, 'operation'],
  ['pictures that are made', '/v1/images/generations', { prompt: 'Hi' }, 'operation'],
] as const)
  test(`mirror: not mirrored: ${what}`, async (t) => {
    const { url, told, outcomes, candidate, apply, partsOf, own } = await mirrored(t)
    const parts = partsOf()
    const [, ...others] = parts.endpoints
    const speaks = endpoint('a', own.url, { provider: { type: 'OpenAI' } })
    assert.deepEqual(apply({ ...parts, endpoints: [speaks, ...others] }), [])
    await ask(url, { path, body: { messages: undefined, ...body } })
    await told(1)
    assert.deepEqual(outcomes(), [reason])
    assert.equal(candidate.requests(), 0)
  })

test('mirror: not mirrored: a body that its own target takes, and that cannot be read here', async (t) => {
  const { url, told, outcomes } = await mirrored(t)
  const body = '{"model":"chat","messages":[{"role":"user","content":"a\tb"}]}'
  for (const raw of [body, body.replace('b', '\u0001')]) {
    const answer = await request(`${url}/v1/chat/completions`, { method: 'POST', body: raw })
    assert.equal(answer.statusCode, 200)
    await answer.body.dump()
  }
  await told(2)
  assert.deepEqual(outcomes(), ['unsupported', 'unsupported'])
})

test('mirror: what says that it is told once is told once', async (t) => {
  const heard: string[] = []
  const { url, told } = await mirrored(t, {
    candidate: (response, body, { headers }) => {
      heard.push(JSON.stringify([headers['idempotency-key'], headers['x-other'], headers['authorization']]))
      says(response, body, WORDS)
    },
  })
  const headers = { 'idempotency-key': 'k', 'x-other': 'o', authorization: 'Bearer mine' }
  const body = JSON.stringify({ model: 'chat', ...user('Hi') })
  const answer = await request(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
  await answer.body.dump()
  await told(1)
  assert.deepEqual(heard, ['[null,"o",null]'])
})

test('mirror: a hanging candidate holds up no caller, and as many are under way as may be', async (t) => {
  const open: ServerResponse[] = []
  const { url, told, outcomes, mirrors } = await mirrored(t, {
    candidate: (response) => open.push(response),
    mirror: { maxConcurrent: 3 },
  })
  for (let i = 0; i < 10; i++) assert.equal((await ask(url, { stream: i % 2 === 0 })).status, 200)
  await told(7)
  assert.deepEqual(new Set(outcomes()), new Set(['busy']))
  await eventually(() => assert.equal(open.length, 3))
  for (const response of open) response.destroy()
  await told(10)
  for (const { outcome, pair } of mirrors.slice(7))
    assert.deepEqual([outcome, pair?.code], ['failed', 'connection_reset'])
})

test('mirror: it has a deadline of its own', async (t) => {
  const { url, told, mirrors, apply, partsOf } = await mirrored(t, { candidate: () => {} })
  const parts = partsOf()
  assert.deepEqual(apply({ ...parts, routes: parts.routes.map((it) => ({ ...it, requestTimeout: 2000 })) }), [])
  assert.equal((await ask(url)).status, 200)
  await told(1)
  assert.deepEqual([mirrors[0]?.outcome, mirrors[0]?.pair?.code], ['failed', 'request_timeout'])
})

test('mirror: a stopping sidecar ends what is under way, waits for none of it and begins no more', async (t) => {
  let asked = false
  let gone = false
  const { url, told, outcomes, path } = await mirrored(t, {
    candidate: (response) => {
      asked = true
      response.on('close', () => (gone = true))
    },
  })
  assert.equal((await ask(url)).status, 200)
  await eventually(() => assert.ok(asked))
  const began = performance.now()
  await path.drain()
  assert.ok(performance.now() - began < 5000)
  await told(1)
  assert.deepEqual(outcomes(), ['stopping'])
  await eventually(() => assert.ok(gone))
})

/** Where the candidate is one of the rule's own targets as well, the second to be asked. */
const inUse = { rule: { targets: [target('a'), target('b', { priority: 1 })] } }

test('mirror: failures of mirrored calls open no breaker, use no retry budget and weigh in no choice; the mirror itself has a rest', async (t) => {
  const { url, told, outcomes, path, mirrors } = await mirrored(t, {
    ...inUse,
    candidate: (response) => json(response, { error: { message: 'broken' } }, 500),
  })
  for (let i = 0; i < 12; i++) {
    assert.equal((await ask(url)).status, 200)
    await told(i + 1)
  }
  assert.deepEqual(outcomes(), [...Array<string>(5).fill('failed'), ...Array<string>(7).fill('unavailable')])
  assert.equal(mirrors[0]?.pair?.candidate.error, true)
  const state = path.configuration.runtime?.endpoints.get('ai/b')?.models.get('b-model')?.state
  assert.equal(state?.breaker.state, 'closed')
  assert.equal(state?.ewma.latency(), 0)
  assert.equal(path.configuration.runtime?.endpoints.get('ai/b')?.load.inFlight, 0)
})

test('mirror: a candidate that has had enough of the mirror is left alone by it, not by callers', async (t) => {
  const { url, told, outcomes, path } = await mirrored(t, {
    ...inUse,
    candidate: (response) => json(response, { error: { message: 'slow down' } }, 429, { 'retry-after': '30' }),
  })
  for (let i = 0; i < 3; i++) {
    assert.equal((await ask(url)).status, 200)
    await told(i + 1)
  }
  assert.deepEqual(outcomes(), ['failed', 'unavailable', 'unavailable'])
  assert.equal(path.configuration.runtime?.endpoints.get('ai/b')?.models.get('b-model')?.state.coolUntil, 0)
})

test('mirror: a target that is short of something is for callers alone: its rate limit, its health, its breaker, its rest', async (t) => {
  const { url, told, outcomes, path, candidate } = await mirrored(t, inUse)
  const at = path.configuration.runtime?.endpoints.get('ai/b')
  const model = at?.models.get('b-model')
  assert.ok(at && model)
  let count = 0
  const mirroring = async () => {
    await ask(url)
    await told(++count)
    return outcomes().at(-1)
  }
  assert.equal(await mirroring(), 'answered')
  model.state.limits.observe({ kind: 'requests', limit: 100, remaining: 10, reset: 60_000 })
  assert.equal(await mirroring(), 'unavailable')
  model.state.limits.observe({ kind: 'requests', limit: 100, remaining: 100, reset: 60_000 })
  assert.equal(await mirroring(), 'answered')
  model.state.coolUntil = path.deps.now() + 60_000
  assert.equal(await mirroring(), 'unavailable')
  model.state.coolUntil = 0
  for (const address of at.addresses) address.healthy = false
  assert.equal(await mirroring(), 'unavailable')
  for (const address of at.addresses) address.healthy = true
  model.state.breaker.hold(60_000)
  assert.equal(await mirroring(), 'unavailable')
  assert.equal(candidate.requests(), 2)
})

test('mirror: half of what an endpoint takes is for callers at any time, and a mirrored call makes room for theirs', async (t) => {
  const open: ServerResponse[] = []
  const { url, told, outcomes, apply, partsOf } = await mirrored(t, {
    candidate: (response) => open.push(response),
    endpoint: { maxInFlight: 2 },
  })
  const parts = partsOf()
  assert.deepEqual(apply({ ...parts, routes: [...parts.routes, route('direct', [rule([target('b')])])] }), [])
  await ask(url)
  await eventually(() => assert.equal(open.length, 1))
  await ask(url)
  await told(1)
  assert.deepEqual(outcomes(), ['unavailable'])
  const callers = [0, 1].map(() => ask(url, { body: { model: 'direct' } }))
  await told(2)
  assert.deepEqual(outcomes(), ['unavailable', 'displaced'])
  await eventually(() => assert.equal(open.length, 3))
  for (const response of open.slice(1)) says(response, '', WORDS)
  assert.deepEqual(
    (await Promise.all(callers)).map(({ status }) => status),
    [200, 200],
  )
})

test('mirror: where the caller gets an error, that is compared as well; where the caller was at fault or has left, nothing is', async (t) => {
  let status = 500
  let hold = false
  const { url, told, mirrors, outcomes } = await mirrored(t, {
    own: (response) => (hold ? undefined : json(response, { error: { message: 'no' } }, status)),
  })
  await ask(url)
  await told(1)
  const { outcome, current, pair } = mirrors[0] ?? {}
  assert.deepEqual([outcome, current, pair?.own.error, pair?.candidate.error], ['answered', '', true, false])
  assert.equal(pair?.alike, undefined)
  status = 400
  await ask(url)
  await told(2)
  hold = true
  await assert.rejects(ask(url, { signal: AbortSignal.timeout(100) }))
  await told(3)
  assert.deepEqual(outcomes(), ['answered', 'refused', 'left'])
})

test('mirror: requests that the candidate itself has answered are not compared with themselves', async (t) => {
  const { url, told, outcomes, candidate } = await mirrored(t, { rule: { targets: [target('b')] } })
  await ask(url)
  await told(1)
  assert.deepEqual(outcomes(), ['same'])
  assert.equal(candidate.requests(), 1)
})

test('mirror: calls of tools are compared as such', async (t) => {
  const calls = (given: string) => (response: ServerResponse) =>
    json(response, {
      ...completion(''),
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 'i', type: 'function', function: { name: 'look', arguments: given } }],
          },
          finish_reason: 'tool_calls',
        },
      ],
    })
  let given = '{ "b": 2, "a": 1 }'
  const { url, told, mirrors } = await mirrored(t, { own: calls('{"a":1,"b":2}'), candidate: (it) => calls(given)(it) })
  await ask(url)
  await told(1)
  given = '{"a":1,"b":3}'
  await ask(url)
  await told(2)
  assert.deepEqual(
    mirrors.map(({ pair }) => pair?.alike),
    [1, 0],
  )
})

test('mirror: a judge marks both answers, each by itself and with nothing of the caller’s', async (t) => {
  const heard: string[] = []
  const { url, told, mirrors, path, telemetry } = await mirrored(t, {
    candidate: (response, body) => says(response, body, 'Other words.'),
    judge: (response, body, { headers }) => {
      heard.push(String(headers['x-mine']))
      says(response, body, body.includes('Other words.') ? '4/10' : '9')
    },
    mirror: { judge: { by: { endpoint: 'ai/c', model: 'c-model' }, percent: 100, prompt: 'Mark it.' } },
  })
  path.evidence.keep([{ route: 'ai/chat', rule: 'all', version: 'mirror.1' }])
  const body = JSON.stringify({ model: 'chat', ...user('Hi') })
  await (await request(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'x-mine': 'm' }, body })).body.dump()
  await told(1)
  assert.deepEqual(mirrors[0]?.pair?.marks, { current: 0.9, candidate: 0.4 })
  assert.deepEqual(heard, ['undefined', 'undefined'])
  assert.deepEqual(
    telemetry.attempts.map(({ why }) => why),
    ['chosen', 'mirror', 'mirror', 'mirror'],
  )
  const arms = path.evidence.find({ route: 'ai/chat', rule: 'all', version: 'mirror.1' })?.arms
  assert.deepEqual(
    [...(arms ?? [])].map(([arm, { n, quality }]) => [arm, n, quality.sum]),
    [
      ['mirror', 1, 0],
      ['mirror-of', 1, 0],
      ['mirror-markable', 1, 0],
      ['mirror-marked', 1, 0.4],
      ['mirror-marked-of', 1, 0.9],
      ['mirror-lead-unlike', 1, (1 + 0.4 - 0.9) / 2],
    ],
  )
})

test('mirror: what it finds is counted with the evidence, under its own version and arms', async (t) => {
  let fails = false
  const { url, told, path } = await mirrored(t, {
    price: '1',
    candidate: (response, body) => (fails ? json(response, {}, 503) : says(response, body, WORDS)),
  })
  path.evidence.keep([{ route: 'ai/chat', rule: 'all', version: 'mirror.1' }])
  // 20 µUSD earn 200: too little for the worst case of a first call, which is some 1,200 tokens.
  for (let i = 0; i < 8; i++) {
    fails = i === 7
    await ask(url)
    await told(i + 1)
  }
  const arms = path.evidence.find({ route: 'ai/chat', rule: 'all', version: 'mirror.1' })?.arms
  const [pair, of] = [arms?.get('mirror'), arms?.get('mirror-of')]
  const n = pair?.n ?? 0
  assert.ok(n >= 1 && n === of?.n)
  assert.deepEqual([pair?.errors, of.errors], [1, 0])
  assert.deepEqual([pair?.quality.n, pair?.quality.sum], [n - 1, n - 1])
  assert.deepEqual([pair?.latency.count, of.latency.count], [n - 1, n])
  assert.ok(Math.abs((arms?.get('mirror-spent')?.cost.sum ?? 0) - (n - 1) * 0.00002) < 1e-12)
  assert.equal(arms?.get('mirror-skipped unaffordable')?.n, 8 - n)
})

test('mirror: the bill is never above its cap, with many requests at once and a candidate that hangs, breaks, lies low and takes all it may', async (t) => {
  const random = seeded(5)
  /** Of the provider, USD for a million tokens of either kind. */
  const [own, candidate] = [1, 3]
  const KINDS = ['dear', 'cheap', 'dear', 'silent', 'dear', 'cut', 'cheap', 'dear', 'refused', 'dear'] as const
  let calls = 0
  let ours = 0
  let billed = 0
  let worst = 0
  const spendPercent = 50
  const cap = () => (ours * own * spendPercent) / 100
  const bill = (tokens: number) => {
    billed += tokens * candidate
    worst = Math.max(worst, billed - cap())
  }
  const { url, mirrors, told, outcomes } = await mirrored(t, {
    price: String(candidate),
    mirror: { budget: { spendPercent }, maxConcurrent: 16, maxTokens: 200 },
    own: (response, body) => {
      const usage = { prompt_tokens: 400, completion_tokens: Math.floor(random() * 2000) }
      ours += usage.prompt_tokens + usage.completion_tokens
      setTimeout(() => json(response, completion('words', usage)), random() * 5)
      assert.ok(body)
    },
    candidate: (response, body) => {
      const prompt = body.length
      const most = prompt + 200
      // In turns: after five failures in a row the mirror would have a rest.
      const kind = KINDS[calls++ % KINDS.length]
      // As dear as it may be: a token for each byte, and as long an answer as was asked for.
      if (kind === 'dear') {
        bill(most)
        json(response, completion('words', { prompt_tokens: prompt, completion_tokens: 200 }))
      } else if (kind === 'cheap') {
        bill(prompt + 10)
        setTimeout(() => json(response, completion('words', { prompt_tokens: prompt, completion_tokens: 10 })), 30)
      } else if (kind === 'silent') {
        // It does not say what it used, and bills it.
        bill(most)
        json(response, completion('words'))
      } else if (kind === 'cut') {
        bill(most)
        setTimeout(() => response.destroy(), 60)
      } else json(response, { error: { message: 'broken' } }, 500)
    },
  })
  const asking = async (): Promise<void> => {
    for (let i = 0; i < 60; i++) {
      const content = 'x'.repeat(Math.floor(random() * 800))
      const { status } = await ask(url, { body: user(content) })
      assert.equal(status, 200)
    }
  }
  await Promise.all(Array.from({ length: 16 }, asking))
  await told(16 * 60)
  assert.ok(worst <= 0, `${worst} micro-USD above the cap`)
  const asked = outcomes().filter((it) => it === 'answered' || it === 'failed').length
  assert.ok(asked > 20 && outcomes().includes('unaffordable'), String(asked))
  // What is shown as spent is never less than the bill, and never above the cap.
  const spent = mirrors.reduce((sum, it) => sum + it.spent, 0) / 1e6
  assert.ok(spent >= billed - 1e-6 && spent <= cap() + 1e-6, `${billed} billed, ${spent} shown, cap ${cap()}`)
})
