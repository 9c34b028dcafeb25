import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { IncomingMessage, RequestListener, Server } from 'node:http'
import { createServer as createTcpServer, connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { WebSocket, WebSocketServer } from 'ws'
import type { CompiledEndpoint, CompiledRule } from '../../api/compiled.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePorts } from '../helpers/ports.ts'

/** A server on a free loopback port, until the test ends. */
async function serve(t: TestContext, listener?: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } // it listens on a port
}

/** A loopback URL where nobody listens. */
const nowhere = async () => `http://127.0.0.1:${(await freePorts(1)).join('')}`

/** Echoes what it was asked, with the request's headers as JSON in one of its own. */
const echo: RequestListener = (asked, answer) => {
  answer.setHeader('x-seen', JSON.stringify({ method: asked.method, url: asked.url, headers: asked.headers }))
  answer.setHeader('server', 'secret-server')
  asked.pipe(answer)
}

const opaque = (name: string, url: string, rest: Partial<CompiledEndpoint> = {}) =>
  endpoint(name, url, { provider: { type: 'HTTP' }, models: [{ name: '', rank: 0, defaults: {}, force: {} }], ...rest })
const to = (name: string, weight = 1, priority = 0) => target(name, { model: '', weight, priority })
const files = (targets: ReturnType<typeof to>[], rest: Partial<CompiledRule> = {}) =>
  route('files', [rule(targets, { matches: [{ headers: [], path: { type: 'Prefix', value: '/v2' } }], ...rest })], {
    models: [],
  })

async function through(t: TestContext, url: string, rest: Partial<CompiledEndpoint> = {}) {
  return dataPath(t, { routes: [files([to('a')])], endpoints: [opaque('a', url, rest)] })
}

interface Seen {
  method: string
  url: string
  headers: Record<string, string>
}
const seen = (response: Response): Seen => JSON.parse(response.headers.get('x-seen') ?? '{}') as Seen // as `echo` writes it

test('pass-through: any method, path, query and body goes through as it is', async (t) => {
  const { url: upstream } = await serve(t, echo)
  const { url, telemetry } = await through(t, `${upstream}/base`)
  const body = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 256))
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const answer = await fetch(`${url}/v2/models/a%20b/infer?x=1&y=%2F`, { method, body })
    assert.equal(answer.status, 200)
    assert.deepEqual([seen(answer).method, seen(answer).url], [method, '/base/v2/models/a%20b/infer?x=1&y=%2F'])
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), body)
  }
  const get = await fetch(`${url}/v2`)
  assert.equal(seen(get).url, '/base/v2')
  assert.equal((await get.arrayBuffer()).byteLength, 0)
  await eventually(() => assert.equal(telemetry.exchanges.length, 5))
  const [first] = telemetry.exchanges
  assert.deepEqual(
    [first?.route, first?.rule, first?.endpoint, first?.status, first?.code, first?.requestBytes, first?.responseBytes],
    ['ai/files', 'all', 'ai/a', 200, undefined, body.length, body.length],
  )
  assert.equal(telemetry.attempts.length, 5)
})

