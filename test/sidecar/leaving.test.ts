import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { torrent } from '../helpers/torrent.ts'
import { upstreams } from '../helpers/upstream.ts'

const messages = [{ role: 'user', content: 'Say something of some length.' }]
const body = (stream: boolean) => JSON.stringify({ model: 'chat', messages, stream })

/**
 * Leaves, again and again, until the call was seen to end within 100 ms of it: that is the promise, which a machine that does something else
 * meanwhile may keep us from once, but not each time.
 */
async function endsAtOnce(begun: () => number, leaves: (left: (leave: () => void) => void) => Promise<unknown>) {
  const tried: number[] = []
  for (let i = 0; i < 6; i++) {
    let at = 0
    const gone = leaves((leave) => {
      const now = () => {
        at = performance.now()
        leave()
      }
      eventually(() => assert.equal(begun(), 1)).then(now, now)
    })
    await gone
    await eventually(() => assert.equal(begun(), 0), { every: 1 })
    const took = performance.now() - at
    if (took < 100) return
    tried.push(Math.round(took))
  }
  throw new Error(`the call ended ${tried.join(', ')} ms after its client had left`)
}

async function sidecarFor(t: Parameters<typeof dataPath>[0], url: string) {
  return dataPath(t, {
    routes: [route('chat', [rule([target('a')], { retry: { attempts: 3, when: ['Status5xx', 'Connect'] } })])],
    endpoints: [endpoint('a', url)],
  })
}

function leave(port: number, stream: boolean, after: (left: () => void) => void): Promise<unknown> {
  const outgoing = request({ port, path: '/v1/chat/completions', method: 'POST', agent: false })
  outgoing.on('response', (answer) => answer.on('error', () => {}).resume())
  outgoing.end(body(stream))
  after(() => outgoing.destroy())
  return once(outgoing, 'close').catch(() => {})
}

for (const [stage, fault, stream] of [
  ['before the headers', 'stall-headers', false],
  ['before the headers of a stream', 'stall-headers', true],
  ['in the middle of an answer', 'stall-body', false],
  ['in the middle of a stream', 'stall-body,after=3', true],
] as const)
  test(`leaving: ${stage}, the call ends`, async (t) => {
    const [a] = await upstreams(t, { faults: [fault] })
    const { port, telemetry } = await sidecarFor(t, `${a.url}/v1`)
    await endsAtOnce(
      () => a.stats().open,
      (left) => leave(port, stream, left),
    )
    await eventually(() => assert.ok(telemetry.exchanges.length > 0))
    assert.equal(telemetry.exchanges[0]?.aborted, true)
    assert.equal(telemetry.exchanges[0]?.code, 'client_closed')
  })

test('leaving: what a stream has produced is accounted for', async (t) => {
  const [a] = await upstreams(t, { faults: ['stall-body,after=5'] })
  const { port, telemetry } = await sidecarFor(t, `${a.url}/v1`)
  await leave(
    port,
    true,
    (left) => void eventually(() => assert.equal(a.stats().open, 1)).then(() => setTimeout(left, 50)),
  )
  await eventually(() => assert.equal(telemetry.exchanges.length, 1))
  assert.ok((telemetry.exchanges[0]?.usage?.output ?? 0) >= 4)
  assert.equal(telemetry.exchanges[0]?.usage?.estimated, true)
})

test('leaving: while the connection is being made, it is given up', async (t) => {
  // Takes connections, says nothing: the TLS handshake does not end.
  const sockets = new Set<Socket>()
  const silent = createServer((socket) =>
    sockets.add(
      socket
        .on('close', () => sockets.delete(socket))
        .on('error', () => {})
        .resume(),
    ),
  )
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const { port } = await sidecarFor(t, `https://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`)
  await endsAtOnce(
    () => sockets.size,
    (left) => leave(port, true, left),
  )
})

test('leaving: during a back-off, nobody is asked any more', async (t) => {
  const [a] = await upstreams(t, { faults: ['rate-limit=seconds,wait=1s'] })
  const { port, telemetry } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')], { retry: { attempts: 1, when: ['Status429'] } })])],
    endpoints: [endpoint('a', `${a.url}/v1`)],
  })
  await leave(
    port,
    false,
    (left) => void eventually(() => assert.equal(a.stats().requests, 1)).then(() => setTimeout(left, 20)),
  )
  await eventually(() => assert.equal(telemetry.exchanges.length, 1), { within: 500 })
  assert.equal(telemetry.exchanges[0]?.code, 'client_closed')
  assert.equal(a.stats().requests, 1)
})

test('leaving: before the request is whole, nobody is asked', async (t) => {
  const [a] = await upstreams(t, {})
  const { port, path } = await sidecarFor(t, `${a.url}/v1`)
  const socket = connect(port, '127.0.0.1')
  socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"model":')
  await eventually(() => assert.equal(path.traffic.busy, 1))
  socket.destroy()
  await eventually(() => assert.equal(path.traffic.busy, 0))
  assert.equal(a.stats().requests, 0)
})

test('leaving: a client that does not read holds the target back, and loses nothing', async (t) => {
  const event = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(1000) }, finish_reason: null }] })}\n\n`
  const closing = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
  const { url, readLate } = await torrent(t, { event, closing })
  const { port } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [
      endpoint('a', `${url}/v1`, {
        // A caller that takes its time is no stall of the target's.
        timeouts: { connect: 1000, firstToken: 1000, idle: 800, attempt: 60_000 },
      }),
    ],
  })
  const outgoing = request({ port, path: '/v1/chat/completions', method: 'POST', agent: false })
  outgoing.end(body(true))
  assert.match(await readLate(outgoing, event.length), /\[DONE\]\n\n$/)
})

test('leaving: over and over, nothing is left behind', async (t) => {
  const [a] = await upstreams(t, { tokens: 50, tokensPerSecond: 500 })
  const { port, path, telemetry } = await sidecarFor(t, `${a.url}/v1`)
  for (let i = 0; i < 20; i++)
    await Promise.all(
      Array.from({ length: 20 }, (_, j) => leave(port, j % 2 === 0, (left) => setTimeout(left, (i * 7 + j * 3) % 60))),
    )
  await eventually(() => assert.equal(path.traffic.busy, 0))
  await eventually(() => assert.equal(a.stats().open, 0))
  const runtime = path.configuration.runtime
  assert.equal(runtime?.endpoints.get('ai/a')?.load.inFlight, 0)
  assert.ok(telemetry.exchanges.length > 0)
})
