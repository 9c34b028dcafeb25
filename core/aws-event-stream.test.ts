import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { awsEvent, AwsEventStreamParser, awsException } from './aws-event-stream.ts'
import { Malformed } from './dialects/dialect.ts'
import { EventTooLarge } from './sse.ts'

const LIMIT = 1 << 20

interface Read {
  readonly messages: readonly { readonly type: string; readonly data: string }[]
  readonly fault?: string
}

function read(chunks: readonly Buffer[], limit = LIMIT): Read & { readonly raw: Buffer; readonly between: boolean } {
  const parser = new AwsEventStreamParser(limit)
  const messages: { type: string; data: string }[] = []
  const raw: Buffer[] = []
  let fault: string | undefined
  try {
    for (const chunk of chunks)
      for (const message of parser.push(chunk)) {
        messages.push({ type: message.type, data: message.data })
        raw.push(message.raw)
      }
    parser.end()
  } catch (error) {
    assert.ok(error instanceof Malformed || error instanceof EventTooLarge, String(error))
    fault = error.message
  }
  return { messages, ...(fault === undefined ? {} : { fault }), raw: Buffer.concat(raw), between: parser.between }
}

/** The same bytes in pieces that end at these places. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...at.filter((it) => it < bytes.length), bytes.length])].toSorted((a, b) => a - b)
  return places.slice(1).map((to, i) => bytes.subarray(places[i], to))
}

/** A message with headers of any type, written by the book and not by the code under test. */
function written(headers: readonly (readonly [name: string, type: number, value: Buffer])[], payload = ''): Buffer {
  const head = Buffer.concat(
    headers.flatMap(([name, type, value]) => [
      Buffer.of(name.length),
      Buffer.from(name),
      Buffer.of(type),
      ...(type === 6 || type === 7 ? [Buffer.of(value.length >> 8, value.length & 255)] : []),
      value,
    ]),
  )
  const bytes = Buffer.alloc(16 + head.length + Buffer.byteLength(payload))
  bytes.writeUInt32BE(bytes.length, 0)
  bytes.writeUInt32BE(head.length, 4)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8)
  head.copy(bytes, 12)
  bytes.write(payload, 12 + head.length)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4)
  return bytes
}

/** The first message of a recorded answer of ConverseStream: https://github.com/pydantic/pydantic-ai, cassette test_bedrock_model_thinking_part_stream. */
const recorded =
  'AAAApAAAAFJl4NbnCzpldmVudC10eXBlBwAMbWVzc2FnZVN0YXJ0DTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29uDTptZXNzYWdlLXR5cGUHAAVldmVudHsicCI6ImFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6QUJDREVGR0hJSktMTSIsInJvbGUiOiJhc3Npc3RhbnQifSKBqDQ='

test('a recorded message is read, and written again byte for byte', () => {
  const bytes = Buffer.from(recorded, 'base64')
  const data = '{"p":"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM","role":"assistant"}'
  assert.deepEqual(read([bytes]).messages, [{ type: 'messageStart', data }])
  assert.deepEqual(awsEvent('messageStart', data), bytes)
})

const message = fc
  .record({ type: fc.string({ minLength: 1, maxLength: 30 }), data: fc.json(), exception: fc.boolean() })
  .map(({ exception, ...it }) => ({ ...it, bytes: (exception ? awsException : awsEvent)(it.type, it.data) }))

test('messages that were written are read as they were, at every split, and keep their bytes', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), (all) => {
      const bytes = Buffer.concat(all.map((it) => it.bytes))
      const expected = { messages: all.map(({ type, data }) => ({ type, data })), raw: bytes, between: true }
      assert.deepEqual(read([bytes]), expected)
      assert.deepEqual(read([...bytes].map((byte) => Buffer.of(byte))), expected)
      for (let at = 1; at < bytes.length; at++) assert.deepEqual(read(cut(bytes, [at])), expected)
    }),
    { numRuns: 30 },
  )
})

test('any pieces give the same, of good streams and of bad ones', () => {
  const stream = fc.tuple(
    fc.array(message, { maxLength: 4 }),
    fc.option(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }))),
  )
  fc.assert(
    fc.property(stream, fc.array(fc.nat({ max: 600 })), ([all, flip], places) => {
      const bytes = Buffer.concat(all.map((it) => it.bytes))
      if (flip && bytes.length > 0) {
        const at = flip[0] % bytes.length
        bytes[at] = (bytes[at] ?? 0) ^ flip[1]
      }
      assert.deepEqual(read(cut(bytes, places)), read([bytes]))
    }),
    { numRuns: 500 },
  )
})

