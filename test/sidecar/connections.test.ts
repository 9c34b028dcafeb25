import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { authority } from '../helpers/authority.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'

const routes = [route('chat', [rule([target('a')])])]
const body = '{"model":"chat","messages":[{"role":"user","content":"Hi"}]}'

async function ask(url: string) {
  const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
  const { error } = (await answer.json()) as { error?: { code: string; message: string } }
  return { status: answer.status, code: error?.code, message: error?.message }
}

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

const answer = '{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}'
const response = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`

test('connections: they are reused, and survive an edit that does not concern them', async (t) => {
  const sockets = new Set<Socket>()
  const port = await listening(
    t,
    createHttp((incoming, outgoing) => {
      sockets.add(incoming.socket)
      incoming.resume().on('end', () => outgoing.writeHead(200, { 'content-type': 'application/json' }).end(answer))
    }),
  )
  const at = (rest = {}) => ({ routes, endpoints: [endpoint('a', `http://127.0.0.1:${port}/v1`, rest)] })
  const { url, apply } = await dataPath(t, at())
  for (let i = 0; i < 5; i++) assert.equal((await ask(url)).status, 200)
  apply(at({ maxInFlight: 7, headers: { set: { 'x-a': 'b' }, remove: [] } }))
  for (let i = 0; i < 5; i++) assert.equal((await ask(url)).status, 200)
  assert.equal(sockets.size, 1)
  apply(at({ proxy: `http://127.0.0.1:1` }))
  assert.equal((await ask(url)).code, 'connect_failed')
  const [first] = sockets
  await eventually(() => assert.equal(first?.destroyed, true))
})

test('connections: one that was closed while it was idle is never the caller’s problem', async (t) => {
  let requests = 0
  let resetNext = false
  const port = await listening(
    t,
    createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', () => {
        // What an idle time-out on the other side looks like when it races with our request.
        if (resetNext) {
          resetNext = false
          return socket.resetAndDestroy()
        }
        requests++
        return socket.write(response)
      })
    }),
  )
  const { url, telemetry } = await dataPath(t, {
    routes,
    endpoints: [endpoint('a', `http://127.0.0.1:${port}/v1`)],
  })
  assert.equal((await ask(url)).status, 200)
  await new Promise((resolve) => setTimeout(resolve, 1200))
  resetNext = true
  assert.equal((await ask(url)).status, 200)
  assert.equal(requests, 2)
  assert.equal(telemetry.attempts.length, 2, 'no attempt was lost to it')
})

test('connections: a server that closes after each answer is asked again on a new one', async (t) => {
  const port = await listening(
    t,
    createHttp((incoming, outgoing) =>
      incoming
        .resume()
        .on('end', () =>
          outgoing.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(answer),
        ),
    ),
  )
  const { url } = await dataPath(t, { routes, endpoints: [endpoint('a', `http://127.0.0.1:${port}/v1`)] })
  for (let i = 0; i < 10; i++) assert.equal((await ask(url)).status, 200)
})

