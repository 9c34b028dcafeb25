import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledEndpoint, CompiledRule } from '../../api/compiled.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstreams } from '../helpers/upstream.ts'

const ALL = ['Connect', 'Reset', 'Timeout', 'Status5xx', 'Status429'] as const

async function ask(url: string) {
  const from = performance.now()
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }] }),
  })
  const body = (await answer.json()) as { error?: { code: string } }
  return { status: answer.status, code: body.error?.code, headers: answer.headers, took: performance.now() - from }
}

async function one(
  t: TestContext,
  faults: readonly string[],
  ruled: Partial<CompiledRule>,
  rest: Partial<CompiledEndpoint> = {},
  requestTimeout = 60_000,
) {
  const [a] = await upstreams(t, { faults })
  const sidecar = await dataPath(t, {
    routes: [route('chat', [rule([target('a')], ruled)], { requestTimeout })],
    endpoints: [endpoint('a', `${a.url}/v1`, rest)],
  })
  return { a, ...sidecar }
}

for (const [kind, fault] of [
  ['Reset', 'reset'],
  ['Reset', 'hang-up'],
  ['Reset', 'truncate'],
  ['Status5xx', 'status=503'],
  ['Status5xx', 'error-200'],
  ['Status429', 'rate-limit=none'],
  ['Timeout', 'stall-headers'],
] as const) {
  test(`retry: ${fault} is asked again where retry.when has ${kind}`, async (t) => {
    const short = kind === 'Timeout' ? 150 : 30_000
    const timeouts = { connect: 30_000, firstToken: short, idle: short, attempt: short }
    const { a, url } = await one(t, [`${fault},times=2`], { retry: { attempts: 2, when: [kind] } }, { timeouts })
    const seen = await ask(url)
    assert.equal(seen.status, 200)
    assert.equal(seen.headers.get('x-tradewind-attempts'), '3')
    assert.equal(a.stats().requests, 3)
  })

  test(`retry: ${fault} is not asked again where it has not`, async (t) => {
    const short = kind === 'Timeout' ? 150 : 30_000
    const timeouts = { connect: 30_000, firstToken: short, idle: short, attempt: short }
    const when = ALL.filter((it) => it !== kind)
    const { a, url } = await one(t, [fault], { retry: { attempts: 2, when } }, { timeouts })
    assert.notEqual((await ask(url)).status, 200)
    assert.equal(a.stats().requests, 1)
  })
}

test('retry: a refused connection is tried again', async (t) => {
  const { url, telemetry } = await one(t, ['refuse'], { retry: { attempts: 2, when: ['Connect'] } })
  assert.equal((await ask(url)).code, 'connect_failed')
  assert.deepEqual(
    telemetry.attempts.map(({ why }) => why),
    ['chosen', 'retry', 'retry'],
  )
})

for (const fault of ['quota', 'status=400', 'status=404', 'context-length', 'content-refused'])
  test(`retry: ${fault} is never asked again`, async (t) => {
    const { a, url } = await one(t, [fault], { retry: { attempts: 3, when: ALL } })
    await ask(url)
    assert.equal(a.stats().requests, 1)
  })

test('retry: the answer of the last attempt is the answer', async (t) => {
  const { url } = await one(t, ['status=503,times=1', 'status=500'], { retry: { attempts: 1, when: ['Status5xx'] } })
  assert.equal((await ask(url)).status, 500)
})

test('retry: the budget bounds retries', async (t) => {
  const { a, url } = await one(
    t,
    ['status=500'],
    { retry: { attempts: 1, when: ['Status5xx'] } },
    {
      retryBudget: { percent: 10, minPerSecond: 0 },
      breaker: { ...endpoint('a', '').breaker, consecutive: 1000, minimum: 1000 },
    },
  )
  for (let i = 0; i < 40; i++) await ask(url)
  const { requests } = a.stats()
  assert.ok(requests >= 42 && requests <= 44, `${requests} of 40 asked for and at most 4 more`)
})

for (const form of ['ms', 'x-ms', 'seconds', 'fraction', 'date', 'text'])
  test(`retry: a 429 that says when (${form}) is waited for`, async (t) => {
    const wait = form === 'date' || form === 'seconds' ? 1 : 0.3
    const { a, url } = await one(t, [`rate-limit=${form},wait=${wait * 1000}ms,times=1`], {
      retry: { attempts: 1, when: ['Status429'] },
    })
    const seen = await ask(url)
    assert.equal(seen.status, 200)
    assert.equal(a.stats().requests, 2)
    // An HTTP date has whole seconds only.
    const least = form === 'date' ? 0 : wait * 1000 - 5
    assert.ok(seen.took >= least && seen.took < wait * 1000 + 1100, `${seen.took} ms`)
  })

