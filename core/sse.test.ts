import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { decode, EventTooLarge, SseParser } from './sse.ts'

interface Read {
  type: string
  data: string | undefined
  raw: string
}

/** Reads the chunks through a parser; strings as text. */
function read(chunks: readonly Buffer[], limit = 1e6): { events: Read[]; rest: Read | undefined } {
  const parser = new SseParser(limit)
  const text = ({ type, data, raw }: { type: string; data: string | undefined; raw: Buffer }): Read => ({
    type: decode(type),
    data: data === undefined ? undefined : decode(data),
    raw: raw.toString(),
  })
  const events = chunks.flatMap((chunk) => parser.push(chunk).map(text))
  const rest = parser.end()
  return { events, rest: rest && text(rest) }
}
const whole = (text: string) => read([Buffer.from(text)])

/** Events of which only the data counts, as the specification's own examples have it. */
const data = (text: string) => whole(text).events.map((event) => event.data)

test('sse: fields, as the specification has them', () => {
  assert.deepEqual(data('data: a\n\n'), ['a'])
  assert.deepEqual(data('data:a\n\n'), ['a'], 'no space')
  assert.deepEqual(data('data:  a\n\n'), [' a'], 'one space is taken off')
  assert.deepEqual(data('data: YHOO\ndata: +2\ndata: 10\n\n'), ['YHOO\n+2\n10'])
  assert.deepEqual(data('data\n\ndata\ndata\n\ndata:\n\n'), ['', '\n', ''])
  assert.deepEqual(data(': comment\n\n'), [undefined])
  assert.deepEqual(data(': comment\ndata: x\nid: 1\nretry: 5\n\n'), ['x'])
  assert.deepEqual(data('datax: no\ndat: no\n data: no\n\n'), [undefined])
  assert.deepEqual(
    data('\ufeffdata: x\n\n\ufeffdata: y\n\n'),
    ['x', undefined],
    'a byte order mark is skipped at the start alone',
  )
  assert.equal(whole('event: error\ndata: {}\n\n').events[0]?.type, 'error')
  assert.equal(whole('event:\ndata: {}\n\n').events[0]?.type, '')
})

test('sse: lines end in LF, CR and CRLF, mixed at will', () => {
  for (const eol of ['\n', '\r', '\r\n'])
    assert.deepEqual(data(`data: a${eol}data: b${eol}${eol}data: c${eol}${eol}`), ['a\nb', 'c'], JSON.stringify(eol))
  assert.deepEqual(data('data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\n'), ['a', 'b', 'c', 'd'])
})

test('sse: text that is not ASCII comes through', () => {
  assert.deepEqual(data('data: é€😀\n\n'), ['é€😀'])
})

test('sse: a CRLF that a chunk ends in the middle of stays with its event; a lone CR is not waited for', () => {
  const raws = (...chunks: string[]) => read(chunks.map((chunk) => Buffer.from(chunk))).events.map(({ raw }) => raw)
  assert.deepEqual(raws('data: a\r\n\r', '\ndata: b\r\n\r\n'), ['data: a\r\n\r\n', 'data: b\r\n\r\n'])
  assert.deepEqual(new SseParser(99).push(Buffer.from('data: a\r\r')).length, 1)
})

test('sse: what no blank line ended is handed over at the end', () => {
  assert.deepEqual(whole('data: a\n\ndata: [DONE]\n').rest, { type: '', data: '[DONE]', raw: 'data: [DONE]\n' })
  assert.deepEqual(whole('data: a\n\ndata: {"a').rest?.data, '{"a')
  assert.equal(whole('data: a\n\n').rest, undefined)
})

const streams = [
  'data: {"a":1}\n\ndata:{"b":"é€😀"}\n\n: keep-alive\n\nevent: error\ndata: x\ndata: y\n\ndata: [DONE]\n\n',
  'data: {"a":1}\r\n\r\ndata:{"b":"é€😀"}\r\n\r\n: keep-alive\r\n\r\nevent: error\r\ndata: x\r\ndata: y\r\n\r\ndata: [DONE]\r\n\r\n',
  '\ufeffdata: {"a":1}\r\rdata:{"b":"é€😀"}\r\r: keep-alive\r\revent: error\rdata: x\rdata: y\r\rdata: [DONE]\r\r',
  'data: a\n\n\n\n\ndata: b\r\n\n\r\n\rdata: c\n\ndata: tail',
]

test('sse: the same events and the same bytes at every split point', () => {
  for (const stream of streams) {
    const bytes = Buffer.from(stream)
    const expected = read([bytes])
    const meaning = ({ events, rest }: typeof expected) =>
      [...events, ...(rest ? [rest] : [])].flatMap((event) =>
        event.data === undefined ? [] : [[event.type, event.data]],
      )
    for (let i = 0; i <= bytes.length; i++)
      for (let j = i; j <= bytes.length; j += i === j ? 1 : 7) {
        const got = read([bytes.subarray(0, i), bytes.subarray(i, j), bytes.subarray(j)])
        assert.deepEqual(meaning(got), meaning(expected), `${i}, ${j}`)
      }
    const single = read(Array.from(bytes, (byte) => Buffer.of(byte)))
    assert.deepEqual(meaning(single), meaning(expected))
  }
})

test('sse: for any lines in any chunks, no byte is lost and none comes twice', () => {
  const line = fc.oneof(
    fc.constantFrom('', '', 'data: x', 'data:y', ': c', 'event: e', 'data', 'data: '),
    fc.string({ unit: 'binary' }),
  )
  const stream = fc
    .array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n')))
    .map((lines) => Buffer.from(`${lines.flat().join('')}\n\n`))
  fc.assert(
    fc.property(stream, fc.array(fc.nat(), { maxLength: 8 }), (bytes, cuts) => {
      const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
      const parser = new SseParser(1e6)
      const raws = at.slice(1).flatMap((end, i) => parser.push(bytes.subarray(at[i], end)).map((event) => event.raw))
      const rest = parser.end()?.raw ?? Buffer.alloc(0)
      assert.deepEqual(Buffer.concat([...raws, rest]), bytes)
      assert.deepEqual(
        read([bytes])
          .events.filter((event) => event.data !== undefined)
          .map((event) => event.data),
        Buffer.from(bytes)
          .toString('utf8')
          .replace(/^\ufeff/, '')
          .replaceAll(/\r\n?/g, '\n')
          // What the reference does line by line, said in another way: blocks end at a blank line.
          .split(/(?<=^|\n)\n/)
          .slice(0, -1)
          .map((block) => block.split('\n').filter((it) => it === 'data' || it.startsWith('data:')))
          .filter((lines) => lines.length > 0)
          .map((lines) => lines.map((it) => it.slice(5).replace(/^ /, '')).join('\n')),
      )
    }),
    { numRuns: 2000 },
  )
})

test('sse: an event that never ends is an error, not memory', () => {
  const parser = new SseParser(1000)
  parser.push(Buffer.from('data: ' + 'x'.repeat(900)))
  assert.throws(() => parser.push(Buffer.from('x'.repeat(100))), EventTooLarge)
})

test('sse: large events in many chunks are put together once', () => {
  const parser = new SseParser(1e8)
  const piece = Buffer.alloc(64 * 1024, 'x')
  parser.push(Buffer.from('data: '))
  for (let i = 0; i < 500; i++) assert.equal(parser.push(piece).length, 0)
  assert.equal(parser.between, false)
  assert.equal(parser.push(Buffer.from('\n\n'))[0]?.data?.length, 500 * piece.length)
  assert.equal(parser.between, true)
})