test('pass-through: credentials and headers follow the same rules as elsewhere', async (t) => {
  const { url: upstream } = await serve(t, echo)
  const { url, apply } = await dataPath(t)
  const secret = { type: 'Secret', secret: { secret: 'ai/key', key: 'api-key' } } as const
  const rest = { credentials: secret, headers: { set: { 'x-org': 'us' }, remove: ['x-private'] } }
  const parts = { routes: [files([to('a')])], secrets: { 'ai/key': { data: { 'api-key': 'sk-ours' } } } }
  assert.deepEqual(apply({ ...parts, endpoints: [opaque('a', upstream, rest)] }), [])
  const headers = {
    authorization: 'Bearer sk-theirs',
    cookie: 'session=theirs',
    'x-private': 'theirs',
    'x-other': 'kept',
    'x-request-id': 'the-id',
  }
  const answer = await fetch(`${url}/v2`, { headers })
  const asked = seen(answer).headers
  assert.equal(asked['authorization'], 'Bearer sk-ours')
  assert.equal(asked['x-org'], 'us')
  assert.equal(asked['x-other'], 'kept')
  assert.equal(asked['x-request-id'], 'the-id')
  assert.equal(asked['host'], new URL(upstream).host)
  assert.doesNotMatch(JSON.stringify(asked), /theirs/)
  assert.equal(answer.headers.get('server'), null)
  assert.equal(answer.headers.get('x-request-id'), 'the-id')
  assert.equal(answer.headers.get('x-tradewind-endpoint'), 'ai/a')
  assert.equal(answer.headers.get('x-tradewind-route'), 'ai/files')

  apply({ ...parts, endpoints: [opaque('a', upstream, { credentials: { type: 'Passthrough' } })] })
  assert.equal(seen(await fetch(`${url}/v2`, { headers })).headers['authorization'], 'Bearer sk-theirs')
  apply({ ...parts, endpoints: [opaque('a', upstream)] })
  assert.equal(seen(await fetch(`${url}/v2`, { headers })).headers['authorization'], undefined)
})

test('pass-through: many at once, each with its own answer, and no listener is left behind', async (t) => {
  const warnings: Error[] = []
  const warned = (warning: Error) => warnings.push(warning)
  process.on('warning', warned)
  t.after(() => process.off('warning', warned))
  const { url: upstream } = await serve(t, echo)
  const { url } = await through(t, upstream)
  const texts = Array.from({ length: 100 }, (_, i) => `body ${i} `.repeat(1000))
  const answers = await Promise.all(
    texts.map(async (text, i) => {
      const answer = await fetch(`${url}/v2/${i}`, { method: 'POST', body: text })
      assert.equal(seen(answer).url, `/v2/${i}`)
      return answer.text()
    }),
  )
  assert.deepEqual(answers, texts)
  assert.deepEqual(warnings, [])
})

test('pass-through: what is encoded stays encoded', async (t) => {
  const zipped = gzipSync('hello')
  const { url: upstream } = await serve(t, (asked, answer) => {
    answer.writeHead(200, { 'content-encoding': 'gzip', 'x-accepted': String(asked.headers['accept-encoding']) })
    answer.end(zipped)
  })
  const { url } = await through(t, upstream)
  const answer = await fetch(`${url}/v2`, { headers: { 'accept-encoding': 'gzip' } })
  assert.equal(answer.headers.get('x-accepted'), 'gzip')
  assert.equal(await answer.text(), 'hello')
})

test('pass-through: shares are exact, and a target that is not there is passed over', async (t) => {
  const name =
    (word: string): RequestListener =>
    (_, answer) =>
      void answer.end(word)
  const [a, b] = [await serve(t, name('a')), await serve(t, name('b'))]
  const { url, apply, telemetry } = await dataPath(t)
  const endpoints = [opaque('a', a.url), opaque('b', b.url)]
  apply({ routes: [files([to('a', 3), to('b', 1)])], endpoints })
  const counts: Record<string, number> = {}
  const ask = async () => (await fetch(`${url}/v2`, { method: 'POST', body: 'x' })).text()
  for (let i = 0; i < 100; i++) {
    const who = await ask()
    counts[who] = (counts[who] ?? 0) + 1
  }
  assert.ok(Math.abs((counts['a'] ?? 0) - 75) <= 2, JSON.stringify(counts))

  apply({ routes: [files([to('a'), to('b', 1, 1)])], endpoints: [opaque('a', await nowhere()), opaque('b', b.url)] })
  assert.equal(await ask(), 'b')
  await eventually(() => assert.equal(telemetry.exchanges.length, 101))
  assert.deepEqual(
    telemetry.exchanges.at(-1)?.attempts.map(({ why, code }) => [why, code]),
    [
      ['chosen', 'connect_failed'],
      ['fallback', undefined],
    ],
  )
})

