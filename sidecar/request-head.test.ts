import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chat } from '../core/surfaces/chat.ts'
import { readHead } from './request-head.ts'

const lines = (...rest: string[]) =>
  Buffer.from(['POST /v1/chat/completions HTTP/1.1', 'Host: x', ...rest, '', '{"model":"m"}'].join('\r\n'))
const plain = lines('Content-Type: application/json', 'content-length: 13')

test('request: a plain one is taken', () => {
  const head = readHead(plain)
  assert.deepEqual(head, {
    place: { surface: chat, found: { path: '/v1/chat/completions', method: 'POST' } },
    headers: ['Host', 'x', 'Content-Type', 'application/json', 'content-length', '13'],
    start: plain.length - 13,
    length: 13,
    close: false,
  })
  assert.equal(readHead(lines('content-length: 13', 'Connection: Close'))?.close, true)
  assert.equal(readHead(lines('content-length: 13', 'Connection: keep-alive'))?.close, false)
  for (const path of ['/chat/completions', '/v1/completions', '/completions', '/v1/embeddings', '/embeddings'])
    assert.ok(readHead(Buffer.from(plain.toString().replace('/v1/chat/completions', path))), path)
})

test('request: the body need not have come', () => {
  assert.equal(readHead(plain.subarray(0, plain.length - 13))?.length, 13)
})

const others: [name: string, request: Buffer][] = [
  ['another method', Buffer.from(plain.toString().replace('POST', 'PUT'))],
  ['another path', Buffer.from(plain.toString().replace('/v1/chat', '/v1/other'))],
  ['a query', Buffer.from(plain.toString().replace('completions', 'completions?a=b'))],
  ['another version', Buffer.from(plain.toString().replace('HTTP/1.1', 'HTTP/1.0'))],
  ['no host', Buffer.from(plain.toString().replace('Host: x\r\n', ''))],
  ['two hosts', lines('content-length: 13', 'host: y')],
  ['no length', lines()],
  ['two lengths', lines('content-length: 13', 'content-length: 13')],
  ['a length that is none', lines('content-length: 0x0d')],
  ['chunks', lines('content-length: 13', 'transfer-encoding: chunked')],
  ['a compressed body', lines('content-length: 13', 'content-encoding: gzip')],
  ['100-continue', lines('content-length: 13', 'expect: 100-continue')],
  ['an upgrade', lines('content-length: 13', 'connection: upgrade', 'upgrade: websocket')],
  ['a folded line', lines('content-length: 13', 'a: b', ' c')],
  ['a space before the colon', lines('content-length: 13', 'a : b')],
  ['a line without a colon', lines('content-length: 13', 'abc')],
  ['a control character', lines('content-length: 13', 'a: b\u0000c')],
  ['a bare line feed', lines('content-length: 13', 'a: b\nc: d')],
  ['half a head', plain.subarray(0, 60)],
  ['a long head', lines('content-length: 13', `a: ${'b'.repeat(9000)}`)],
  ['nothing of the kind', Buffer.from('\u0016\u0003\u0001\u0002')],
]

for (const [name, request] of others)
  test(`request: ${name} goes the ordinary way`, () => assert.equal(readHead(request), undefined))
