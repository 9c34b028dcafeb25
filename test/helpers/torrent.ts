import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** Events of a torrent: each of some 1000 bytes, together more than the sockets between two ends hold. */
const MOST = 40_000

interface Torrent {
  readonly url: string
  /** A caller that takes its time reads all of it, and the server could not send it all before; resolves with the answer's end. */
  readonly readLate: (outgoing: ClientRequest, least: number) => Promise<string>
}

/** A server that streams as fast as it is read, until the test ends. `event` comes thousands of times between the others. */
export async function torrent(
  t: TestContext,
  { opening = '', event, closing }: { readonly opening?: string; readonly event: string; readonly closing: string },
): Promise<Torrent> {
  let sent = 0
  const server = createServer((incoming, answer) => {
    incoming.resume()
    answer.writeHead(200, { 'content-type': 'text/event-stream' })
    if (opening !== '') answer.write(opening)
    const more = () => {
      while (sent < MOST) {
        sent++
        if (!answer.write(event)) return void answer.once('drain', more)
      }
      answer.end(closing)
    }
    more()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // it listens on a port
    async readLate(outgoing, least) {
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage] // of node:http
      answer.pause()
      await new Promise((resolve) => setTimeout(resolve, 1500))
      assert.ok(sent < MOST, 'the target has not been able to send it all')
      let bytes = 0
      let end = ''
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        bytes += chunk.length
        end = (end + chunk.toString()).slice(-100)
      }
      assert.ok(bytes > MOST * least, `${bytes}`)
      return end
    },
  }
}