test('one wrong byte anywhere is found, and the messages before it are kept', () => {
  const good = awsEvent('messageStart', '{"role":"assistant"}')
  const next = awsEvent('contentBlockDelta', '{"delta":{"text":"hä"},"contentBlockIndex":0}')
  for (let at = 0; at < next.length; at++) {
    const bad = Buffer.from(next)
    bad[at] = (bad[at] ?? 0) ^ 0x10
    const { messages, fault, between } = read([Buffer.concat([good, bad])])
    assert.equal(messages.length, 1)
    assert.ok(fault !== undefined || !between, `byte ${at}`)
    // A wrong length may wait for bytes that never come: but never in the prelude, which has a checksum of its own.
    assert.ok(fault !== undefined, `byte ${at}`)
  }
})

test('what follows good messages in a chunk is thrown at the next call', () => {
  const parser = new AwsEventStreamParser(LIMIT)
  const bad = awsEvent('b', '{}')
  bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1
  assert.equal(parser.push(Buffer.concat([awsEvent('a', '{}'), bad])).length, 1)
  assert.throws(() => parser.push(Buffer.of(1)), Malformed)
  assert.throws(() => parser.end(), Malformed)
})

test('no bytes crash the parser', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (chunks) => {
      read(chunks.map((it) => Buffer.from(it)))
    }),
    { numRuns: 2000 },
  )
  // Headers of any bytes behind checksums that are right.
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (head) => {
      const bytes = Buffer.concat([Buffer.alloc(12), head, Buffer.alloc(4)])
      bytes.writeUInt32BE(bytes.length, 0)
      bytes.writeUInt32BE(head.length, 4)
      bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8)
      bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4)
      read([bytes])
    }),
    { numRuns: 2000 },
  )
})

test('headers of all ten types are passed over or read', () => {
  const headers = [
    ['t', 0, Buffer.alloc(0)],
    ['f', 1, Buffer.alloc(0)],
    ['byte', 2, Buffer.alloc(1)],
    ['short', 3, Buffer.alloc(2)],
    ['int', 4, Buffer.alloc(4)],
    ['long', 5, Buffer.alloc(8)],
    ['bytes', 6, Buffer.from('xyz')],
    [':event-type', 7, Buffer.from('metadata')],
    ['time', 8, Buffer.alloc(8)],
    ['uuid', 9, Buffer.alloc(16)],
    [':message-type', 7, Buffer.from('event')],
  ] as const
  assert.deepEqual(read([written(headers, '{}')]).messages, [{ type: 'metadata', data: '{}' }])
  assert.match(read([written([['x', 10, Buffer.alloc(0)]])]).fault ?? '', /type that there is not/)
  assert.match(read([written([['x', 7, Buffer.alloc(0)]])]).fault ?? '', /no event, no exception and no error/)
})

test('an error without an exception says its code', () => {
  const bytes = written([
    [':message-type', 7, Buffer.from('error')],
    [':error-code', 7, Buffer.from('InternalError')],
    [':error-message', 7, Buffer.from('no')],
  ])
  assert.deepEqual(read([bytes]).messages, [{ type: 'error', data: '{"code":"InternalError","message":"no"}' }])
})

test('a message that is larger than the bound is refused before it is held', () => {
  const parser = new AwsEventStreamParser(100)
  assert.throws(() => parser.push(awsEvent('a', `"${'x'.repeat(100)}"`).subarray(0, 12)), EventTooLarge)
})

test('a message that is cut short is no message', () => {
  const bytes = awsEvent('a', '{}')
  assert.deepEqual(read([bytes.subarray(0, -1)]).messages, [])
  assert.equal(read([bytes.subarray(0, -1)]).between, false)
})

test('a message of a million pieces is put together once', () => {
  const data = JSON.stringify({ text: 'x'.repeat(500_000) })
  const bytes = awsEvent('contentBlockDelta', data)
  const parser = new AwsEventStreamParser(LIMIT)
  const seen = [...bytes].flatMap((byte) => parser.push(Buffer.of(byte)).map((it) => it.data.length))
  assert.deepEqual(seen, [data.length])
})
