import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ChatRequest } from './chat.ts'
import { anthropicCaller } from './dialects/anthropic/caller.ts'
import { AnthropicReader } from './dialects/anthropic/read-stream.ts'
import type { ChatReader } from './dialects/dialect.ts'
import { openaiCaller } from './dialects/openai/caller.ts'
import { OpenAIReader } from './dialects/openai/read-answer.ts'
import { ReadStream } from './read-stream.ts'
import { Transcript } from './rescue/transcript.ts'
import { WordEvents } from './word-events.ts'

const request = { model: 'm', messages: [], includeUsage: false, unread: [] } as unknown as ChatRequest // no more of it is asked for
const answer = { request, requestId: 'r', now: 1 }

const openai = (delta: object, more: object = {}) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: null }], ...more })}\n\n`
const anthropic = (type: string, members: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('hi', '"', '\\', '\n', 'c', 'm', ''))
/** Events of OpenAI's, most of them words. */
const chunk = fc.oneof(
  { weight: 6, arbitrary: text.map((content) => openai({ content })) },
  {
    weight: 3,
    arbitrary: fc.tuple(text, fc.string()).map(([content, obfuscation]) => openai({ content }, { obfuscation })),
  },
  { weight: 1, arbitrary: text.map((reasoning_content) => openai({ reasoning_content })) },
  { weight: 1, arbitrary: text.map((content) => openai({ content }, { usage: { prompt_tokens: 1 } })) },
  fc.constantFrom(
    ': keep-alive\n\n',
    'event: x\ndata: {}\n\n',
    'data: {"error":{"message":"no"}}\n\n',
    'data: {"choices":[{"index":0,"delta":{"content":"hi","finish_reason":"stop"},"finish_reason":"stop"}]}\n\n',
    'data: [DONE]\n\n',
    'data: {"choices":[{"index":0,"delta":{"content":"cut\n\n',
    'data: {"id":"c","choices":[{"index":0,"delta":{"content":"hi"}}]}\r\n\r\n',
  ),
)
const delta = (index: number) =>
  text.map((words) => anthropic('content_block_delta', { index, delta: { type: 'text_delta', text: words } }))
/** Events of Anthropic's, in any order: words of a block that is not open are no answer. */
const piece = fc.oneof(
  { weight: 8, arbitrary: delta(0) },
  delta(1),
  fc
    .tuple(fc.constantFrom(0, 1), fc.constantFrom('text', 'thinking'))
    .map(([index, type]) => anthropic('content_block_start', { index, content_block: { type, text: '' } })),
  fc.constantFrom(0, 1).map((index) => anthropic('content_block_stop', { index })),
  fc.constant(anthropic('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } })),
  fc.constantFrom(anthropic('ping', {}), anthropic('error', { error: { message: 'no' } })),
)

const apis = [
  {
    events: fc.array(chunk, { maxLength: 30 }),
    begin: openai({ role: 'assistant', content: '' }),
    reader: () => new OpenAIReader('r'),
    writer: () => anthropicCaller.writer(answer),
  },
  {
    events: fc.array(piece, { maxLength: 30 }),
    begin:
      anthropic('message_start', { message: { id: 'm', usage: { input_tokens: 1 } } }) +
      anthropic('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    reader: () => new AnthropicReader(),
    writer: () => openaiCaller.writer(answer),
  },
]

/** What becomes of a stream that comes in pieces of `step` bytes. */
function outcome(
  reader: ChatReader,
  bytes: Buffer,
  step: number,
  writer: ReturnType<(typeof apis)[0]['writer']> | undefined,
) {
  const transcript = new Transcript()
  const stream = new ReadStream({ framing: 'sse', reader, choices: 1, transcript }, writer)
  const out: Buffer[] = []
  for (let at = 0; at < bytes.length; at += step) out.push(Buffer.from(stream.push(bytes.subarray(at, at + step))))
  out.push(stream.end())
  const { events, finishReason, done, error, malformed, usage, begun, complete } = stream
  const { lost, tokens, pieces } = transcript
  const said = Buffer.concat(out).toString()
  return { said, events, finishReason, done, error, malformed, usage, begun, complete, lost, tokens, pieces }
}

for (const { events, begin, reader, writer } of apis)
  test(`word events: an answer is the same whether each of them is read or not: ${reader().constructor.name}`, () => {
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 600 }), fc.boolean(), (list, step, anew) => {
        const bytes = Buffer.from(begin + list.join(''))
        const all = reader()
        const each: ChatReader = { read: (frame) => all.read(frame), end: () => all.end() }
        assert.deepEqual(
          outcome(reader(), bytes, step, anew ? writer() : undefined),
          outcome(each, bytes, step, anew ? writer() : undefined),
        )
      }),
      { numRuns: 400 },
    )
  })

test('word events: it is not enough that the words stand in the event once', () => {
  const event = (other: string) => Buffer.from(`data: {"other":"${other}","content":"\\u0068i"}\n\n`)
  const words = new WordEvents()
  words.learn(event('hi'), 'hi')
  assert.equal(words.known, false)
  assert.equal(words.match(event('ho'), 0), -1)
  words.learn(event('ho'), 'hi')
  assert.equal(words.known, false)
})

test('word events: known after two; words and padding are free, and nothing else', () => {
  const event = (words: string, id = 'a', padding = 'xyz') =>
    Buffer.from(`data: {"id":"${id}","content":"${words}","end":null,"obfuscation":"${padding}"}\n\n`)
  const words = new WordEvents()
  words.learn(event('one'), 'one')
  assert.equal(words.known, false)
  words.learn(event('two', 'a', ''), 'two')
  assert.equal(words.known, true)
  const two = Buffer.concat([event('\\"é\\u00e9', 'a', '01'), event('2')])
  const end = words.match(two, 0)
  assert.equal(words.text(two), '"éé')
  assert.equal(words.match(two, end), two.length)
  assert.equal(words.text(two), '2')
  const others = [
    event('x', 'b'),
    event('a\nb'),
    event('\\x'),
    event('\\u12g4'),
    event('x', 'a', '\\'),
    event('x').subarray(0, -1),
  ]
  for (const other of others) assert.equal(words.match(other, 0), -1, other.toString())
})
