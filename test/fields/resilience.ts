import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { upstream, upstreams } from '../helpers/upstream.ts'
import { eventually } from '../helpers/eventually.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, sidecar, to } from './setting.ts'

/** The code of the error that a caller gets from a server with that fault, where the whole request may take 700 ms. */
async function codeOf(t: TestContext, fault: string, stream: boolean, timeouts: object): Promise<string> {
  const mock = await upstream(t, { faults: [fault] })
  const routes = { chat: chat([to('e')], {}, { timeouts: { request: '700ms' } }) }
  const { ask } = await sidecar(t, { endpoints: { e: at(mock.url, { timeouts }) }, routes })
  return (await ask({ stream })).code
}

/** A port that takes connections and says nothing, so that no TLS handshake ends. */
async function silent(t: TestContext): Promise<number> {
  const server = createServer((socket) => t.after(() => socket.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return (server.address() as AddressInfo).port // it listens on a port
}

const FAIL = { 'x-mock-fault': 'status=500,on=a' }

/** Two targets, of which `a`, with such a breaker, is always asked first as long as it may be. */
async function pair(t: TestContext, circuitBreaker: object | undefined, pace: { latency?: string } = {}) {
  const [a, b] = await upstreams(t, pace, {})
  const { ask } = await sidecar(t, {
    endpoints: { a: at(a.url, circuitBreaker && { circuitBreaker }), b: at(b.url) },
    routes: { chat: chat([to('a'), to('b', { priority: 1 })]) },
  })
  const fail = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) await ask({ headers: FAIL })
  }
  return { a, b, ask, fail }
}

/** How many of the statuses a caller gets are 500 where a first attempt fails and one retry is asked for. */
async function attempts(t: TestContext, retryBudget: object): Promise<number> {
  const mock = await upstream(t, { faults: ['status=500'] })
  const { ask } = await sidecar(t, {
    endpoints: { e: at(mock.url, { retryBudget }) },
    routes: { chat: chat([to('e')], { retry: { attempts: 1 } }) },
  })
  return (await ask()).attempts
}

