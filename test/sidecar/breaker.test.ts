import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'

const breaker = {
  consecutive: 3,
  percent: 50,
  minimum: 1000,
  within: 30_000,
  openFor: 2000,
  probes: 1,
  rampUp: [50, 100],
}

async function ask(url: string): Promise<string> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: '{"model":"chat","messages":[{"role":"user","content":"Hi"}]}',
  })
  await answer.arrayBuffer()
  return `${answer.status} ${answer.headers.get('x-tradewind-endpoint') ?? ''}`
}

test('breaker: opens, lets a probe through, ramps up and closes, and the pool answers all along', async (t) => {
  const [a, b] = await upstreams(t, { faults: ['status=500'] }, {})
  const { url, path } = await dataPath(t, {
    routes: [route('chat', [rule([target('a', { weight: 99 }), target('b')])])],
    endpoints: [endpoint('a', `${a.url}/v1`, { breaker }), endpoint('b', `${b.url}/v1`)],
  })
  const state = () => path.configuration.runtime?.endpoints.get('ai/a')?.models.get('a-model')?.state.breaker.state
  while (state() === 'closed') assert.equal(await ask(url), '200 ai/b')
  assert.equal(state(), 'open')
  assert.equal(a.stats().requests, 3)
  for (let i = 0; i < 10; i++) assert.equal(await ask(url), '200 ai/b')
  assert.equal(a.stats().requests, 3, 'an open one is not asked')
  await eventually(async () => {
    assert.equal(await ask(url), '200 ai/b')
    assert.equal(a.stats().requests, 4, 'a probe')
  })
  assert.equal(state(), 'open', 'the probe failed')
  await a.setFaults([])
  await eventually(async () => assert.equal(await ask(url), '200 ai/a'))
  await eventually(() => assert.equal(state(), 'closed'))
})

test('breaker: with everything open, the least bad is asked', async (t) => {
  const [a] = await upstreams(t, { faults: ['status=500'] })
  const { url, telemetry } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [endpoint('a', `${a.url}/v1`, { breaker: { ...breaker, openFor: 60_000 } })],
  })
  for (let i = 0; i < 3; i++) await ask(url)
  await a.setFaults([])
  assert.equal(await ask(url), '200 ai/a')
  assert.equal(telemetry.attempts.at(-1)?.why, 'panic')
})

test('breaker: the caller’s own errors and callers who leave do not open it', async (t) => {
  const [a] = await upstreams(t, { faults: ['status=400'] })
  const { url, path } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [endpoint('a', `${a.url}/v1`, { breaker })],
  })
  for (let i = 0; i < 6; i++) assert.match(await ask(url), /^400/)
  await a.setFaults(['stall-headers'])
  for (let i = 0; i < 6; i++)
    await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: '{"model":"chat"}',
      signal: AbortSignal.timeout(20),
    }).catch(() => {})
  assert.equal(path.configuration.runtime?.endpoints.get('ai/a')?.models.get('a-model')?.state.breaker.state, 'closed')
})

test('breaker: it is of one model, and survives an edit of the configuration', async (t) => {
  const [a] = await upstreams(t, { faults: ['status=500,model=bad'] })
  const models = ['bad', 'good'].map((name) => ({ name, rank: 0, defaults: {}, force: {} }))
  const parts = (weight: number) => ({
    routes: [route('chat', [rule([target('a', { model: 'bad', weight }), target('a', { model: 'good' })])])],
    endpoints: [endpoint('a', `${a.url}/v1`, { models, breaker: { ...breaker, openFor: 60_000 } })],
  })
  const { url, path, apply } = await dataPath(t, parts(1))
  const states = () =>
    [...(path.configuration.runtime?.endpoints.get('ai/a')?.models.values() ?? [])].map(
      ({ state }) => state.breaker.state,
    )
  for (let i = 0; i < 8; i++) assert.match(await ask(url), /^200/)
  assert.deepEqual(states(), ['open', 'closed'])
  const before = a.stats().byModel['bad']
  apply(parts(100))
  assert.deepEqual(states(), ['open', 'closed'])
  for (let i = 0; i < 8; i++) assert.match(await ask(url), /^200/)
  assert.equal(a.stats().byModel['bad'], before)
})

test('breaker: addresses that are all new have no history, and are probed at once', async (t) => {
  const [old, other, fresh, pool] = await upstreams(t, { faults: ['status=500'] }, { faults: ['status=500'] }, {}, {})
  const long = { ...breaker, openFor: 600_000 }
  const at = (...mocks: readonly { url: string }[]) => ({
    routes: [route('chat', [rule([target('a', { weight: 999 }), target('b')])])],
    endpoints: [endpoint('a', 'http://a.ai.svc/v1', { breaker: long, dynamic: true }), endpoint('b', `${pool.url}/v1`)],
    addresses: {
      'ai/a': {
        name: 'ai/a',
        addresses: mocks.map(({ url }) => ({ host: '127.0.0.1', port: Number(new URL(url).port) })),
      },
    },
  })
  const { url, path, apply } = await dataPath(t, at(old, other))
  const state = () => path.configuration.runtime?.endpoints.get('ai/a')?.models.get('a-model')?.state.breaker.state
  while (state() === 'closed') assert.equal(await ask(url), '200 ai/b')
  assert.deepEqual(apply(at(old, fresh)), [])
  assert.equal(state(), 'open', 'one that it knows is still there')
  assert.deepEqual(apply(at(other)), [])
  assert.equal(state(), 'half-open', 'none that was there just now')
  while (state() === 'half-open') assert.equal(await ask(url), '200 ai/b')
  assert.deepEqual(apply(at()), [])
  assert.equal(state(), 'open', 'there is nobody to probe')
  assert.deepEqual(apply(at(fresh)), [])
  assert.equal(state(), 'half-open')
  assert.equal(await ask(url), '200 ai/a')
  assert.equal(state(), 'ramp')
})
