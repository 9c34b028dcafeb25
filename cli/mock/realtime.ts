import type { IncomingMessage, Server } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Answer, bodyOf, Refusal } from './answer.ts'
import type { MockRequest } from './providers/provider.ts'
import type { MockRecord, Records } from './records.ts'

/** What is said over a WebSocket: at its beginning, and upon each message. Each is one JSON event. */
export interface Conversation {
  readonly model: string
  readonly opening: readonly unknown[]
  reply(message: unknown): readonly unknown[]
}

/**
 * Accepts WebSockets where `converse` has something to say to them, and refuses all others as it throws. The first subprotocol that is no
 * key is taken.
 */
export function conversations(
  server: Server,
  records: Records,
  converse: (request: MockRequest) => Conversation,
): { readonly close: () => void } {
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => [...offered].find((it) => !it.startsWith('openai-insecure-api-key.')) ?? false,
  })
  server.on('upgrade', (request, socket, head) => {
    const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s)
    const record = records.begin(request.method ?? '', path, request.headers)
    let conversation: Conversation
    try {
      conversation = converse(asked(request, path, query))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      records.answered(record, error.answer.status, false)
      records.end(record, false)
      return void socket.end(refused(error.answer))
    }
    record.model = conversation.model
    sockets.handleUpgrade(request, socket, head, (client) => talk(client, conversation, record, records))
  })
  return {
    close() {
      for (const client of sockets.clients) client.terminate()
      sockets.close()
    },
  }
}

const asked = ({ method = '', headers }: IncomingMessage, path: string, query: string): MockRequest => ({
  method,
  path,
  query: new URLSearchParams(query),
  headers,
  body: undefined,
  bytes: Buffer.alloc(0),
})

function refused(answer: Answer): string {
  const body = String(bodyOf(answer))
  return `HTTP/1.1 ${answer.status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
}

function talk(client: WebSocket, conversation: Conversation, record: MockRecord, records: Records): void {
  const say = (events: readonly unknown[]): void => {
    for (const event of events) {
      record.sent += 1
      client.send(JSON.stringify(event))
    }
  }
  records.answered(record, 101, true)
  say(conversation.opening)
  client.on('message', (data) => say(conversation.reply(parse(Buffer.isBuffer(data) ? data.toString() : ''))))
  client.on('close', (code) => records.end(record, code === 1006))
  client.on('error', () => client.terminate())
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
