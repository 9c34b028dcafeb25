import { createHash } from 'node:crypto'
import type { IncomingMessage, Server } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Answer, json } from './answer.ts'
import type { MockRecord, Records } from './records.ts'

/** The answer of `--echo`: what came in, as JSON. `bodySha256` is in hex, of the bytes as received. */
export function echo(name: string, request: IncomingMessage, body: Buffer): Answer {
  const bodySha256 = createHash('sha256').update(body).digest('hex')
  const { method, url, headers, rawHeaders, trailers } = request
  return json({ name, method, path: url, headers, rawHeaders, trailers, bodyBytes: body.length, bodySha256 })
}

/** Accepts WebSocket upgrades on any path and sends back each message as it came, text or binary; the first subprotocol offered is taken. */
export function echoWebSockets(server: Server, records: Records): { readonly close: () => void } {
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => offered.values().next().value ?? false,
  })
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (client) => {
      talk(client, records.begin(request.method ?? '', request.url ?? '', request.headers), records)
    })
  })
  return {
    close() {
      for (const client of sockets.clients) client.terminate()
      sockets.close()
    },
  }
}

function talk(client: WebSocket, record: MockRecord, records: Records): void {
  records.answered(record, 101, true)
  client.on('message', (data, binary) => {
    record.sent += 1
    client.send(data, { binary })
  })
  // Without a close frame the other end was cut off (RFC 6455, 7.1.5: code 1006).
  client.on('close', (code) => records.end(record, code === 1006))
  client.on('error', () => client.terminate())
}
