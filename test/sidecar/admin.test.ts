import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { probeServer } from '../../sidecar/probes.ts'
import { endpoint, route, rule, target } from '../helpers/data-path.ts'
import { observed } from '../helpers/observed.ts'
import { upstreams } from '../helpers/upstream.ts'

/** Asks with headers that `fetch` does not let one set. */
async function raw(
  url: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number; text: string }> {
  const asking = request(url, { method, headers })
  asking.end()
  const [response] = await once(asking, 'response')
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode, text }
}

async function administered(t: TestContext) {
  const [a, b] = await upstreams(t, {}, {})
  const sidecar = await observed(t, {
    routes: [
      route('chat', [
        rule([target('b')], {
          name: 'gold',
          matches: [{ headers: [{ name: 'x-tier', type: 'Exact', value: 'gold' }] }],
        }),
        rule([target('a', { weight: 3 }), target('b')], { name: 'rest' }),
      ]),
    ],
    endpoints: [
      endpoint('a', `${a.url}/v1`, {
        maxInFlight: 7,
        headers: { set: { 'x-api-key': 'sk-literal', 'x-version': '2' }, remove: [] },
        credentials: { type: 'Secret', secret: { secret: 'ai/key', key: 'api-key' } },
      }),
      endpoint('b', `${b.url}/v1`),
    ],
    secrets: { 'ai/key': { data: { 'api-key': 'sk-secret' } } },
  })
  // The pages are JSON, but for those whose tests take text.
  const get = async <T>(page: string) => (await (await fetch(`${sidecar.admin}${page}`)).json()) as T
  return { a, b, get, ...sidecar }
}

interface Config {
  readonly digest: string
  readonly since: string
  readonly resources: Readonly<Record<string, { readonly digest: string; readonly body: Record<string, unknown> }>>
}

test('admin: the configuration in force, without the values of secrets', async (t) => {
  const { get, path } = await administered(t)
  const { digest, since, resources } = await get<Config>('/config')
  assert.equal(digest, path.configuration.current().digest)
  assert.ok(Date.parse(since) > 0)
  assert.deepEqual(Object.keys(resources).sort(), ['endpoint/ai/a', 'endpoint/ai/b', 'route/ai/chat', 'secret/ai/key'])
  assert.deepEqual(resources['secret/ai/key']?.body, { data: { 'api-key': '[redacted]' } })
  assert.deepEqual(resources['endpoint/ai/a']?.body['headers'], {
    set: { 'x-api-key': '[redacted]', 'x-version': '2' },
    remove: [],
  })
  assert.equal(resources['route/ai/chat']?.body['generation'], 1)
  assert.doesNotMatch(JSON.stringify(resources), /sk-/)
})

interface Endpoints {
  readonly endpoints: readonly {
    readonly name: string
    readonly url: string
    readonly inFlight: number
    readonly maxInFlight: number | null
    readonly models: readonly Record<string, unknown>[]
    readonly addresses: readonly Record<string, unknown>[]
  }[]
}

test('admin: the state of each endpoint, model and address', async (t) => {
  const { get, a, url } = await administered(t)
  await a.setFaults(['status=500'])
  for (let i = 0; i < 20; i++)
    await (
      await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        body: '{"model":"chat","messages":[{"role":"user","content":"Hi"}]}',
      })
    ).text()
  const { endpoints } = await get<Endpoints>('/endpoints')
  const [first, second] = endpoints
  assert.deepEqual([first?.name, first?.url, first?.inFlight, first?.maxInFlight], ['ai/a', `${a.url}/v1`, 0, 7])
  assert.equal(second?.maxInFlight, null)
  assert.deepEqual(
    [first?.models[0]?.['name'], first?.models[0]?.['breaker'], first?.models[0]?.['share']],
    ['a-model', 'open', 0],
  )
  assert.deepEqual([second?.models[0]?.['breaker'], second?.models[0]?.['share']], ['closed', 1])
  assert.ok(Number(second?.models[0]?.['latencyMs']) > 0)
  assert.deepEqual([first?.addresses[0]?.['address'], first?.addresses[0]?.['healthy']], [new URL(a.url).host, true])
})

interface Explained {
  readonly rule?: string
  readonly error?: { readonly code: string }
  readonly targets: readonly { readonly target: string; readonly share: number; readonly state: string }[]
}