test('retry: a 429 that says a time beyond the deadline is not waited for, and the time is passed on', async (t) => {
  const { a, url } = await one(
    t,
    ['rate-limit=seconds,wait=30s'],
    { retry: { attempts: 3, when: ['Status429'] } },
    {},
    2000,
  )
  const seen = await ask(url)
  assert.equal(seen.status, 429)
  assert.ok(seen.took < 1000)
  assert.equal(seen.headers.get('retry-after'), '30')
  assert.equal(seen.headers.get('x-should-retry'), 'false')
  assert.equal(a.stats().requests, 1)
})

test('cooling: a target that asked to be left alone gets nothing until then, and the pool answers', async (t) => {
  const [a, b] = await upstreams(t, { faults: ['rate-limit=ms,wait=700ms,times=1'] }, {})
  const { url, telemetry } = await dataPath(t, {
    routes: [route('chat', [rule([target('a'), target('b')], { retry: { attempts: 1, when: ['Status429'] } })])],
    endpoints: [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`)],
  })
  while (a.stats().requests === 0) assert.equal((await ask(url)).status, 200)
  const since = performance.now()
  while (performance.now() - since < 500) assert.equal((await ask(url)).status, 200)
  assert.equal(a.stats().requests, 1, 'it is left alone')
  while (a.stats().requests === 1 && performance.now() - since < 5000) assert.equal((await ask(url)).status, 200)
  assert.ok(a.stats().requests > 1, 'it is asked again')
  assert.ok(performance.now() - since >= 600)
  assert.equal(telemetry.attempts.filter(({ why }) => why === 'retry').length, 0, 'nobody waited')
})

test('cooling: with all targets cooling the answer is 429 with the soonest recovery, and nobody is asked', async (t) => {
  const [a, b] = await upstreams(
    t,
    { faults: ['rate-limit=seconds,wait=20s'] },
    { faults: ['rate-limit=seconds,wait=10s'] },
  )
  const { url } = await dataPath(t, {
    routes: [route('chat', [rule([target('a'), target('b')])])],
    endpoints: [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`)],
  })
  const first = await ask(url)
  assert.equal(first.status, 429)
  assert.equal(first.headers.get('retry-after'), '10')
  const second = await ask(url)
  assert.equal(second.status, 429)
  assert.equal(second.code, 'cooling')
  assert.match(second.headers.get('retry-after') ?? '', /^(9|10)$/)
  assert.deepEqual([a.stats().requests, b.stats().requests], [1, 1])
})

test('cooling: with all targets busy, the first to be free is waited for', async (t) => {
  const [a, b] = await upstreams(
    t,
    { faults: ['rate-limit=seconds,wait=20s'] },
    { faults: ['rate-limit=ms,wait=300ms,times=1'] },
  )
  const { url } = await dataPath(t, {
    routes: [
      route('chat', [
        rule([target('a'), target('b', { priority: 1 })], { retry: { attempts: 1, when: ['Status429'] } }),
      ]),
    ],
    endpoints: [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`)],
  })
  const seen = await ask(url)
  assert.equal(seen.status, 200)
  assert.equal(seen.headers.get('x-tradewind-endpoint'), 'ai/b')
  assert.ok(seen.took >= 295 && seen.took < 1500, `${seen.took} ms`)
})

test('limits: beyond maxInFlight the next target is asked, else 429', async (t) => {
  const [a, b] = await upstreams(t, { latency: '300ms' }, {})
  const { url, apply } = await dataPath(t)
  const endpoints = [endpoint('a', `${a.url}/v1`, { maxInFlight: 2 }), endpoint('b', `${b.url}/v1`)]
  apply({ routes: [route('chat', [rule([target('a'), target('b', { priority: 1 })])])], endpoints })
  const both = await Promise.all([1, 2, 3].map(() => ask(url)))
  assert.deepEqual(
    both.map(({ status }) => status),
    [200, 200, 200],
  )
  assert.deepEqual([a.stats().requests, b.stats().requests], [2, 1])
  apply({ routes: [route('chat', [rule([target('a')])])], endpoints })
  const alone = await Promise.all([1, 2, 3].map(() => ask(url)))
  const codes = alone.map(({ code }) => code ?? '')
  assert.deepEqual(
    codes.toSorted((a, b) => a.localeCompare(b)),
    ['', '', 'endpoint_full'],
  )
  assert.equal((await ask(url)).status, 200, 'places are given back')
})
