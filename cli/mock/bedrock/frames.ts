import { crc32 } from 'node:zlib'
import type { Part } from '../answer.ts'
import { isRecord } from '../text.ts'

/** One message of AWS's event stream: https://smithy.io/2.0/aws/amazon-eventstream.html */
export function frame(kind: 'event' | 'exception', type: string, payload: unknown): Buffer {
  const headers = Buffer.concat(
    [
      [`:${kind}-type`, type],
      [':content-type', 'application/json'],
      [':message-type', kind],
    ].map(([name = '', value = '']) => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(value.length)
      return Buffer.concat([Buffer.of(name.length), Buffer.from(name), Buffer.of(7), length, Buffer.from(value)])
    }),
  )
  const body = Buffer.from(JSON.stringify(payload))
  const prelude = Buffer.alloc(8)
  prelude.writeUInt32BE(16 + headers.length + body.length)
  prelude.writeUInt32BE(headers.length, 4)
  const message = Buffer.concat([prelude, checksum(prelude), headers, body])
  return Buffer.concat([message, checksum(message)])
}

/** What a part of a stream is, and what it says. */
export function read(part: Part): { readonly type: string; readonly payload: Readonly<Record<string, unknown>> } {
  const bytes = Buffer.from(part)
  const headers = bytes.readUInt32BE(4)
  const value = 12 + 1 + bytes.readUInt8(12) + 1
  const type = bytes.toString('utf8', value + 2, value + 2 + bytes.readUInt16BE(value))
  const payload: unknown = JSON.parse(bytes.toString('utf8', 12 + headers, bytes.length - 4))
  return { type, payload: isRecord(payload) ? payload : {} }
}

function checksum(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(bytes))
  return sum
}
