import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'

const body = '{"model":"chat","messages":[{"role":"user","content":"Hi"}]}'
const post = (text = body, more = '') =>
  `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`

async function raw(t: TestContext, options: { bodyLimit?: number } = {}) {
  const [a] = await upstreams(t, {})
  const sidecar = await dataPath(
    t,
    { routes: [route('chat', [rule([target('a')])])], endpoints: [endpoint('a', `${a.url}/v1`)] },
    options,
  )
  const socket = connect(sidecar.port, '127.0.0.1')
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  socket.on('error', () => {})
  const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
  return { a, socket, statuses, text: () => text, ...sidecar }
}

test('lane: one request after the other on one connection, split anywhere', async (t) => {
  const { socket, statuses } = await raw(t)
  const request = post()
  for (const at of [1, 30, 60, request.indexOf('\r\n\r\n') + 2, request.indexOf('\r\n\r\n') + 4, request.length - 3]) {
    const before = statuses().length
    socket.write(request.slice(0, at))
    await new Promise((resolve) => setTimeout(resolve, 15))
    socket.write(request.slice(at))
    await eventually(() => assert.equal(statuses().length, before + 1))
  }
  assert.deepEqual([...new Set(statuses())], [200])
})

test('lane: requests that are sent ahead are answered in their order', async (t) => {
  const { socket, statuses, text, path } = await raw(t)
  socket.write(post() + post('{"model":"none"}') + post('no JSON') + post())
  await eventually(() => assert.equal(statuses().length, 4))
  assert.deepEqual(statuses(), [200, 404, 400, 200])
  // Then one of another form, and those after it go the same way.
  socket.write(`GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n${post()}${post()}`)
  await eventually(() => assert.equal(statuses().length, 7))
  assert.deepEqual(statuses(), [200, 404, 400, 200, 200, 200, 200])
  assert.match(text(), /"object":"list"/)
  await eventually(() => assert.equal(path.traffic.busy, 0))
})

test('lane: what needs more than a lane gets it, whatever came before', async (t) => {
  const { socket, statuses } = await raw(t)
  socket.write(post())
  await eventually(() => assert.deepEqual(statuses(), [200]))
  const chunked = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  socket.write(chunked.slice(0, 40))
  await new Promise((resolve) => setTimeout(resolve, 15))
  socket.write(chunked.slice(40))
  await eventually(() => assert.deepEqual(statuses(), [200, 200]))
})

test('lane: a body above the limit, and a bad request, are refused as elsewhere', async (t) => {
  const { socket, statuses } = await raw(t, { bodyLimit: 500 })
  socket.write(post('x'.repeat(501)))
  await eventually(() => assert.deepEqual(statuses(), [413]))
  const other = connect(socket.remotePort ?? 0, '127.0.0.1')
  t.after(() => other.destroy())
  other.write('POST /v1/chat/completions HTTP/1.1\r\nbroken\r\n\r\n')
  const [answer] = (await once(other, 'data')) as [Buffer]
  assert.match(answer.toString(), /^HTTP\/1\.1 400 /)
})

test('lane: a client that wants the connection closed gets its answer and that', async (t) => {
  const { socket, statuses, text } = await raw(t)
  socket.write(post(body, 'Connection: close\r\n'))
  await once(socket, 'end')
  assert.deepEqual(statuses(), [200])
  assert.match(text(), /connection: close/)
})

test('lane: draining ends idle connections, and those that are busy with their answer', async (t) => {
  const { socket, path, port, a } = await raw(t)
  await a.setFaults(['delay=200'])
  const busy = connect(port, '127.0.0.1')
  let text = ''
  busy.on('data', (chunk) => (text += chunk.toString()))
  busy.write(post())
  await eventually(() => assert.equal(path.traffic.busy, 1))
  const ended = once(socket, 'close')
  const drained = path.drain()
  await ended
  await once(busy, 'close')
  await drained
  assert.match(text, /^HTTP\/1\.1 200 [\s\S]*finish_reason/)
})
