import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { request } from 'undici'
import { adminApi } from '../../operator/admin.ts'
import { ApiError } from '../../operator/api-server.ts'
import type { ApiServer } from '../../operator/api-server.ts'
import type { Leadership } from '../../operator/lead.ts'
import { Watch } from '../../operator/watch.ts'
import { eventually } from '../helpers/eventually.ts'
import { ScriptedRollouts, rolloutView } from '../helpers/scripted-rollouts.ts'

/** The operator's own API on a real port, over an API server that says what the test says. */
async function admin(t: TestContext, leadership: Leadership = { leading: true, epoch: 1, address: undefined }) {
  const rollouts = new ScriptedRollouts()
  rollouts.set(rolloutView('ai/chat', 'all'))
  const may = { answer: true as boolean | ApiError | Error, asked: 0 }
  const call = async () => {
    may.asked++
    if (typeof may.answer !== 'boolean') throw may.answer
    return { status: { allowed: may.answer, userInfo: { username: 'ada' } } }
  }
  const watch = new Watch({
    now: () => performance.now(),
    state: () => ({ rollouts: rollouts.views(), experiments: [] }),
  })
  const app = adminApi({
    api: { call } as unknown as ApiServer, // of which it calls this alone
    compiled: () => undefined,
    fleet: () => assert.fail('nobody asks for sidecars'),
    totals: () => undefined,
    rollouts,
    experiments: { views: () => [] },
    watch,
    dashboard: false,
    leadership: () => leadership,
    trusted: () => '',
    serverName: 'localhost',
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on a port
  const headers = { authorization: 'Bearer token', 'content-type': 'application/json' }
  return { rollouts, may, watch, url, headers }
}

test('a watch ends when its caller may no longer see, and goes on while the API server does not answer', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { url, headers, may, watch } = await admin(t)
  const { statusCode, body } = await request(`${url}/v1/watch?parts=rollouts`, { headers })
  assert.equal(statusCode, 200)
  let told = ''
  body.setEncoding('utf8').on('data', (text: string) => (told += text))
  await eventually(() => assert.match(told, /event: state/))
  may.answer = new Error('connect ECONNREFUSED')
  t.mock.timers.tick(60_000)
  await eventually(() => assert.equal(may.asked, 2))
  assert.equal(watch.watching, 1)
  may.answer = false
  t.mock.timers.tick(60_000)
  await once(body, 'end')
  assert.match(told, /event: end\ndata: \{"message":"You may not watch rollouts\.tradewind\.dev in all namespaces\."\}/)
  assert.equal(watch.watching, 0)
})

test('a replica that cannot reach the leader says so, and one without a leader does nothing to rollouts', async (t) => {
  const lost = await admin(t, { leading: false, epoch: 1, address: '127.0.0.1:1' })
  const answer = await request(`${lost.url}/v1/rollouts`, { headers: lost.headers })
  assert.equal(answer.statusCode, 502)
  assert.match(await answer.body.text(), /ECONNREFUSED/)
  assert.equal(lost.rollouts.done.length, 0)
})

test('a token that the API server does not know is 401, and what it cannot say is no yes', async (t) => {
  const { url, headers, may, rollouts } = await admin(t)
  const post = () =>
    request(`${url}/v1/rollouts/ai/chat/all`, { method: 'POST', headers, body: '{"action":"promote"}' })
  may.answer = new ApiError(401, 'Unauthorized', 'Unauthorized')
  assert.equal((await post()).statusCode, 401)
  may.answer = new ApiError(500, 'InternalError', 'etcd is away')
  assert.equal((await post()).statusCode, 502)
  may.answer = false
  assert.equal((await post()).statusCode, 403)
  assert.deepEqual(rollouts.done, [])
  may.answer = true
  assert.equal((await post()).statusCode, 200)
  assert.deepEqual(rollouts.done, ['promote ai/chat all by ada'])
})
