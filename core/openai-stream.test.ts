import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { OpenAIStream } from './openai-stream.ts'
import { NO_USAGE } from './usage.ts'

const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`
const delta = (content: string, rest: object = {}) =>
  event({ id: 'c', choices: [{ index: 0, delta: { content }, finish_reason: null }], usage: null, ...rest })
const finish = (index = 0, reason = 'stop') =>
  event({ choices: [{ index, delta: {}, finish_reason: reason }], usage: null })
const usage = event({
  choices: [],
  usage: {
    prompt_tokens: 9,
    completion_tokens: 5,
    total_tokens: 14,
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 3 },
  },
})
const done = 'data: [DONE]\n\n'

/** Runs an answer through, in the chunks given. */
function run(chunks: readonly (string | Buffer)[], options: { hideUsage?: boolean; choices?: number } = {}) {
  const stream = new OpenAIStream({ hideUsage: false, choices: 1, ...options })
  const out = chunks.map((chunk) => stream.push(Buffer.from(chunk)))
  const text = Buffer.concat([...out, stream.end()]).toString()
  const { events, finishReason, error, complete } = stream
  return { text, events, finishReason, error, complete, done: stream.done, usage: stream.usage }
}
const tokens = { ...NO_USAGE, input: 9, output: 5, cached: 4, reasoning: 3 }

test('stream: a whole answer goes through untouched, with its usage and reason seen', () => {
  const text = delta('Hé') + delta('llo') + finish() + usage + done
  const { text: out, ...seen } = run([text])
  assert.equal(out, text)
  assert.deepEqual(seen, {
    events: 5,
    finishReason: 'stop',
    error: undefined,
    complete: true,
    done: true,
    usage: tokens,
  })
})

test('stream: a chunk of whole events is passed on as the very buffer that came', () => {
  const stream = new OpenAIStream({ hideUsage: true, choices: 1 })
  const chunk = Buffer.from(delta('a') + delta('b'))
  assert.equal(stream.push(chunk), chunk)
})

test('stream: usage that the caller did not ask for is hidden from it alone', () => {
  const seen = run([delta('a') + finish() + usage + done], { hideUsage: true })
  assert.equal(seen.text, delta('a') + finish() + done)
  assert.deepEqual(seen.usage, tokens)
})

test('stream: usage beside an answer stays, asked for or not; of several the last counts', () => {
  const both = event({
    choices: [{ index: 0, delta: {}, finish_reason: 'length' }],
    usage: { prompt_tokens: 9, completion_tokens: 5 },
  })
  const running = delta('a', { usage: { prompt_tokens: 9, completion_tokens: 1 } })
  const seen = run([running + both + done], { hideUsage: true })
  assert.equal(seen.text, running + both + done)
  assert.deepEqual(seen.usage, { ...NO_USAGE, input: 9, output: 5, cached: 0, reasoning: 0 })
  assert.equal(seen.finishReason, 'length')
})

test('stream: the end without a finish reason is not a finished answer, [DONE] or not', () => {
  assert.equal(run([delta('a')]).complete, false)
  assert.equal(run([delta('a') + done]).complete, false)
  assert.equal(run([delta('a') + finish()]).complete, true, '[DONE] is not asked for')
  assert.equal(run([]).complete, false)
})

test('stream: with several answers each is to be finished, unless the server says that it is done', () => {
  assert.equal(run([finish(0)], { choices: 2 }).complete, false)
  assert.equal(run([finish(0) + finish(0)], { choices: 2 }).complete, false)
  assert.equal(run([finish(0) + finish(1)], { choices: 2 }).complete, true)
  assert.equal(run([finish(0) + done], { choices: 2 }).complete, true, 'a server that ignores n')
})

test('stream: what the model writes is not taken for what the server says', () => {
  const words = [
    '"finish_reason":"stop"',
    '{"choices":[{"finish_reason":"stop"}]}',
    '"error":{"message":"x"}',
    '"usage":{"prompt_tokens":1}',
    'finish_reason',
    'data: [DONE]\n\n',
    '\\"finish_reason\\":1',
  ]
  for (const word of words) {
    const text = event({
      choices: [
        { index: 0, delta: { content: word, tool_calls: [{ function: { arguments: word } }] }, finish_reason: null },
      ],
    })
    const seen = run([text], { hideUsage: true })
    assert.equal(seen.text, text)
    assert.deepEqual([seen.complete, seen.error, seen.usage, seen.done], [false, undefined, undefined, false], word)
  }
})

test('stream: for any text of the model and any layout, nothing is found that is not there', () => {
  const key = fc.constantFrom('finish_reason', 'usage', 'error', 'choices', 'content')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), key, fc.constantFrom(undefined, 1), (content, name, indent) => {
      const value = {
        choices: [{ index: 0, delta: { content, refusal: `"${name}": 1${content}` }, finish_reason: null }],
      }
      const text = `${JSON.stringify(value, undefined, indent).replaceAll(/^/gm, 'data: ')}\n\n`
      const seen = run([text], { hideUsage: true })
      assert.equal(seen.text, Buffer.from(text).toString())
      assert.deepEqual([seen.finishReason, seen.error, seen.usage, seen.events], [undefined, undefined, undefined, 1])
    }),
    { numRuns: 1000 },
  )
})

test('stream: an error event is withheld with all that follows, whatever its form', () => {
  const forms = [
    event({ error: { message: 'overloaded', type: 'server_error', code: null } }),
    'data:{"error":"overloaded"}\n\n',
    'event: error\ndata: {"message":"overloaded"}\n\n',
    'event: error\r\ndata: overloaded\r\n\r\n',
    event({ choices: [], error: { code: 502, message: 'overloaded' } }),
  ]
  for (const form of forms) {
    const first = run([form + delta('a') + finish() + done])
    assert.equal(first.text, '', form)
    assert.match(first.error ?? '', /overloaded/)
    assert.equal(first.events, 1)
    assert.equal(first.complete, false)
    const later = run([delta('a'), form, delta('b')])
    assert.equal(later.text, delta('a'))
    assert.match(later.error ?? '', /overloaded/)
  }
})

test('stream: a null error, or one below the top level, is none', () => {
  const text = delta('a', { error: null }) + delta('b', { x: { error: { message: 'inner' } } }) + finish()
  const seen = run([text])
  assert.equal(seen.error, undefined)
  assert.equal(seen.text, text)
})

test('stream: half an event never goes on; a last one without its blank line does', () => {
  assert.equal(run([delta('a') + 'data: {"choices":[{"ind']).text, delta('a'))
  assert.equal(run([delta('a') + finish().trimEnd()]).text, delta('a') + finish())
  const seen = run([delta('a') + finish() + 'data: [DONE]'])
  assert.equal(seen.text, delta('a') + finish() + done)
  assert.equal(seen.done, true)
  assert.equal(run([delta('a') + finish() + usage.trimEnd()], { hideUsage: true }).text, delta('a') + finish())
})

test('stream: comments go on and count for nothing', () => {
  const text = ': keep-alive\n\n' + delta('a') + ': keep-alive\n\n' + finish()
  const seen = run([text])
  assert.equal(seen.text, text)
  assert.equal(seen.events, 2)
})

test('stream: the same outcome at every split point', () => {
  const crlf = (text: string) => text.replaceAll('\n', '\r\n')
  const answers = [
    ': hi\n\n' + delta('Hé€😀') + finish() + usage + done,
    crlf(delta('Hé€😀') + finish() + usage + done),
    delta('a') + event({ error: { message: 'é' } }) + delta('b'),
    delta('a') + finish() + 'data: [DONE]',
    delta('a') + 'data: {"cut',
  ]
  for (const answer of answers) {
    const bytes = Buffer.from(answer)
    const expected = run([bytes], { hideUsage: true })
    for (let i = 0; i <= bytes.length; i++)
      assert.deepEqual(run([bytes.subarray(0, i), bytes.subarray(i)], { hideUsage: true }), expected, `at ${i}`)
    assert.deepEqual(
      run(
        Array.from(bytes, (byte) => Buffer.of(byte)),
        { hideUsage: true },
      ),
      expected,
    )
  }
})
