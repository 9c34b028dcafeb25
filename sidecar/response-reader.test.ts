import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { NotHttp, ResponseReader } from './response-reader.ts'

interface Seen {
  status: number
  headers: readonly string[]
  body: string
  complete: boolean
}

/** Reads chunks as the response to one request. */
function read(chunks: readonly (string | Buffer)[], method = 'POST') {
  const seen: Seen = { status: 0, headers: [], body: '', complete: false }
  const reader = new ResponseReader({
    head: (status, headers) => Object.assign(seen, { status, headers }),
    body: (chunk) => (seen.body += chunk.toString('latin1')),
    complete: () => (seen.complete = true),
  })
  reader.expect(method)
  for (const chunk of chunks) reader.push(Buffer.from(chunk), true)
  return { ...seen, reusable: reader.reusable, keepFor: reader.keepFor, endsWithConnection: reader.endsWithConnection }
}

const sized = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello'
const chunked =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=5\r\n\r\n5;ext="x"\r\nhello\r\nA\r\n, world...\r\n0\r\nx-trailer: 1\r\n\r\n'

test('response: of known length', () => {
  assert.deepEqual(read([sized]), {
    status: 200,
    headers: ['content-type', 'text/plain', 'content-length', '5'],
    body: 'hello',
    complete: true,
    reusable: true,
    keepFor: undefined,
    endsWithConnection: false,
  })
})

test('response: in chunks, with an extension and a trailer', () => {
  const { body, complete, reusable, keepFor } = read([chunked])
  assert.deepEqual([body, complete, reusable, keepFor], ['hello, world...', true, true, 5000])
})

test('response: to the end of the connection', () => {
  const { body, complete, reusable, endsWithConnection } = read(['HTTP/1.1 200 OK\r\n\r\nhello'])
  assert.deepEqual([body, complete, reusable, endsWithConnection], ['hello', false, false, true])
})

test('response: without a body', () => {
  assert.equal(read(['HTTP/1.1 204 No Content\r\n\r\n']).complete, true)
  assert.equal(read(['HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n']).complete, true)
  assert.equal(read(['HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n'], 'HEAD').complete, true)
  assert.equal(read(['HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n']).complete, true)
})

test('response: what comes before it is passed over', () => {
  const { status, body } = read([`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${sized}`])
  assert.deepEqual([status, body], [200, 'hello'])
})

test('response: whether the connection can be used again', () => {
  const head = (version: string, header: string) => `HTTP/${version} 200 OK\r\n${header}content-length: 0\r\n\r\n`
  assert.equal(read([head('1.1', 'Connection: close\r\n')]).reusable, false)
  assert.equal(read([head('1.0', '')]).reusable, false)
  assert.equal(read([head('1.0', 'Connection: Keep-Alive\r\n')]).reusable, true)
})

test('response: one after the other', () => {
  let bodies = ''
  const reader = new ResponseReader({
    head: () => {},
    body: (chunk) => (bodies += chunk.toString()),
    complete: () => (bodies += '|'),
  })
  for (const response of [sized, chunked, sized]) {
    reader.expect('POST')
    reader.push(Buffer.from(response), false)
  }
  assert.equal(bodies, 'hello|hello, world...|hello|')
})

test('response: the same at every split point', () => {
  for (const response of [sized, chunked, `HTTP/1.1 100 Continue\r\n\r\n${chunked}`]) {
    const whole = read([response])
    for (let i = 1; i < response.length; i++)
      assert.deepEqual(read([response.slice(0, i), response.slice(i)]), whole, `at ${i}`)
    assert.deepEqual(read(response.split('')), whole)
  }
})

test('response: any body in any chunks comes out as it went in', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 })), fc.array(fc.nat(4000)), (parts, cuts) => {
      const wire = Buffer.concat([
        Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'),
        ...parts.flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]),
        Buffer.from('0\r\n\r\n'),
      ])
      const at = [0, ...cuts.filter((cut) => cut < wire.length).sort((a, b) => a - b), wire.length]
      const seen = read(at.slice(1).map((end, i) => wire.subarray(at[i], end)))
      assert.equal(seen.body, Buffer.concat(parts).toString('latin1'))
      assert.equal(seen.complete, true)
    }),
  )
})

const wrong: [name: string, response: string][] = [
  ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['no status', 'HTTP/1.1 OK\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a folded line', 'HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n'],
  ['a header without a colon', 'HTTP/1.1 200 OK\r\nabc\r\n\r\n'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n'],
  ['a line feed in a value', 'HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n'],
  ['a length that is none', 'HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\n'],
  ['a length beside chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n'],
  ['another encoding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n'],
  ['a change of protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['more than was said', `${sized}!`],
  ['a second response', sized + sized],
  ['a chunk without a size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n'],
  ['a size that is none', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5z\r\nhello\r\n'],
  ['a size beyond reason', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n123456789\r\n'],
  ['a size line without CR', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\nhello\r\n'],
  ['a chunk that goes on', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello!\r\n'],
  ['a head without end', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(20_000)}`],
  ['trailers without end', `${chunked.slice(0, -2)}${'a: b\r\n'.repeat(5000)}`],
]

for (const [name, response] of wrong)
  test(`response: ${name} is refused`, () => {
    assert.throws(() => read([response]), NotHttp)
    assert.throws(() => read([...response.slice(0, 300).split(''), response.slice(300)]), NotHttp)
  })

test('response: what is said of one that is refused has nothing of it', () => {
  const secret = 'sk-that-came-back-0123456789'
  const heads = [
    `${secret}\r\n\r\n`,
    `HTTP/1.1 ${secret}\r\n\r\n`,
    `HTTP/1.1 200 OK\r\n${secret} : a\r\n\r\n`,
    `HTTP/1.1 200 OK\r\na: ${secret}\u0001\r\n\r\n`,
    `HTTP/1.1 200 OK\r\ncontent-length: ${secret}\r\n\r\n`,
    `HTTP/1.1 200 OK\r\ntransfer-encoding: ${secret}\r\n\r\n`,
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${secret}\r\n`,
  ]
  for (const head of heads)
    assert.throws(
      () => read([head]),
      (error: Error) => error instanceof NotHttp && !String(error.stack).includes(secret),
    )
})
