import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Reply } from '../core/exchange.ts'

/** Writes an answer to a socket that asked for an upgrade and does not get it. One that has had its answer is left alone. */
export function answerRaw(socket: Duplex, { status, headers, body }: Reply): void {
  if (!socket.writable || !Buffer.isBuffer(body)) return
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n`
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
  socket.end(Buffer.concat([Buffer.from(`${head}\r\n`), body]))
}
