import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { eventually } from '../test/helpers/eventually.ts'
import { Pieces } from './pieces.ts'

/** Sends texts at once from one end of a connection, with pings in between; resolves with what comes at the other. */
async function carried(t: TestContext, texts: readonly string[]) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.after(() => server.close())
  await once(server, 'listening')
  const heard: string[] = []
  server.on('connection', (socket) =>
    socket.on('message', (data: Buffer, isBinary) => heard.push(isBinary ? 'binary' : data.toString())),
  )
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await once(client, 'open')
  const pieces = new Pieces(client)
  for (const text of texts) {
    pieces.send(text)
    client.ping()
  }
  const most = pieces.buffered
  await eventually(() => assert.equal(heard.length, texts.length))
  client.terminate()
  return { heard, most, left: pieces.buffered }
}

test('pieces: texts arrive whole and in order, wherever they are cut', async (t) => {
  // Characters of one to four bytes, so that pieces end within them.
  const texts = ['', 'short', 'aé€😀'.repeat(5000), '{}', 'x'.repeat(8192), 'y'.repeat(8193), 'end']
  const { heard, most, left } = await carried(t, texts)
  assert.deepEqual(heard, texts)
  assert.ok(most > 60_000, 'what waits is counted')
  assert.equal(left, 0)
})
