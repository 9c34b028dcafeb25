import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'

/** A model that keeps the bodies that it gets, and answers each with this status. */
async function keeping(t: TestContext, status: number) {
  const bodies: string[] = []
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString())
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ choices: [{ finish_reason: 'stop' }] }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` } // it listens on a port
}

/** Some 900 KB, with characters of several bytes and quotes all over. */
const body = (model: string) =>
  JSON.stringify({
    model,
    messages: [{ role: 'user', content: 'Ein „Satz“ mit "Zitat" \\ und 😀. '.repeat(20_000) }],
    n: 1,
  })

async function chain(t: TestContext) {
  const [failing, good] = [await keeping(t, 503), await keeping(t, 200)]
  const targets = [target('a'), target('b', { priority: 1 })]
  const { port } = await dataPath(t, {
    routes: [route('chat', [rule(targets)])],
    endpoints: [endpoint('a', failing.url), endpoint('b', good.url)],
  })
  return { port, failing, good }
}

for (const chunked of [false, true])
  test(`large: each target gets the same prompt with its own model, ${chunked ? 'sent in chunks' : 'of known length'}`, async (t) => {
    const { port, failing, good } = await chain(t)
    const asked = body('chat')
    const outgoing = request({ port, path: '/v1/chat/completions', method: 'POST' })
    if (!chunked) outgoing.setHeader('content-length', Buffer.byteLength(asked))
    outgoing.end(asked)
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    answer.resume()
    assert.equal(answer.statusCode, 200)
    assert.deepEqual(failing.bodies, [body('a-model')])
    assert.deepEqual(good.bodies, [body('b-model')])
  })

test('large: what follows a prompt at once is a request of its own', async (t) => {
  const { port, good } = await chain(t)
  const asked = Buffer.from(body('chat'))
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${asked.length}\r\n\r\n`
  const both = Buffer.concat([Buffer.from(head), asked, Buffer.from(head), asked])
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += String(chunk)))
  // In pieces that end in the midst of the second one's head, and elsewhere.
  const edge = head.length + asked.length + 10
  socket.write(both.subarray(0, 100_000))
  socket.write(both.subarray(100_000, edge))
  socket.write(both.subarray(edge))
  await eventually(() => assert.equal(text.match(/HTTP\/1\.1 200 /g)?.length, 2))
  assert.deepEqual(good.bodies, [body('b-model'), body('b-model')])
})
