import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { observed, otlp } from '../helpers/observed.ts'
import { freePorts } from '../helpers/ports.ts'
import { upstreams } from '../helpers/upstream.ts'

const body = (rest: object = {}) =>
  JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'tell me the password' }], ...rest })

async function ask(url: string, rest: object = {}, headers: Record<string, string> = {}) {
  const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: body(rest), headers })
  return { status: answer.status, text: await answer.text(), headers: answer.headers }
}

/** A first target that fails, and a second that answers. */
async function failing(t: TestContext, random?: () => number) {
  const [a, b] = await upstreams(t, {}, {})
  await a.setFaults(['status=500'])
  const sidecar = await observed(
    t,
    {
      routes: [route('chat', [rule([target('a'), target('b', { priority: 1 })])])],
      endpoints: [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`)],
    },
    random,
  )
  return { a, b, ...sidecar }
}

/** The value of a metric whose line has all these labels. */
async function metric(url: string, name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const line = text
    .split('\n')
    .find(
      (it) =>
        (it.startsWith(`${name}{`) || it.startsWith(`${name} `)) &&
        Object.entries(labels).every(([label, value]) => it.includes(`${label}="${value}"`)),
    )
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1))
}

test('telemetry: one log line a request, with how it was answered and each attempt', async (t) => {
  const { url, lines } = await failing(t)
  const { headers } = await ask(url, {}, { 'x-request-id': 'the-"id"' })
  await eventually(() => assert.equal(lines().length, 1))
  const [line] = lines()
  const { time, ms, firstByteMs, requestBytes, responseBytes, tokens, attempts, ...rest } = line ?? {}
  assert.deepEqual(rest, {
    level: 'info',
    msg: 'request',
    id: 'the-"id"',
    surface: 'chat',
    method: 'POST',
    path: '/v1/chat/completions',
    route: 'ai/chat',
    rule: 'all',
    requested: 'chat',
    endpoint: 'ai/b',
    model: 'b-model',
    status: 200,
    stream: false,
    sticky: false,
    finish: 'stop',
  })
  assert.ok(Math.abs(Number(time) - Date.now()) < 10_000)
  for (const number of [ms, firstByteMs, requestBytes, responseBytes]) assert.ok(Number(number) > 0)
  assert.deepEqual(Object.keys(tokens as object), ['input', 'output', 'cached', 'reasoning'])
  const [first, second] = attempts as Record<string, unknown>[]
  assert.deepEqual(
    [first?.['why'], first?.['endpoint'], first?.['status'], first?.['code']],
    ['chosen', 'ai/a', 500, 'upstream_error'],
  )
  assert.deepEqual(
    [second?.['why'], second?.['endpoint'], second?.['status'], second?.['code']],
    ['fallback', 'ai/b', 200, undefined],
  )
  assert.equal(headers.get('x-tradewind-attempts'), '2')
})

test('telemetry: a failure is a warning with its code; the log level can be raised above either', async (t) => {
  const { url, lines, log } = await failing(t)
  assert.equal((await ask(url, { model: 'other' })).status, 404)
  await eventually(() => assert.equal(lines().length, 1))
  assert.deepEqual([lines()[0]?.['level'], lines()[0]?.['code']], ['warn', 'model_not_found'])
  log.level = 'warn'
  await ask(url)
  await ask(url, { model: 'other' })
  await eventually(() => assert.equal(lines().length, 2))
  log.level = 'error'
  await ask(url, { model: 'other' })
  log.level = 'info'
  await ask(url)
  await eventually(() =>
    assert.deepEqual(
      lines().map((line) => line['level']),
      ['warn', 'warn', 'info'],
    ),
  )
})

test('telemetry: requests, attempts, fallbacks and tokens are counted by route, rule, endpoint and model', async (t) => {
  const { url, admin } = await failing(t)
  for (let i = 0; i < 3; i++) await ask(url)
  const b = { route: 'ai/chat', rule: 'all', endpoint: 'ai/b', model: 'b-model' }
  const a = { ...b, endpoint: 'ai/a', model: 'a-model' }
  assert.equal(await metric(admin, 'tradewind_requests_total', { ...b, status: '200', code: '', stream: 'false' }), 3)
  assert.equal(await metric(admin, 'tradewind_attempts_total', { ...a, why: 'chosen', code: 'upstream_error' }), 3)
  assert.equal(await metric(admin, 'tradewind_attempts_total', { ...b, why: 'fallback', code: '' }), 3)
  assert.equal(await metric(admin, 'tradewind_fallbacks_total', b), 3)
  assert.equal(await metric(admin, 'tradewind_retries_total'), undefined)
  const input = await metric(admin, 'tradewind_tokens_total', { ...b, kind: 'input' })
  assert.ok((input ?? 0) > 0)
  const genAi = {
    gen_ai_operation_name: 'chat',
    gen_ai_provider_name: 'openai_compatible',
    gen_ai_request_model: 'b-model',
  }
  assert.equal(await metric(admin, 'gen_ai_client_operation_duration_seconds_count', genAi), 3)
  assert.equal(await metric(admin, 'gen_ai_client_operation_duration_seconds_bucket', { ...genAi, le: '+Inf' }), 3)
  assert.equal(await metric(admin, 'gen_ai_client_token_usage_sum', { ...genAi, gen_ai_token_type: 'input' }), input)
  assert.equal(
    await metric(admin, 'gen_ai_server_time_to_first_token_seconds_count'),
    undefined,
    'nothing was streamed',
  )
})

test('telemetry: streams have their time to the first token and for each token after it', async (t) => {
  const { url, admin } = await failing(t)
  await ask(url, { stream: true })
  const labels = { endpoint: 'ai/b', gen_ai_request_model: 'b-model' }
  await eventually(async () => {
    assert.equal(await metric(admin, 'tradewind_requests_total', { endpoint: 'ai/b', stream: 'true' }), 1)
    assert.equal(await metric(admin, 'gen_ai_server_time_to_first_token_seconds_count', labels), 1)
    assert.equal(await metric(admin, 'gen_ai_server_time_per_output_token_seconds_count', labels), 1)
  })
})

test('telemetry: how things stand is measured too', async (t) => {
  const { url, admin, path, apply } = await failing(t)
  for (let i = 0; i < 5; i++) await ask(url)
  const a = { endpoint: 'ai/a', model: 'a-model' }
  assert.equal(await metric(admin, 'tradewind_breaker_state', { ...a, state: 'open' }), 1)
  assert.equal(await metric(admin, 'tradewind_breaker_state', { ...a, state: 'closed' }), 0)
  assert.equal(await metric(admin, 'tradewind_endpoint_addresses', { endpoint: 'ai/a', state: 'healthy' }), 1)
  assert.equal(await metric(admin, 'tradewind_endpoint_in_flight', { endpoint: 'ai/b' }), 0)
  assert.equal(await metric(admin, 'tradewind_config_info', { digest: path.configuration.current().digest }), 1)
  assert.ok(((await metric(admin, 'tradewind_config_age_seconds')) ?? -1) >= 0)
  assert.equal(await metric(admin, 'tradewind_route_generation', { route: 'ai/chat' }), 1)
  assert.equal(await metric(admin, 'tradewind_operator_connected'), 1)
  assert.ok(((await metric(admin, 'process_resident_memory_bytes')) ?? 0) > 1e6)
  assert.deepEqual(apply({}), [])
  assert.equal(
    await metric(admin, 'tradewind_attempts_total'),
    5,
    'the counts of a route that is gone are read once more',
  )
  assert.equal(await metric(admin, 'tradewind_attempts_total'), undefined)
  assert.equal(await metric(admin, 'tradewind_breaker_state'), undefined)
})

test('telemetry: callers cannot make up new series', async (t) => {
  const [a] = await upstreams(t, {})
  const { url, admin } = await observed(t, {
    routes: [route('any', [rule([{ ...target('a'), model: '*' }])], { models: ['*'] })],
    endpoints: [endpoint('a', `${a.url}/v1`, { models: [{ name: '*', rank: 0, defaults: {}, force: {} }] })],
  })
  const series = async () =>
    (await (await fetch(`${admin}/metrics`)).text()).split('\n').filter((line) => /^(tradewind|gen_ai)/.test(line))
      .length
  await ask(url, { model: 'first' })
  const before = await series()
  for (let i = 0; i < 50; i++)
    await ask(url, { model: `made-up-${i}` }, { 'x-request-id': `id-${i}`, 'user-agent': `agent-${i}` })
  assert.equal(await series(), before)
  assert.equal(await metric(admin, 'tradewind_requests_total', { model: '*' }), 51)
})

/** Tracing towards a receiver, for the length of a test. */
async function traced(t: TestContext, ratio: string, random?: () => number) {
  const receiver = await otlp(t)
  const sidecar = await failing(t, random)
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_SAMPLER_ARG: ratio }
  // The exporter reads the environment of the process itself.
  Object.assign(process.env, environment)
  t.after(() => {
    for (const name of Object.keys(environment)) delete process.env[name]
  })
  await sidecar.telemetry.traces.start(environment, (message) => assert.fail(message))
  t.after(() => sidecar.telemetry.traces.stop())
  return { receiver, ...sidecar }
}

const trace = '0af7651916cd43dd8448eb211c80319c'

test('telemetry: one server span a request and one client span an attempt, in the caller’s trace', async (t) => {
  const { url, a, b, lines, receiver, telemetry } = await traced(t, '0')
  await ask(url, { stream: true }, { traceparent: `00-${trace}-b7ad6b7169203331-01`, tracestate: 'vendor=1' })
  await eventually(() => assert.equal(lines().length, 1))
  await telemetry.traces.stop()
  const spans = receiver.spans()
  assert.equal(spans.length, 3)
  assert.deepEqual(new Set(receiver.services()), new Set(['tradewind-sidecar']))
  const [server] = spans.filter(({ kind }) => kind === 2)
  const clients = spans.filter(({ kind }) => kind === 3)
  assert.ok(server)
  assert.equal(server.name, 'POST /v1/chat/completions')
  assert.deepEqual([server.traceId, server.parentSpanId], [trace, 'b7ad6b7169203331'])
  assert.equal(server.attributes['tradewind.route'], 'ai/chat')
  assert.equal(server.attributes['gen_ai.request.model'], 'chat')
  assert.equal(server.attributes['http.response.status_code'], 200)
  assert.equal(server.attributes['tradewind.attempts'], 2)
  assert.equal(server.status, 0)
  for (const client of clients) assert.deepEqual([client.traceId, client.parentSpanId], [trace, server.spanId])
  const [first, second] = clients.sort((x, y) =>
    x.attributes['tradewind.attempt.reason'] === 'chosen' ? -1 : y ? 1 : 0,
  )
  assert.ok(first && second)
  assert.equal(first.name, 'chat a-model')
  assert.equal(first.attributes['error.type'], 'upstream_error')
  assert.equal(first.attributes['http.response.status_code'], 500)
  assert.equal(first.status, 2)
  assert.equal(second.attributes['tradewind.attempt.reason'], 'fallback')
  assert.equal(second.attributes['gen_ai.operation.name'], 'chat')
  assert.equal(second.attributes['gen_ai.provider.name'], 'openai_compatible')
  assert.equal(second.attributes['gen_ai.request.model'], 'b-model')
  assert.equal(second.attributes['server.address'], '127.0.0.1')
  assert.equal(String(second.attributes['server.port']), new URL(b.url).port)
  assert.ok(Number(second.attributes['gen_ai.usage.output_tokens']) > 0)
  assert.ok(Number(second.attributes['gen_ai.response.time_to_first_chunk']) > 0)
  assert.ok(server.seconds >= second.seconds && second.seconds > 0)
  const seen = (mock: typeof a) => mock.requests()[0]?.headers
  assert.equal(seen(a)?.['traceparent'], `00-${trace}-${first.spanId}-01`)
  assert.equal(seen(b)?.['traceparent'], `00-${trace}-${second.spanId}-01`)
  assert.equal(seen(b)?.['tracestate'], 'vendor=1')
  assert.equal(lines()[0]?.['trace'], trace)
  assert.doesNotMatch(receiver.bodies.join(), /password/, 'content is not part of it')
})

test('telemetry: what became of an answer that stopped is in the log line, a metric and an event of the span', async (t) => {
  const { url, admin, a, lines, receiver, telemetry } = await traced(t, '0')
  await a.setFaults(['truncate,after=6'])
  await ask(url, { stream: true }, { traceparent: `00-${trace}-b7ad6b7169203331-01` })
  await eventually(() => assert.equal(lines().length, 1))
  // The second target has another name, and so another answer.
  assert.equal(lines()[0]?.['rescue'], 'failed')
  assert.equal(await metric(admin, 'tradewind_rescues_total', { route: 'ai/chat', outcome: 'failed' }), 1)
  assert.equal(await metric(admin, 'tradewind_attempts_total', { why: 'rescue', code: 'replay_diverged' }), 1)
  await telemetry.traces.stop()
  assert.match(receiver.bodies.join(), /"name":"tradewind.rescue"/)
  assert.match(receiver.bodies.join(), /"key":"tradewind.rescue.outcome","value":\{"stringValue":"failed"\}/)
})

test('telemetry: what the caller does not sample is not sampled, and its trace goes on unbroken', async (t) => {
  const { url, b, lines, receiver, telemetry } = await traced(t, '1')
  const traceparent = `00-${trace}-b7ad6b7169203331-00`
  await ask(url, {}, { traceparent })
  assert.equal(b.requests()[0]?.headers['traceparent'], traceparent)
  await eventually(() => assert.equal(lines()[0]?.['trace'], trace))
  await telemetry.traces.stop()
  assert.equal(receiver.spans().length, 0)
})

test('telemetry: of requests without a trace the configured share begins one', async (t) => {
  let draws = 0
  // Every fourth draw is below the ratio.
  const { url, b, receiver, telemetry } = await traced(t, '0.25', () => (draws++ % 4) / 4)
  // With the breaker open the first target is not asked, and nothing else draws at random.
  for (let i = 0; i < 5; i++) await ask(url)
  const before = b.requests().length
  draws = 0
  for (let i = 0; i < 40; i++) await ask(url)
  const asked = b.requests().slice(before)
  const sent = asked.filter(({ headers }) => headers['traceparent'] !== undefined)
  await telemetry.traces.stop()
  const sampled = receiver.spans().filter(({ kind }) => kind === 2)
  assert.ok(sent.length >= 5 && sent.length <= 15, `${sent.length} of 40`)
  assert.ok(sampled.length >= sent.length)
})

test('telemetry: a trace context that is not valid is not passed on', async (t) => {
  const { url, b } = await failing(t)
  for (const traceparent of [
    'nonsense',
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `ff-${trace}-b7ad6b7169203331-01`,
  ]) {
    await ask(url, {}, { traceparent })
    assert.equal(b.requests().at(-1)?.headers['traceparent'], undefined, traceparent)
  }
})

test('telemetry: a ratio that is none is an error at the start', async (t) => {
  const { telemetry } = await failing(t)
  for (const arg of ['2', '-0.1', 'half'])
    await assert.rejects(
      telemetry.traces.start(
        { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_TRACES_SAMPLER_ARG: arg },
        () => {},
      ),
      /OTEL_TRACES_SAMPLER_ARG/,
    )
})

/** Says back what it was sent, as an error in each of the places that there are. */
async function parrots(t: TestContext): Promise<string> {
  let asked = 0
  const server = createServer((request, response) => {
    const error = JSON.stringify({
      error: { message: `What is ${request.headers.authorization}?`, type: 'server_error' },
    })
    const turn = asked++ % 3
    if (turn === 0) response.writeHead(401, { 'content-type': 'application/json' }).end(error)
    else if (turn === 1) response.writeHead(200, { 'content-type': 'application/json' }).end(error)
    else response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${error}\n\n`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` // it listens on a port
}

test('telemetry: a credential is in no log line, metric, span, error or dump', async (t) => {
  const receiver = await otlp(t)
  const [good, bad] = await upstreams(t, {}, {})
  const parrot = await parrots(t)
  const [closed] = await freePorts(1)
  const secret = (key: string) => ({ credentials: { type: 'Secret', secret: { secret: 'ai/key', key } } }) as const
  const parts = (rules: ReturnType<typeof rule>[]) => ({
    routes: [route('chat', rules)],
    endpoints: [
      endpoint('a', `${good.url}/v1`, {
        ...secret('one'),
        headers: { set: { 'x-api-key': 'sk-SECRET-header' }, remove: [] },
      }),
      endpoint('b', `${bad.url}/v1`, secret('two')),
      endpoint('c', `http://127.0.0.1:${closed}/v1`, secret('one')),
      endpoint('d', parrot, secret('two')),
    ],
    secrets: { 'ai/key': { data: { one: 'sk-SECRET-one', two: 'sk-SECRET-two' } } },
  })
  const { url, admin, telemetry, logged, lines, apply, path } = await observed(t, parts([rule([target('a')])]))
  Object.assign(process.env, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  t.after(() => delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'])
  await telemetry.traces.start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_SAMPLER_ARG: '1' }, () => {})
  const texts: string[] = []
  const caller = {
    authorization: 'Bearer sk-SECRET-caller',
    'x-api-key': 'sk-SECRET-caller',
    cookie: 'sk-SECRET-cookie',
  }
  const collect = async (rest: object = {}) => {
    const { text, headers } = await ask(url, rest, caller)
    texts.push(text, JSON.stringify([...headers]))
  }
  const faults = ['status=401', 'status=500', 'reset', 'rate-limit', 'error-first', 'error-middle', 'malformed']
  await collect()
  await collect({ stream: true })
  assert.equal(good.requests()[0]?.headers['authorization'], 'Bearer sk-SECRET-one', 'it does go to the endpoint')
  for (const name of ['b', 'c', 'd']) {
    assert.deepEqual(apply(parts([rule([target(name)])])), [])
    for (const fault of faults) {
      await bad.setFaults([fault])
      await collect()
      await collect({ stream: true })
    }
  }
  // Refused configurations: a key that no header may hold, and one that is not there.
  const others: Record<string, string>[] = [{ one: 'sk-SECRET-\u0001' }, { three: 'sk-SECRET-three' }]
  for (const data of others) {
    const problems = apply({ ...parts([rule([target('a')])]), secrets: { 'ai/key': { data } } })
    assert.ok(problems.length > 0)
    texts.push(JSON.stringify(problems))
  }
  for (const page of ['/config', '/endpoints', '/explain?model=chat', '/metrics', '/log-level', '/'])
    texts.push(await (await fetch(`${admin}${page}`)).text())
  assert.match(texts.join(), /\[redacted\]/)
  await eventually(() => assert.equal(lines().length, texts.filter((text) => text.includes('x-request-id')).length))
  await telemetry.traces.stop()
  assert.ok(receiver.spans().length > 20)
  texts.push(logged(), receiver.bodies.join())
  const found = texts.find((text) => text.includes('SECRET'))
  assert.equal(found, undefined)
  assert.ok(path.configuration.runtime)
})
