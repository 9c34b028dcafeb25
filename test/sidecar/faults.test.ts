import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { request } from 'undici'
import type { CompiledEndpoint, CompiledFault, CompiledRule } from '../../api/compiled.ts'
import type { FaultType } from '../../core/faults/fault.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstreams } from '../helpers/upstream.ts'

const HOUR = 3_600_000
const TIMEOUTS = { connect: 10_000, firstToken: 300, idle: 300, attempt: 10_000 }

/** A fault of type and place, for all requests and for an hour, unless said. */
const fault = (type: FaultType, rest: Partial<CompiledFault> = {}): CompiledFault => ({
  type,
  percent: 100,
  headers: [],
  until: Date.now() + HOUR,
  ...(type === 'Delay' ? { delay: 200 } : type === 'Abort' ? { status: 503 } : {}),
  ...rest,
})
const ofFirst = { targets: [{ endpoint: 'ai/a' }] }

/** Two servers, the second for fallback, behind a rule with faults. */
async function pair(
  t: TestContext,
  faults: readonly CompiledFault[],
  rest: Partial<CompiledRule> = {},
  timeouts: Partial<CompiledEndpoint['timeouts']> = {},
) {
  const pace = { name: 'm', tokens: 12, tokensPerSecond: 1000 }
  const [a, b] = await upstreams(t, pace, pace)
  const both = [target('a'), target('b', { priority: 1 })]
  const options = { timeouts: { ...TIMEOUTS, ...timeouts } }
  const path = await dataPath(t, {
    routes: [route('chat', [rule(both, { faults, ...rest })])],
    endpoints: [endpoint('a', `${a.url}/v1`, options), endpoint('b', `${b.url}/v1`, options)],
  })
  return { a, b, ...path, ask: (fields: object = {}, headers = {}) => ask(path.url, fields, headers) }
}

async function ask(url: string, fields: object, headers: Readonly<Record<string, string>>) {
  const began = performance.now()
  const answer = await request(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }], ...fields }),
  })
  const text = await answer.body.text()
  const said = (name: string) => String(answer.headers[`x-tradewind-${name}`] ?? '')
  return {
    status: answer.statusCode,
    text,
    took: performance.now() - began,
    endpoint: said('endpoint').replace('ai/', ''),
    attempts: Number(said('attempts')),
    reason: said('reason'),
    rescue: answer.trailers['x-tradewind-rescue'],
    code: /"code":"(\w+)"/.exec(text)?.[1],
  }
}

/** What was injected into the attempts of the last request, and how each ended. */
const attempted = ({ telemetry }: Awaited<ReturnType<typeof pair>>) =>
  telemetry.exchanges.at(-1)?.attempts.map(({ injected, code }) => [injected?.join() ?? '', code ?? ''])

describe('faults: without anybody to fall back on, the caller gets what a real failure of the kind makes', () => {
  const alone = { fallback: { when: [] } } as const
  for (const [type, stream, rest, status, code] of [
    ['Abort', false, {}, 503, 'upstream_error'],
    ['Abort', true, {}, 503, 'upstream_error'],
    ['Abort', false, { status: 429 }, 429, 'upstream_busy'],
    ['Cut', false, { afterBytes: 20 }, 502, 'upstream_truncated'],
    ['Cut', false, {}, 502, 'upstream_truncated'],
    ['Cut', true, {}, 502, 'upstream_truncated'],
    ['Stall', true, {}, 504, 'first_token_timeout'],
  ] as const)
    test(`${type} ${JSON.stringify(rest)}, ${stream ? 'stream' : 'whole'}: ${status} ${code}`, async (t) => {
      const it = await pair(t, [fault(type, { ...ofFirst, ...rest })], alone)
      const answer = await it.ask({ stream })
      assert.deepEqual([answer.status, answer.code], [status, code])
      assert.deepEqual(attempted(it), [[type, code]])
      assert.equal(it.a.stats().requests, type === 'Abort' ? 0 : 1)
      // What a caller reads of the failure says that it was on purpose.
      assert.match(answer.reason, /\bfault_injected\b/)
      assert.match(answer.text, new RegExp(`${type} injected`))
    })

  test('Stall, whole: the deadline of the attempt', async (t) => {
    const it = await pair(t, [fault('Stall', { ...ofFirst, afterBytes: 5 })], alone, { attempt: 300 })
    const { status, code } = await it.ask()
    assert.deepEqual([status, code], [504, 'attempt_timeout'])
    assert.deepEqual(attempted(it), [['Stall', 'attempt_timeout']])
  })
  for (const [type, code] of [
    ['Cut', 'upstream_truncated'],
    ['Stall', 'idle_timeout'],
  ] as const)
    test(`${type} in a stream that nobody rescues: an error event after what had come`, async (t) => {
      const it = await pair(t, [fault(type, { ...ofFirst, afterBytes: 1000 })], {
        ...alone,
        rescue: { mode: 'Off' },
      })
      const { status, text } = await it.ask({ stream: true })
      assert.equal(status, 200)
      assert.match(text, /^data: .*"content"/)
      assert.match(text, new RegExp(`"code":"${code}"`))
      assert.deepEqual(attempted(it), [[type, code]])
    })
})