test('admin: what would happen to a request, with the state that targets are in', async (t) => {
  const { get, path } = await administered(t)
  const shares = async (query: string) => {
    const { rule: found, targets } = await get<Explained>(`/explain?${query}`)
    return [found, ...targets.map(({ target: name, share, state }) => [name, share, state])]
  }
  assert.deepEqual(await shares('model=chat'), [
    'rest',
    ['ai/a a-model', 0.75, 'available'],
    ['ai/b b-model', 0.25, 'available'],
  ])
  assert.deepEqual(await shares(`model=chat&header=${encodeURIComponent('X-Tier: gold')}`), [
    'gold',
    ['ai/b b-model', 1, 'available'],
  ])
  const breaker = path.configuration.runtime?.endpoints.get('ai/a')?.models.get('a-model')?.state.breaker
  for (let i = 0; i < 5; i++) breaker?.failure(breaker.admit())
  assert.deepEqual(await shares('model=chat'), [
    'rest',
    ['ai/a a-model', 0, 'circuit_open'],
    ['ai/b b-model', 1, 'available'],
  ])
  assert.equal((await get<Explained>('/explain?model=other')).error?.code, 'model_not_found')
  assert.equal((await get<Explained>('/explain?model=chat&path=/v9/x')).error?.code, 'path_not_found')
  assert.equal((await fetch(`${(await administered(t)).admin}/explain?header=nonsense`)).status, 400)
})

test('admin: the log level is read and set', async (t) => {
  const { get, admin, log } = await administered(t)
  assert.deepEqual(await get('/log-level'), { level: 'info' })
  for (const [body, level] of [
    ['debug', 'debug'],
    ['{"level":"warn"}', 'warn'],
    [' "error"\n', 'error'],
  ] as const) {
    const answer = await fetch(`${admin}/log-level`, { method: 'PUT', body })
    assert.equal(answer.status, 200)
    assert.equal(log.level, level)
  }
  for (const body of ['loud', '', '{"level":5}']) {
    const answer = await fetch(`${admin}/log-level`, { method: 'PUT', body })
    assert.equal(answer.status, 400)
    assert.match(await answer.text(), /trace, debug, info, warn, error, silent/)
  }
  assert.equal(log.level, 'error')
})

test('admin: other sites, and names that resolve to loopback, are refused on every page', async (t) => {
  const { admin } = await administered(t)
  const { host } = new URL(admin)
  for (const page of ['/', '/config', '/endpoints', '/explain', '/log-level', '/metrics', '/healthz']) {
    for (const [headers, status] of [
      [{ host }, 200],
      [{ host: `localhost:${new URL(admin).port}` }, 200],
      [{ host: '[::1]:4142' }, 200],
      [{ host, origin: `http://${host}` }, 200],
      [{ host: 'evil.example' }, 403],
      [{ host: '127.0.0.1.evil.example' }, 403],
      [{ host: 'evil.example:4142' }, 403],
      [{ host, origin: 'http://evil.example' }, 403],
      [{ host, origin: 'null' }, 403],
      [{ host, 'sec-fetch-site': 'cross-site' }, 403],
      [{ host, 'sec-fetch-site': 'same-site' }, 403],
    ] as const) {
      const answer = await raw(`${admin}${page}`, headers)
      assert.equal(answer.status, status, `${page} ${JSON.stringify(headers)}`)
    }
  }
  const put = await raw(`${admin}/log-level`, { host, origin: 'http://evil.example' }, 'PUT')
  assert.equal(put.status, 403)
})

test('admin: what is not there, or not by that method, says what is', async (t) => {
  const { admin } = await administered(t)
  const missing = await fetch(`${admin}/nothing`)
  assert.equal(missing.status, 404)
  assert.match(await missing.text(), /GET \/config/)
  const method = await fetch(`${admin}/log-level`, { method: 'DELETE' })
  assert.equal(method.status, 405)
  assert.equal(method.headers.get('allow'), 'GET, PUT')
  const large = await fetch(`${admin}/log-level`, { method: 'PUT', body: 'x'.repeat(1_100_000) })
  assert.equal(large.status, 500)
})

test('probes: started, ready with the reason, metrics, and nothing of the configuration', async (t) => {
  const state = { started: false, why: 'no configuration yet' as string | undefined }
  const server = probeServer({
    started: () => state.started,
    notReady: () => state.why,
    exposed: () => Promise.resolve('tradewind_x 1\n'),
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo // it listens on a port
  const get = async (page: string) => {
    const answer = await raw(`http://127.0.0.1:${port}${page}`, { host: '10.0.0.7:4143' })
    return `${answer.status} ${answer.text.trim()}`
  }
  assert.equal(await get('/healthz'), '200 ok')
  assert.equal(await get('/startupz'), '503 not listening yet')
  assert.equal(await get('/readyz'), '503 no configuration yet')
  state.started = true
  state.why = undefined
  assert.equal(await get('/startupz'), '200 ok')
  assert.equal(await get('/readyz'), '200 ok')
  assert.equal(await get('/metrics'), '200 tradewind_x 1')
  for (const page of ['/config', '/endpoints', '/explain', '/log-level']) assert.match(await get(page), /^404 /)
})