test('pass-through: with nobody there the caller gets an error that says so', async (t) => {
  const { url, telemetry } = await through(t, await nowhere())
  const answer = await fetch(`${url}/v2`, { method: 'POST', body: 'x'.repeat(1_000_000) })
  assert.equal(answer.status, 502)
  const { error } = (await answer.json()) as { error: { code: string } } // our own envelope
  assert.equal(error.code, 'connect_failed')
  assert.equal(telemetry.exchanges[0]?.code, 'connect_failed')
})

test('pass-through: a path that no rule has is a 404 that lists those there are', async (t) => {
  const { url: upstream } = await serve(t, echo)
  const { url } = await through(t, upstream)
  const answer = await fetch(`${url}/v3`)
  assert.equal(answer.status, 404)
  const text = await answer.text()
  assert.match(text, /path_not_found/)
  assert.match(text, /\/v2/)
})

test('pass-through: what the target says is the answer, errors too, and counts against it', async (t) => {
  const { url: upstream } = await serve(
    t,
    (_, answer) => void answer.writeHead(503, { 'retry-after': '7' }).end('busy'),
  )
  const { url, path } = await through(t, upstream)
  for (let i = 0; i < 5; i++) {
    const answer = await fetch(`${url}/v2`)
    assert.deepEqual([answer.status, answer.headers.get('retry-after'), await answer.text()], [503, '7', 'busy'])
  }
  const state = () => path.configuration.runtime?.endpoints.get('ai/a')?.models.get('')?.state.breaker.state
  await eventually(() => assert.equal(state(), 'open'))
})

test('pass-through: deadlines of connecting, of the attempt and of the request', async (t) => {
  const silent = await serve(t, () => {})
  const { url, apply } = await dataPath(t)
  const timeouts = { connect: 200, firstToken: 60_000, idle: 60_000, attempt: 300 }
  apply({ routes: [files([to('a')])], endpoints: [opaque('a', silent.url, { timeouts })] })
  const ask = async () => {
    const started = performance.now()
    const answer = await fetch(`${url}/v2`, { method: 'POST', body: 'x' })
    return { status: answer.status, text: await answer.text(), took: performance.now() - started }
  }
  const attempt = await ask()
  assert.equal(attempt.status, 504)
  assert.match(attempt.text, /attempt_timeout/)
  assert.ok(attempt.took >= 290 && attempt.took < 2000, String(attempt.took))
  const slow = { ...timeouts, attempt: 60_000 }
  apply({
    routes: [{ ...files([to('a')]), requestTimeout: 300 }],
    endpoints: [opaque('a', silent.url, { timeouts: slow })],
  })
  assert.match((await ask()).text, /request_timeout/)
  // TEST-NET-1 takes no connection; where a network refuses it at once that is no connection either.
  apply({ routes: [files([to('a')])], endpoints: [opaque('a', 'http://192.0.2.1:9', { timeouts: slow })] })
  assert.match((await ask()).text, /connect_(timeout|failed)/)
})

test('pass-through: an answer that is cut never ends as if it were whole', async (t) => {
  const { url: upstream } = await serve(t, (_, answer) => {
    answer.write('half')
    setTimeout(() => answer.destroy(), 20)
  })
  const { url, telemetry } = await through(t, upstream)
  const answer = await fetch(`${url}/v2`)
  assert.equal(answer.status, 200)
  await assert.rejects(answer.text())
  await eventually(() => assert.equal(telemetry.exchanges[0]?.code, 'upstream_truncated'))
})