describe('faults: a fallback answers in the place of a target that fails on purpose', () => {
  for (const type of ['Abort', 'Cut', 'Stall'] as const)
    for (const stream of [false, true])
      test(`${type}, ${stream ? 'stream' : 'whole'}`, async (t) => {
        const it = await pair(t, [fault(type, ofFirst)], {}, stream ? {} : { attempt: 300 })
        const answer = await it.ask({ stream })
        assert.deepEqual([answer.status, answer.endpoint, answer.attempts], [200, 'b', 2])
        assert.match(answer.reason, /fault_injected, fallback/)
        assert.equal(attempted(it)?.[0]?.[0], type)
        assert.deepEqual(attempted(it)?.[1], ['', ''])
      })
  for (const type of ['Cut', 'Stall'] as const)
    test(`${type} after the first byte of a stream: it is rescued`, async (t) => {
      const it = await pair(t, [fault(type, { ...ofFirst, afterBytes: 1000 })])
      const { status, text, rescue } = await it.ask({ stream: true })
      assert.deepEqual([status, rescue], [200, 'replayed'])
      assert.match(text, /\[DONE\]/)
      assert.doesNotMatch(text, /"error"/)
      assert.equal(attempted(it)?.[0]?.[0], type)
    })
})

test('faults: a delay is waited for, and is not a failure while it fits the deadlines', async (t) => {
  for (const stream of [false, true]) {
    const it = await pair(t, [fault('Delay'), fault('Delay', { delay: 50 })], {}, { firstToken: 5000 })
    const { status, took, endpoint: by } = await it.ask({ stream })
    assert.deepEqual([status, by], [200, 'a'])
    assert.ok(took >= 245, `${took} ms`)
    assert.deepEqual(attempted(it), [['Delay', '']])
  }
})

test('faults: a delay beyond the first token is the deadline’s, and the target is not called', async (t) => {
  const it = await pair(t, [fault('Delay', { ...ofFirst, delay: 5000 })])
  const { status, endpoint: by, took } = await it.ask({ stream: true })
  assert.deepEqual([status, by], [200, 'b'])
  assert.ok(took < 4000)
  assert.deepEqual(attempted(it)?.[0], ['Delay', 'first_token_timeout'])
  assert.equal(it.a.stats().requests, 0)
})

test('faults: a delay and an error at once are a slow error', async (t) => {
  const it = await pair(t, [fault('Delay', { delay: 100 }), fault('Abort')], { fallback: { when: [] } })
  const { status, took } = await it.ask()
  assert.equal(status, 503)
  assert.ok(took >= 95)
  assert.deepEqual(attempted(it), [['Delay,Abort', 'upstream_error']])
})