test('connections: a length that is not known ends with the connection', async (t) => {
  const port = await listening(
    t,
    createServer((socket) =>
      socket
        .on('error', () => {})
        .on('data', () => socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n${answer}`)),
    ),
  )
  const { url } = await dataPath(t, { routes, endpoints: [endpoint('a', `http://127.0.0.1:${port}/v1`)] })
  for (let i = 0; i < 3; i++) assert.equal((await ask(url)).status, 200)
})

test('connections: what is no HTTP is an error, and not waited for', async (t) => {
  const port = await listening(
    t,
    createServer((socket) =>
      socket.on('error', () => {}).on('data', () => socket.write('SSH-2.0-OpenSSH_9.2\r\n\r\n')),
    ),
  )
  const { url } = await dataPath(t, { routes, endpoints: [endpoint('a', `http://127.0.0.1:${port}/v1`)] })
  assert.deepEqual((await ask(url)).code, 'upstream_malformed')
})

test('connections: TLS with an own CA, a client’s certificate and a server name', async (t) => {
  const { ca, of } = await authority('llm.internal', 'client')
  const [a] = await upstreams(t, { tls: { ...of['llm.internal'], ca } })
  const url = `${a.url}/v1`
  const secrets = {
    'ai/ca': { data: { 'ca.crt': ca } },
    'ai/client': { data: { 'tls.crt': of.client.cert, 'tls.key': of.client.key } },
  }
  const tls = {
    ca: { secret: 'ai/ca', key: 'ca.crt' },
    clientCertificate: 'ai/client',
    serverName: 'llm.internal',
  }
  const sidecar = await dataPath(t)
  const tried = async (given: Partial<typeof tls>) => {
    assert.deepEqual(sidecar.apply({ routes, endpoints: [endpoint('a', url, { tls: given })], secrets }), [])
    return ask(sidecar.url)
  }
  assert.equal((await tried(tls)).status, 200)
  const { ca: _, ...withoutCa } = tls
  assert.match((await tried(withoutCa)).message ?? '', /UNABLE_TO_VERIFY|SELF_SIGNED/)
  const { serverName: __, ...withoutName } = tls
  assert.match((await tried(withoutName)).message ?? '', /ALTNAME/)
  const { clientCertificate: ___, ...withoutCertificate } = tls
  assert.equal((await tried(withoutCertificate)).status, 502)
  assert.equal((await tried(tls)).status, 200)
})

test('connections: material that is none is refused with the configuration', async (t) => {
  const { apply } = await dataPath(t)
  const secrets = { 'ai/s': { data: { x: 'not PEM', key: 'line\nfeed', 'tls.crt': 'x', 'tls.key': 'y' } } }
  const cases = [
    [{ tls: { ca: { secret: 'ai/s', key: 'x' } } }, '/tls/ca'],
    [{ tls: { clientCertificate: 'ai/s' } }, '/tls/clientCertificate'],
    [{ tls: { ca: { secret: 'ai/s', key: 'missing' } } }, '/tls/ca'],
    [{ credentials: { type: 'Secret', secret: { secret: 'ai/s', key: 'key' } } }, '/credentials/secret'],
    [{ credentials: { type: 'Secret', secret: { secret: 'ai/none', key: 'key' } } }, '/credentials/secret'],
    [{ url: 'ftp://x' }, '/url'],
    [{ headers: { set: { 'x-a': 'line\nfeed' }, remove: [] } }, '/headers/set/x-a'],
    [{ timeouts: { connect: 0, firstToken: 1, idle: 1, attempt: 1 } }, '/timeouts/connect'],
  ] as const
  for (const [rest, path] of cases) {
    const problems = apply({ routes, endpoints: [endpoint('a', 'https://127.0.0.1:1/v1', rest)], secrets })
    assert.equal(problems[0]?.resource, 'endpoint/ai/a')
    assert.equal(problems[0]?.path, path)
    assert.doesNotMatch(JSON.stringify(problems), /line|not PEM/, 'a credential is in no message')
  }
})

/** A proxy that takes CONNECT, and tells what it was asked for. */
async function proxy(t: TestContext, status = '200 OK') {
  const asked: string[] = []
  const authorized: (string | undefined)[] = []
  const server = createHttp()
  server.on('connect', (incoming, client, head) => {
    asked.push(incoming.url ?? '')
    authorized.push(incoming.headers['proxy-authorization'])
    client.on('error', () => {})
    if (status !== '200 OK') return client.end(`HTTP/1.1 ${status}\r\n\r\n`)
    const [, host = '', port] = /^(.*):(\d+)$/.exec(incoming.url ?? '') ?? []
    const onward = connect(Number(port), host === 'model.example' ? '127.0.0.1' : host)
    onward.on('error', () => client.destroy())
    client.write('HTTP/1.1 200 OK\r\n\r\n')
    onward.write(head)
    client.pipe(onward).pipe(client)
    client.on('close', () => onward.destroy())
    return undefined
  })
  return { asked, authorized, url: `http://127.0.0.1:${await listening(t, server)}` }
}

test('connections: through a proxy, given or of the environment, TLS inside', async (t) => {
  const { ca, of } = await authority('model.example')
  const [a] = await upstreams(t, { tls: of['model.example'] })
  const relay = await proxy(t)
  const url = `https://model.example:${a.port}/v1`
  const tls = { ca: { secret: 'ai/ca', key: 'ca.crt' } }
  const secrets = { 'ai/ca': { data: { 'ca.crt': ca } } }
  const given = await dataPath(t, { routes, endpoints: [endpoint('a', url, { tls, proxy: relay.url })], secrets })
  for (let i = 0; i < 3; i++) assert.equal((await ask(given.url)).status, 200)
  assert.deepEqual(relay.asked, [`model.example:${a.port}`])
  const environment = { HTTPS_PROXY: relay.url }
  const found = await dataPath(t, { routes, endpoints: [endpoint('a', url, { tls })], secrets }, { environment })
  assert.equal((await ask(found.url)).status, 200)
  assert.equal(relay.asked.length, 2)
  const without = await dataPath(
    t,
    { routes, endpoints: [endpoint('a', url, { tls })], secrets },
    { environment: { ...environment, NO_PROXY: 'model.example' } },
  )
  assert.equal((await ask(without.url)).code, 'connect_failed')
  assert.equal(relay.asked.length, 2)
})

test('connections: the user in the URL of the environment’s proxy is told to the proxy, and to nobody else', async (t) => {
  const { ca, of } = await authority('model.example')
  const [a] = await upstreams(t, { tls: of['model.example'] })
  const relay = await proxy(t)
  const { url } = await dataPath(
    t,
    {
      routes,
      endpoints: [
        endpoint('a', `https://model.example:${a.port}/v1`, { tls: { ca: { secret: 'ai/ca', key: 'ca.crt' } } }),
      ],
      secrets: { 'ai/ca': { data: { 'ca.crt': ca } } },
    },
    { environment: { HTTPS_PROXY: relay.url.replace('http://', 'http://us%40er:pass@') } },
  )
  assert.equal((await ask(url)).status, 200)
  assert.deepEqual(relay.authorized, [`Basic ${Buffer.from('us@er:pass').toString('base64')}`])
  assert.equal(a.requests()[0]?.headers['proxy-authorization'], undefined)
})

test('connections: a proxy that refuses is an error that says so', async (t) => {
  const relay = await proxy(t, '407 Proxy Authentication Required')
  const { url } = await dataPath(t, {
    routes,
    endpoints: [endpoint('a', 'https://model.example/v1', { proxy: relay.url })],
  })
  const seen = await ask(url)
  assert.equal(seen.code, 'connect_failed')
  assert.match(seen.message ?? '', /407/)
})

for (const host of ['169.254.169.254', '[fe80::1]', '[::ffff:169.254.169.254]', '100.100.100.200'])
  test(`connections: ${host} is never called`, async (t) => {
    const { url } = await dataPath(t, { routes, endpoints: [endpoint('a', `http://${host}/v1`)] })
    assert.equal((await ask(url)).code, 'address_forbidden')
  })

test('connections: addresses that change are followed, the faster one gets more, and a dead one is passed over', async (t) => {
  const [a, b] = await upstreams(t, { latency: '1ms' }, { latency: '30ms' })
  const { url, apply, telemetry } = await dataPath(t)
  const at = (...ports: number[]) => ({
    routes: [route('chat', [rule([target('a')], { retry: { attempts: 2, when: ['Connect', 'Reset'] } })])],
    endpoints: [endpoint('a', 'http://model.ai.svc:8000/v1', { dynamic: true })],
    addresses: { 'ai/a': { addresses: ports.map((port) => ({ host: '127.0.0.1', port })) } },
  })
  apply(at(a.port, b.port))
  for (let i = 0; i < 60; i++) assert.equal((await ask(url)).status, 200)
  assert.ok(a.stats().requests > 40 && b.stats().requests >= 1, `${a.stats().requests} and ${b.stats().requests}`)
  assert.equal(a.requests()[0]?.headers['host'], 'model.ai.svc:8000')
  apply(at(b.port))
  const before = a.stats().requests
  for (let i = 0; i < 5; i++) assert.equal((await ask(url)).status, 200)
  assert.equal(a.stats().requests, before)
  apply(at(1, a.port))
  for (let i = 0; i < 20; i++) assert.equal((await ask(url)).status, 200)
  assert.ok(
    telemetry.attempts.filter(({ code }) => code === 'connect_failed').length <= 3,
    'it is not drawn again and again',
  )
  apply(at())
  assert.equal((await ask(url)).code, 'unhealthy')
})
