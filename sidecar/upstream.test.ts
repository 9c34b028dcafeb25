import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import { Bytes } from '../core/bytes.ts'
import { Pool } from './upstream.ts'

test('a caller that can take no more of a whole answer does not hold up the next on its connection', async (t) => {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'))
  })
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on TCP
  const pool = new Pool({ host: '127.0.0.1', port, tls: undefined, proxy: undefined })
  t.after(() => pool.close())

  const ask = () =>
    new Promise<string>((resolve, reject) => {
      let text = ''
      const headers = ['host', 'upstream']
      pool.call(
        { method: 'POST', path: '/', headers, body: new Bytes([Buffer.from('{}')]) },
        {
          sent() {},
          head() {},
          data(chunk) {
            text += chunk.toString()
            return false
          },
          ended: () => resolve(text),
          failed: (_stage, error) => reject(error),
        },
      )
    })
  assert.equal(await ask(), 'ok')
  assert.equal(await ask(), 'ok')
  assert.equal(connections, 1)
})