test('faults: an answer no longer than where it would be cut is whole', async (t) => {
  const it = await pair(t, [fault('Cut', { afterBytes: 1_000_000 }), fault('Stall')])
  const { status, reason } = await it.ask()
  assert.equal(status, 200)
  assert.doesNotMatch(reason, /fault/)
  assert.deepEqual(attempted(it), [['', '']])
})

test('faults: only requests with all of the headers meet them', async (t) => {
  const headers = [
    { name: 'x-drill', type: 'Exact', value: 'yes' },
    { name: 'x-team', type: 'Present', value: '' },
  ] as const
  const it = await pair(t, [fault('Abort', { ...ofFirst, headers })])
  for (const [given, by] of [
    [{}, 'a'],
    [{ 'x-drill': 'yes' }, 'a'],
    [{ 'x-drill': 'no', 'x-team': 'a' }, 'a'],
    [{ 'X-Drill': 'yes', 'x-team': 'a' }, 'b'],
  ] as const)
    assert.equal((await it.ask({}, given)).endpoint, by)
})

test('faults: chance is drawn once a request, so that no retry gets past an outage', async (t) => {
  const it = await pair(t, [])
  const breaker = { consecutive: 1000, percent: 100, minimum: 100_000, within: 1000, openFor: 1, probes: 100 }
  const options = { timeouts: TIMEOUTS, breaker: { ...breaker, rampUp: [100] } }
  const budget = { retryBudget: { percent: 100, minPerSecond: 1000 } }
  const config = {
    routes: [
      route('chat', [
        rule([target('a'), target('b', { priority: 1 })], {
          faults: [fault('Abort', { percent: 50 })],
          retry: { attempts: 1, when: ['Status5xx'] },
          fallback: { when: ['Status5xx'] },
        }),
      ]),
    ],
    endpoints: [
      endpoint('a', `${it.a.url}/v1`, { ...options, ...budget }),
      endpoint('b', `${it.b.url}/v1`, { ...options, ...budget }),
    ],
  }
  assert.deepEqual(it.apply(config), [])
  const answers = await Promise.all(Array.from({ length: 200 }, () => it.ask()))
  const failed = answers.filter(({ status }) => status === 503).length
  // With a draw for each of the four calls it would be one in sixteen. Binomial(200, 1/2) is outside of this once in 10^6.
  assert.ok(failed > 65 && failed < 135, `${failed} of 200 failed`)
})

test('faults: breakers count them, and so do those who see the target’s latency', async (t) => {
  const it = await pair(t, [fault('Abort', ofFirst)])
  for (let i = 0; i < 7; i++) assert.equal((await it.ask()).endpoint, 'b')
  const [state] = [...(it.path.configuration.runtime?.endpoints.get('ai/a')?.models.values() ?? [])]
  assert.equal(state?.state.breaker.state, 'open')
  // An open breaker is asked no more, and so nothing is injected.
  assert.deepEqual(attempted(it), [['', '']])
})

test('faults: after their time, and more than a day before it, nothing is injected', async (t) => {
  for (const until of [Date.now() - 1, Date.now() + 24 * HOUR + 60_000]) {
    const it = await pair(t, [fault('Abort', { until })])
    assert.equal((await it.ask()).endpoint, 'a')
  }
  const it = await pair(t, [fault('Abort', { ...ofFirst, until: Date.now() + 400 })])
  assert.equal((await it.ask()).endpoint, 'b')
  await new Promise((resolve) => setTimeout(resolve, 450))
  assert.equal((await it.ask()).endpoint, 'a', 'no new configuration has come')
})

test('faults: a configuration whose fault lacks what its type takes is refused', async (t) => {
  const it = await dataPath(t)
  const [a] = await upstreams(t, {})
  for (const type of ['Delay', 'Abort'] as const) {
    const bare: CompiledFault = { type, percent: 100, headers: [], until: Date.now() + HOUR }
    const problems = it.apply({
      routes: [route('chat', [rule([target('a')], { faults: [bare] })])],
      endpoints: [endpoint('a', `${a.url}/v1`)],
    })
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['/rules/0/faults/0'],
    )
  }
})