test('pass-through: a target that resets before its answer is an error at once, and nobody else is asked', async (t) => {
  const { url: upstream } = await serve(t, (asked) => {
    asked.resume()
    asked.on('end', () => asked.socket.destroy())
  })
  const other = await serve(t, echo)
  const { url, apply } = await dataPath(t)
  apply({
    routes: [files([to('a'), to('b', 1, 1)], { retry: { attempts: 2, when: ['Reset'] } })],
    endpoints: [opaque('a', upstream), opaque('b', other.url)],
  })
  const answer = await fetch(`${url}/v2`, { method: 'POST', body: 'x'.repeat(1000) })
  assert.equal(answer.status, 502)
  assert.match(await answer.text(), /connection_reset/)
  assert.equal(answer.headers.get('x-tradewind-attempts'), '1')
})

test('pass-through: when the client leaves, the call of the target ends, before the answer and in the middle of it', async (t) => {
  for (const stage of ['before', 'middle'] as const) {
    let closed = 0
    const { url: upstream } = await serve(t, (asked, answer) => {
      asked.socket.once('close', () => closed++)
      if (stage === 'middle') answer.write('first')
    })
    const { url, telemetry, path } = await through(t, upstream)
    const leaving = request(`${url}/v2`, { method: 'POST' })
    leaving.on('error', () => {})
    leaving.end('x')
    if (stage === 'middle') await once(leaving, 'response')
    else await eventually(() => assert.equal(path.traffic.busy, 1))
    await eventually(() => assert.equal(path.configuration.runtime?.endpoints.get('ai/a')?.load.inFlight, 1))
    leaving.destroy()
    await eventually(() => assert.equal(closed, 1))
    await eventually(() => assert.equal(telemetry.exchanges[0]?.code, 'client_closed'))
    assert.equal(path.configuration.runtime?.endpoints.get('ai/a')?.load.inFlight, 0)
    assert.equal(path.traffic.busy, 0)
  }
})

/** A WebSocket server that echoes; keeps the upgrade requests that it saw. */
async function echoSockets(t: TestContext) {
  const { server, url } = await serve(t)
  const asked: IncomingMessage[] = []
  const sockets = new WebSocketServer({ server, handleProtocols: (offered) => [...offered][0] ?? false })
  sockets.on('connection', (socket, upgrade) => {
    asked.push(upgrade)
    socket.on('message', (data, binary) => socket.send(data, { binary }))
  })
  t.after(() => {
    for (const client of sockets.clients) client.terminate()
    sockets.close()
  })
  return { url, asked, sockets }
}

test('pass-through: WebSockets, both ways, with our credentials and their headers', async (t) => {
  const { url: upstream, asked } = await echoSockets(t)
  const { url, apply, telemetry } = await dataPath(t)
  apply({
    routes: [files([to('a')])],
    endpoints: [opaque('a', upstream, { credentials: { type: 'Secret', secret: { secret: 'ai/key', key: 'k' } } })],
    secrets: { 'ai/key': { data: { k: 'sk-ours' } } },
  })
  const socket = new WebSocket(
    `${url.replace('http', 'ws')}/v2/realtime?model=x`,
    ['realtime', 'openai-insecure-api-key.sk-theirs'],
    {
      headers: { authorization: 'Bearer sk-theirs', 'x-other': 'kept' },
    },
  )
  t.after(() => socket.terminate())
  await once(socket, 'open')
  assert.equal(socket.protocol, 'realtime')
  for (const message of ['hello', 'é'.repeat(100_000)]) {
    socket.send(message)
    const [data] = (await once(socket, 'message')) as [Buffer]
    assert.equal(data.toString(), message)
  }
  assert.equal(asked[0]?.url, '/v2/realtime?model=x')
  assert.equal(asked[0]?.headers['authorization'], 'Bearer sk-ours')
  assert.equal(asked[0]?.headers['x-other'], 'kept')
  assert.doesNotMatch(JSON.stringify(asked[0]?.headers), /theirs/)
  assert.equal(telemetry.exchanges.length, 0, 'it is not over')
  socket.close()
  await eventually(() => assert.equal(telemetry.exchanges.length, 1))
  const [facts] = telemetry.exchanges
  assert.deepEqual([facts?.status, facts?.code, facts?.attempts.length], [101, undefined, 1])
})

