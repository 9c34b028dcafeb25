import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledEndpoint } from '../../api/compiled.ts'
import { HealthChecks } from '../../sidecar/health.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'

/** A server whose health can be set, and what it was asked. */
async function patient(t: TestContext) {
  const state = { status: 200, silent: false, asked: [] as { at: number; url: string; headers: IncomingHttpHeaders }[] }
  const server = createServer((request, response) => {
    state.asked.push({ at: performance.now(), url: request.url ?? '', headers: request.headers })
    if (!state.silent) response.writeHead(state.status).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { state, server, port: (server.address() as AddressInfo).port } // it listens on a port
}

const active = { path: '/healthz?deep=1', interval: 100, timeout: 80, unhealthyAfter: 3, healthyAfter: 2 }

async function checked(t: TestContext, ports: number[], rest: Partial<CompiledEndpoint> = {}) {
  const { apply, path, url } = await dataPath(t)
  const changes: string[] = []
  const checks = new HealthChecks(path.deps)
  checks.onChange = (name, address, healthy) => changes.push(`${name} ${address} ${healthy}`)
  t.after(() => checks.stop())
  const configure = (more: Partial<CompiledEndpoint> = {}) => {
    const problems = apply({
      routes: [route('chat', [rule([target('a')])])],
      endpoints: [endpoint('a', 'http://models.example/v1', { dynamic: true, health: active, ...rest, ...more })],
      addresses: { 'ai/a': { addresses: ports.map((port) => ({ host: '127.0.0.1', port })) } },
      secrets: { 'ai/key': { data: { k: 'sk-ours' } } },
    })
    assert.deepEqual(problems, [])
    checks.update(path.configuration.runtime?.endpoints.values() ?? [])
  }
  configure()
  const healthy = () => path.configuration.runtime?.endpoints.get('ai/a')?.addresses.map((place) => place.healthy)
  return { checks, changes, healthy, configure, url }
}

test('health: an address is out after as many failures in a row as configured, and back after as many successes', async (t) => {
  const { state, port } = await patient(t)
  const { changes, healthy } = await checked(t, [port])
  await eventually(() => assert.ok(state.asked.length >= 2))
  assert.deepEqual(healthy(), [true])
  state.status = 503
  const from = state.asked.length
  await eventually(() => assert.deepEqual(healthy(), [false]))
  assert.ok(state.asked.length - from >= 3, `after ${state.asked.length - from} checks`)
  state.status = 204
  const back = state.asked.length
  await eventually(() => assert.deepEqual(healthy(), [true]))
  assert.ok(state.asked.length - back >= 2, `after ${state.asked.length - back} checks`)
  assert.deepEqual(changes, [`ai/a 127.0.0.1:${port} false`, `ai/a 127.0.0.1:${port} true`])
})

test('health: silence and a closed port are failures too', async (t) => {
  const { state, server, port } = await patient(t)
  const { healthy } = await checked(t, [port])
  state.silent = true
  await eventually(() => assert.deepEqual(healthy(), [false]))
  state.silent = false
  await eventually(() => assert.deepEqual(healthy(), [true]))
  server.closeAllConnections()
  server.close()
  await eventually(() => assert.deepEqual(healthy(), [false]))
})

test('health: checks come at the interval, jittered, with the endpoint’s headers and credential', async (t) => {
  const { state, port } = await patient(t)
  await checked(t, [port], {
    credentials: { type: 'Secret', secret: { secret: 'ai/key', key: 'k' } },
    headers: { set: { 'x-org': 'us' }, remove: [] },
  })
  await eventually(() => assert.ok(state.asked.length >= 6))
  const [first] = state.asked
  assert.equal(first?.url, '/healthz?deep=1', 'from the root of the address, not below the base path')
  assert.equal(first?.headers['host'], 'models.example')
  assert.equal(first?.headers['authorization'], 'Bearer sk-ours')
  assert.equal(first?.headers['x-org'], 'us')
  const gaps = state.asked.slice(1).map(({ at }, i) => at - (state.asked[i]?.at ?? 0))
  for (const gap of gaps) assert.ok(gap >= 85, gaps.join())
})

test('health: requests go to the healthy address; with none the answer says so', async (t) => {
  const [good, bad] = [await patient(t), await patient(t)]
  bad.state.status = 500
  const { healthy, url } = await checked(t, [good.port, bad.port])
  await eventually(() => assert.deepEqual(healthy(), [true, false]))
  const ask = () => fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{"model":"chat"}' })
  const posts = (asked: { url: string }[]) => asked.filter(({ url }) => url.startsWith('/v1')).length
  for (let i = 0; i < 20; i++) await (await ask()).text()
  assert.deepEqual([posts(good.state.asked), posts(bad.state.asked)], [20, 0])
  good.state.status = 500
  await eventually(() => assert.deepEqual(healthy(), [false, false]))
  // The panic rule: the least bad is asked rather than none.
  assert.equal((await ask()).status, 500)
})

test('health: an edit of the endpoint takes its checks along, and without them none are made', async (t) => {
  const { state, port } = await patient(t)
  const { configure, healthy } = await checked(t, [port])
  state.status = 500
  await eventually(() => assert.deepEqual(healthy(), [false]))
  configure({ headers: { set: { 'x-edit': '2' }, remove: [] } })
  assert.deepEqual(healthy(), [false], 'what is known of an address survives an edit')
  await eventually(() => assert.equal(state.asked.at(-1)?.headers['x-edit'], '2'))
  configure({ health: undefined })
  assert.deepEqual(healthy(), [true], 'an address that is not checked is not unhealthy')
  const asked = state.asked.length
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.ok(state.asked.length <= asked + 1, 'but for one that was under way')
})
