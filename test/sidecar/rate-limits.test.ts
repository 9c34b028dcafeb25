import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledRule } from '../../api/compiled.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { completion, json, scripted } from '../helpers/scripted.ts'

type Headers = Record<string, string>

/** Of forty: shares are exact over many requests, and near over few. */
const half = (asked: number): void => assert.ok(asked >= 17 && asked <= 23, `${asked} of 40`)

const left = (remaining: number, reset = '60s'): Headers => ({
  'x-ratelimit-limit-requests': '1000',
  'x-ratelimit-remaining-requests': String(remaining),
  'x-ratelimit-reset-requests': reset,
})

/** Two targets of the same weight, of which the first says this of its limits. */
async function two(t: TestContext, says: () => Headers, ruled: Partial<CompiledRule> = {}) {
  const a = await scripted(t, (response) => json(response, completion('Hi'), 200, says()))
  const b = await scripted(t, (response) => json(response, completion('Hi')))
  const { url, path } = await dataPath(t, {
    routes: [route('chat', [rule([target('a'), target('b')], ruled)])],
    endpoints: [endpoint('a', a.url), endpoint('b', b.url)],
  })
  const ask = async (times: number): Promise<number> => {
    const before = a.requests()
    for (let i = 0; i < times; i++) await post(url)
    return a.requests() - before
  }
  return { ask, path }
}

async function post(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hi' }] }),
  })
  return { status: response.status, text: await response.text() }
}

test('rate limits: with plenty left the weights hold', async (t) => {
  const { ask } = await two(t, () => left(900))
  half(await ask(40))
})

test('rate limits: a target that is about to refuse gets less, never nothing, and its share again when its limit is whole', async (t) => {
  let remaining = 20
  const { ask } = await two(t, () => left(remaining))
  await ask(4)
  // Of 1,000 there are 20 left, a tenth of the fifth from which on it is spared: 0.1 of 1.1.
  const scarce = await ask(110)
  assert.ok(scarce >= 8 && scarce <= 14, `${scarce} of 110`)
  remaining = 1000
  await ask(40)
  half(await ask(40))
})

test('rate limits: where a share is not to move, it does not', async (t) => {
  const { ask } = await two(t, () => left(0), { onUnavailable: 'Fail' })
  half(await ask(40))
})

test('rate limits: the only target is asked whatever is left, without failures', async (t) => {
  const { url, requests } = await scripted(t, (response) => json(response, completion('Hi'), 200, left(0)))
  const { url: sidecar } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [endpoint('a', url)],
  })
  for (let i = 0; i < 20; i++) assert.equal((await post(sidecar)).status, 200)
  assert.equal(requests(), 20)
})

test('rate limits: one of the account spares all models of its endpoint, one of a model its own alone', async (t) => {
  const models = ['one', 'two'].map((name) => ({ name, rank: 0, defaults: {}, force: {} }))
  const subscription = (part: string): Headers => ({ 'anthropic-ratelimit-unified-5h-utilization': part })
  for (const [headers, shared] of [
    [subscription('0.98'), true],
    [left(20), false],
  ] as const) {
    const a = await scripted(t, (response, body) =>
      json(response, completion('Hi'), 200, body.includes('"one"') ? headers : {}),
    )
    const { url, path } = await dataPath(t, {
      routes: [route('chat', [rule([{ ...target('a'), model: 'one' }])])],
      endpoints: [endpoint('a', a.url, { models })],
    })
    await post(url)
    const known = path.configuration.runtime?.endpoints.get('ai/a')
    const share = (model: string) =>
      Math.min(known?.limits.share() ?? 1, known?.models.get(model)?.state.limits.share() ?? 1)
    assert.ok(share('one') < 0.2)
    assert.equal(share('two') < 0.2, shared)
  }
})

const spent = {
  error: { message: 'You exceeded your current quota.', type: 'insufficient_quota', code: 'insufficient_quota' },
}

test('rate limits: a quota that is used up takes all models of the account out at once, and a probe after a minute', async (t) => {
  const a = await scripted(t, (response) => json(response, spent, 429))
  const b = await scripted(t, (response) => json(response, completion('Hi')))
  const models = ['one', 'two'].map((name) => ({ name, rank: 0, defaults: {}, force: {} }))
  const { url, path } = await dataPath(t, {
    routes: [route('chat', [rule([{ ...target('a'), model: 'one' }, target('b', { priority: 1 })])])],
    endpoints: [endpoint('a', a.url, { models }), endpoint('b', b.url)],
  })
  for (let i = 0; i < 5; i++) assert.equal((await post(url)).status, 200)
  assert.equal(a.requests(), 1)
  const known = path.configuration.runtime?.endpoints.get('ai/a')
  for (const model of ['one', 'two']) assert.ok(known?.models.get(model)?.state.breaker.isHeld, model)
})

test('rate limits: a quota of the day is the model’s own, and comes back at midnight in California', async (t) => {
  const details = [
    {
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }],
    },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' },
  ]
  const body = {
    error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'You exceeded your current quota', details },
  }
  const a = await scripted(t, (response) => json(response, body, 429))
  const models = ['one', 'two'].map((name) => ({ name, rank: 0, defaults: {}, force: {} }))
  const { url, path } = await dataPath(t, {
    routes: [route('chat', [rule([{ ...target('a'), model: 'one' }])])],
    endpoints: [endpoint('a', a.url, { models })],
  })
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hi' }] }),
  })
  assert.equal(response.status, 429)
  const wait = Number(response.headers.get('retry-after'))
  assert.ok(
    wait > 7 || new Date().toLocaleTimeString('en-GB', { timeZone: 'America/Los_Angeles' }).startsWith('23:59:5'),
  )
  assert.ok(wait <= 25 * 3600)
  const known = path.configuration.runtime?.endpoints.get('ai/a')
  assert.ok(known?.models.get('one')?.state.breaker.isHeld)
  assert.equal(known.models.get('two')?.state.breaker.state, 'closed')
})