test('pass-through: a WebSocket outlives the deadlines of requests', async (t) => {
  const { url: upstream } = await echoSockets(t)
  const { url, apply } = await dataPath(t)
  const timeouts = { connect: 100, firstToken: 100, idle: 100, attempt: 100 }
  apply({
    routes: [{ ...files([to('a')]), requestTimeout: 150 }],
    endpoints: [opaque('a', upstream, { timeouts })],
  })
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v2`)
  t.after(() => socket.terminate())
  await once(socket, 'open')
  await new Promise((resolve) => setTimeout(resolve, 400))
  socket.send('still here')
  const [data] = (await once(socket, 'message')) as [Buffer]
  assert.equal(data.toString(), 'still here')
})

test('pass-through: either end that leaves a WebSocket ends the other', async (t) => {
  const { url: upstream, sockets } = await echoSockets(t)
  const { url, path } = await through(t, upstream)
  const open = async () => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v2`)
    socket.on('error', () => {})
    await once(socket, 'open')
    return socket
  }
  const leaving = await open()
  leaving.terminate()
  await eventually(() => assert.equal(sockets.clients.size, 0))
  const left = await open()
  for (const client of sockets.clients) client.terminate()
  await once(left, 'close')
  await eventually(() => assert.equal(path.traffic.busy, 0))
  await eventually(() => assert.equal(path.configuration.runtime?.endpoints.get('ai/a')?.load.inFlight, 0))
})

test('pass-through: an upgrade that fails is answered with the reason', async (t) => {
  const { url, apply } = await dataPath(t)
  const upgrade = async () => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v2`)
    socket.on('error', () => {})
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    let text = ''
    for await (const chunk of response) text += String(chunk)
    socket.terminate()
    return { status: response.statusCode, text, headers: response.headers }
  }
  apply({ routes: [files([to('a')])], endpoints: [opaque('a', await nowhere())] })
  const nobody = await upgrade()
  assert.equal(nobody.status, 502)
  assert.match(nobody.text, /connect_failed/)

  const plain = await serve(t, (_, answer) => void answer.writeHead(401, { 'x-why': 'no' }).end('go away'))
  apply({ routes: [files([to('a')])], endpoints: [opaque('a', plain.url)] })
  const refused = await upgrade()
  assert.deepEqual([refused.status, refused.text, refused.headers['x-why']], [401, 'go away', 'no'])

  const rude = createTcpServer((socket) => socket.once('data', () => socket.destroy()))
  rude.listen(0, '127.0.0.1')
  await once(rude, 'listening')
  t.after(() => rude.close())
  const { port } = rude.address() as AddressInfo // it listens on a port
  apply({ routes: [files([to('a')])], endpoints: [opaque('a', `http://127.0.0.1:${port}`)] })
  const reset = await upgrade()
  assert.equal(reset.status, 502)
  assert.match(reset.text, /connection_reset/)

  apply({ routes: [], endpoints: [] })
  assert.equal((await upgrade()).status, 404)
})

test('pass-through: a WebSocket falls back to the next target where the first is not there', async (t) => {
  const { url: upstream } = await echoSockets(t)
  const { url, apply } = await dataPath(t)
  apply({
    routes: [files([to('a'), to('b', 1, 1)])],
    endpoints: [opaque('a', await nowhere()), opaque('b', upstream)],
  })
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v2`)
  t.after(() => socket.terminate())
  const [response] = (await once(socket, 'upgrade')) as [IncomingMessage]
  assert.equal(response.headers['x-tradewind-endpoint'], 'ai/b')
  assert.equal(response.headers['x-tradewind-attempts'], '2')
})

test('pass-through: before there is a configuration, requests and upgrades are refused', async (t) => {
  const { port, url } = await dataPath(t)
  assert.equal((await fetch(`${url}/v2`)).status, 503)
  const socket = connect(port, '127.0.0.1')
  socket.end('GET /v2 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  assert.match(text, /^HTTP\/1\.1 503 /)
})