export const resilience: Coverage = {
  'ModelEndpoint spec.timeouts.connect': async (t) => {
    const port = await silent(t)
    const codes = []
    for (const timeouts of [{ connect: '100ms' }, {}]) {
      const routes = { chat: chat([to('e')], {}, { timeouts: { request: '700ms' } }) }
      const { ask } = await sidecar(t, { endpoints: { e: at(`https://127.0.0.1:${port}`, { timeouts }) }, routes })
      codes.push((await ask()).code)
    }
    assert.deepEqual(codes, ['connect_timeout', 'request_timeout'])
  },
  'ModelEndpoint spec.timeouts.firstToken': async (t) => {
    assert.equal(await codeOf(t, 'stall-headers', true, { firstToken: '100ms' }), 'first_token_timeout')
    assert.equal(await codeOf(t, 'stall-headers', true, {}), 'request_timeout')
  },
  'ModelEndpoint spec.timeouts.idle': async (t) => {
    assert.equal(await codeOf(t, 'stall-body', true, { idle: '100ms' }), 'idle_timeout')
    assert.equal(await codeOf(t, 'stall-body', true, {}), 'request_timeout')
  },
  'ModelEndpoint spec.timeouts.attempt': async (t) => {
    const short = { connect: '100ms', firstToken: '100ms', idle: '100ms', attempt: '200ms' }
    assert.equal(await codeOf(t, 'stall-headers', false, short), 'attempt_timeout')
    assert.equal(await codeOf(t, 'stall-headers', false, { ...short, attempt: '600s' }), 'request_timeout')
  },

  'ModelEndpoint spec.circuitBreaker.consecutive': async (t) => {
    for (const [breaker, asked] of [
      [{ consecutive: 2 }, 2],
      [undefined, 4],
    ] as const) {
      const { a, fail } = await pair(t, breaker)
      await fail(4)
      assert.equal(a.stats().requests, asked)
    }
  },
  'ModelEndpoint spec.circuitBreaker.ratio.percent': async (t) => {
    for (const [percent, endpoint] of [
      [40, 'b'],
      [60, 'a'],
    ] as const) {
      const { ask, fail } = await pair(t, { ratio: { percent, minimum: 4 } })
      for (let i = 0; i < 2; i++) {
        await ask()
        await fail(1)
      }
      assert.equal((await ask()).endpoint, endpoint)
    }
  },
  'ModelEndpoint spec.circuitBreaker.ratio.minimum': async (t) => {
    for (const [ratio, endpoint] of [
      [{ minimum: 4 }, 'b'],
      [{}, 'a'],
    ] as const) {
      const { ask, fail } = await pair(t, { ratio })
      for (let i = 0; i < 2; i++) {
        await ask()
        await fail(1)
      }
      assert.equal((await ask()).endpoint, endpoint)
    }
  },
  'ModelEndpoint spec.circuitBreaker.ratio.within': async (t) => {
    for (const [within, endpoint] of [
      ['1h', 'b'],
      ['1s', 'a'],
    ] as const) {
      const { ask, fail } = await pair(t, { ratio: { minimum: 4, within } })
      await ask()
      await fail(1)
      // Longer than the shorter window: what happened before is out of it.
      await sleep(1300)
      await ask()
      await fail(1)
      assert.equal((await ask()).endpoint, endpoint)
    }
  },
  'ModelEndpoint spec.circuitBreaker.openFor': async (t) => {
    const short = await pair(t, { consecutive: 1, openFor: '50ms', rampUp: [100] })
    await short.fail(1)
    await eventually(async () => assert.equal((await short.ask()).endpoint, 'a'))
    const long = await pair(t, { consecutive: 1, rampUp: [100] })
    await long.fail(1)
    await sleep(200)
    assert.equal((await long.ask()).endpoint, 'b')
  },
  'ModelEndpoint spec.circuitBreaker.probes': async (t) => {
    for (const probes of [1, 3]) {
      const { a, ask, fail } = await pair(t, { consecutive: 1, openFor: '50ms', probes }, { latency: '300ms' })
      await fail(1)
      await sleep(100)
      await Promise.all([ask(), ask(), ask(), ask()])
      assert.equal(a.stats().requests, 1 + probes)
    }
  },
  'ModelEndpoint spec.circuitBreaker.rampUp[]': async (t) => {
    for (const [rampUp, least, most] of [
      [[1, 2, 3, 4, 5, 6, 7, 8, 9, 100], 0, 3],
      [[100], 9, 11],
    ] as const) {
      const [a, b] = await upstreams(t, {}, {})
      const circuitBreaker = { consecutive: 1, openFor: '2s', rampUp }
      const endpoints = { a: at(a.url, { circuitBreaker }), b: at(b.url) }
      const { ask, change } = await sidecar(t, { endpoints, routes: { chat: chat([to('a')]) } })
      await ask({ headers: FAIL })
      await sleep(2100)
      assert.equal((await ask()).endpoint, 'a', 'the probe')
      a.reset()
      change({ endpoints, routes: { chat: chat([to('a'), to('b')]) } })
      // All at once, since a step lasts a fifth of a second here.
      await Promise.all(Array.from({ length: 20 }, () => ask()))
      const { requests } = a.stats()
      assert.ok(requests >= least && requests <= most, `${requests} of 20 after ${JSON.stringify(rampUp)}`)
    }
  },

  'ModelEndpoint spec.retryBudget.percent': async (t) => {
    assert.equal(await attempts(t, { percent: 100, minPerSecond: 0 }), 2)
    assert.equal(await attempts(t, { percent: 0, minPerSecond: 0 }), 1)
  },
  'ModelEndpoint spec.retryBudget.minPerSecond': async (t) => {
    assert.equal(await attempts(t, { percent: 0, minPerSecond: 1 }), 2)
    assert.equal(await attempts(t, { percent: 0, minPerSecond: 0 }), 1)
  },
}
