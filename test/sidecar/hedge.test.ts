import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { request } from 'undici'
import type { CompiledEndpoint, CompiledRule } from '../../api/compiled.ts'
import type { MockOptions } from '../../cli/mock/server.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'

const messages = [{ role: 'user', content: 'Hello' }]

async function ask(url: string, stream: boolean, path = '/v1/chat/completions', signal?: AbortSignal) {
  const body = path.endsWith('completions') ? { messages } : { prompt: 'A boat' }
  const answer = await request(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat', stream, ...body }),
    ...(signal ? { signal } : {}),
  })
  return {
    status: answer.statusCode,
    by: String(answer.headers['x-tradewind-endpoint']),
    text: await answer.body.text(),
  }
}

/** Two targets, the second of which is asked only if the first is slow or fails. */
async function pair(
  t: TestContext,
  first: MockOptions,
  second: MockOptions = {},
  hedge: CompiledRule['hedge'] = { after: 80, percent: 100 },
  rest: { readonly rule?: Partial<CompiledRule>; readonly second?: Partial<CompiledEndpoint> } = {},
) {
  const [a, b] = await upstreams(t, first, second)
  const sidecar = await dataPath(t, {
    routes: [
      route('chat', [rule([target('a'), target('b', { priority: 1 })], { ...(hedge ? { hedge } : {}), ...rest.rule })]),
    ],
    endpoints: [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`, rest.second)],
  })
  return { a, b, ...sidecar }
}

for (const stream of [false, true])
  test(`hedge: ${stream ? 'streamed' : 'unary'}: the second target answers where the first is slow, which is left and paid for`, async (t) => {
    const { a, b, url, telemetry } = await pair(t, stream ? { ttft: '5s' } : { latency: '5s' })
    const { status, by, text } = await ask(url, stream)
    assert.equal(status, 200)
    assert.equal(by, 'ai/b')
    assert.match(text, /heard/)
    await eventually(() => assert.ok(a.requests()[0]?.aborted))
    assert.equal(b.stats().requests, 1)
    const [facts] = telemetry.exchanges
    assert.deepEqual(
      [facts?.code, facts?.error, facts?.endpoint, facts?.finishReason],
      [undefined, undefined, 'ai/b', 'stop'],
    )
    assert.deepEqual(
      facts?.attempts.map(({ why, code }) => [why, code]),
      [
        ['chosen', 'hedge_lost'],
        ['hedge', undefined],
      ],
    )
    const [lost, won] = facts?.attempts ?? []
    assert.ok((lost?.usage?.input ?? 0) > 0 && lost?.usage?.estimated)
    assert.ok((won?.usage?.output ?? 0) > 0)
    assert.equal(facts?.usage?.output, won?.usage?.output)
    assert.ok((lost?.ended ?? Infinity) - (won?.firstByte ?? 0) < 100, 'the loser is left within 100 ms')
  })

test('hedge: the first target answers where it is fast enough, and the second is left where it is slower still', async (t) => {
  const fast = await pair(t, {})
  assert.equal((await ask(fast.url, false)).by, 'ai/a')
  assert.equal(fast.b.stats().requests, 0)

  const slow = await pair(t, { ttft: '250ms' }, { ttft: '5s' })
  assert.equal((await ask(slow.url, true)).by, 'ai/a')
  await eventually(() => assert.ok(slow.b.requests()[0]?.aborted))
  assert.deepEqual(
    slow.telemetry.exchanges[0]?.attempts.map(({ why, code }) => [why, code]),
    [
      ['chosen', undefined],
      ['hedge', 'hedge_lost'],
    ],
  )
})

test('hedge: an event without a token is no answer', async (t) => {
  const { url } = await pair(t, { faults: ['stall-body,after=1'] })
  assert.equal((await ask(url, true)).by, 'ai/b')
})

test('hedge: where the second fails, the first is waited for; where the first fails, the second', async (t) => {
  const first = await pair(t, { latency: '400ms' }, { faults: ['status=500'] })
  assert.deepEqual((await ask(first.url, false)).by, 'ai/a')
  const second = await pair(t, { faults: ['status=500'], latency: '150ms' }, { latency: '400ms' })
  assert.deepEqual((await ask(second.url, false)).by, 'ai/b')
  assert.equal(second.b.stats().requests, 1, 'it is not asked again')
})

test('hedge: where both fail, so does the request, once each', async (t) => {
  const { url, a, b } = await pair(t, { faults: ['status=500'], latency: '200ms' }, { faults: ['status=503'] })
  const { status } = await ask(url, false)
  assert.ok(status >= 500)
  assert.deepEqual([a.stats().requests, b.stats().requests], [1, 1])
})

test('hedge: the caller’s own mistake is nobody else’s to look at', async (t) => {
  const { url, b } = await pair(t, { faults: ['status=400'], latency: '200ms' }, { latency: '5s' })
  assert.equal((await ask(url, false)).status, 400)
  await eventually(() => assert.ok(b.requests()[0]?.aborted))
})

test('hedge: a caller that leaves ends both', async (t) => {
  const { url, a, b, telemetry } = await pair(t, { latency: '5s' }, { latency: '5s' })
  const leaving = new AbortController()
  const asked = ask(url, false, undefined, leaving.signal).catch(() => undefined)
  await eventually(() => assert.equal(b.stats().requests, 1))
  leaving.abort()
  await asked
  await eventually(() => assert.ok(a.requests()[0]?.aborted && b.requests()[0]?.aborted))
  await eventually(() => assert.equal(telemetry.exchanges[0]?.code, 'client_closed'))
})

test('hedge: a winner that stops later is rescued', async (t) => {
  const { url, telemetry } = await pair(t, { name: 'm', faults: ['truncate,after=5'] }, { name: 'm' })
  const { text } = await ask(url, true)
  assert.match(text, /\[DONE\]/)
  assert.equal(telemetry.exchanges[0]?.rescue, 'replayed')
})

test('hedge: no more than its share of the requests, and never a target that has enough', async (t) => {
  const some = await pair(t, { latency: '60ms' }, {}, { after: 10, percent: 25 })
  for (let i = 0; i < 12; i++) await ask(some.url, false)
  assert.equal(some.b.stats().requests, 3)

  const one = { after: 10, percent: 100 }
  const full = await pair(t, { latency: '1s' }, { latency: '500ms' }, one, { second: { maxInFlight: 1 } })
  const both = await Promise.all([ask(full.url, false), ask(full.url, false)])
  assert.deepEqual(both.map(({ by }) => by).toSorted(), ['ai/a', 'ai/b'])
  assert.equal(full.b.stats().requests, 1)
})

test('hedge: without a time of its own, after what 95 of 100 answers took', async (t) => {
  const { url, a, b } = await pair(t, {}, {}, { percent: 100 })
  for (let i = 0; i < 20; i++) await ask(url, false)
  assert.equal(b.stats().requests, 0, 'nothing is known yet')
  a.setPace({ latency: '5s' })
  assert.equal((await ask(url, false)).by, 'ai/b')
})

test('hedge: off unless the rule says so, and never for what makes images', async (t) => {
  const off = await pair(t, { latency: '300ms' }, {}, undefined)
  const { telemetry } = off
  off.apply({
    routes: [route('chat', [rule([target('a'), target('b', { priority: 1 })])])],
    endpoints: [endpoint('a', `${off.a.url}/v1`), endpoint('b', `${off.b.url}/v1`)],
  })
  assert.equal((await ask(off.url, false)).by, 'ai/a')
  assert.equal(telemetry.exchanges[0]?.attempts.length, 1)
  const openai = { provider: { type: 'OpenAI' } } as const
  const [a, b] = await upstreams(t, { latency: '300ms' }, {})
  const images = await dataPath(t, {
    routes: [
      route('chat', [rule([target('a'), target('b', { priority: 1 })], { hedge: { after: 10, percent: 100 } })]),
    ],
    endpoints: [endpoint('a', `${a.url}/v1`, openai), endpoint('b', `${b.url}/v1`, openai)],
  })
  assert.equal((await ask(images.url, false, '/v1/images/generations')).by, 'ai/a')
  assert.equal(b.stats().requests, 0)
})
