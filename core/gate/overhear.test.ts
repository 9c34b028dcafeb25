import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { passing } from '../answering.ts'
import { chat } from '../surfaces/chat.ts'
import { messages } from '../surfaces/messages.ts'
import { overheard } from './overhear.ts'
import { Ear } from './said.ts'

const chunk = (delta: object, finish: string | null = null, logprobs: unknown = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, logprobs, finish_reason: finish }] })}\n\n`
const likely = (token: string, logprob: number) => ({ content: [{ token, logprob, bytes: null, top_logprobs: [] }] })

const openai = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'Ahoy' }, null, likely('Ahoy', -0.5)),
  ': a comment\n\n',
  chunk({ content: ', é😀' }, null, likely(', é😀', -2)),
  chunk({ tool_calls: [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '{"a"' } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }),
  chunk({}, 'tool_calls'),
  'data: [DONE]\n\n',
].join('')

const events: readonly (readonly [type: string, rest: object])[] = [
  ['message_start', { message: { id: 'm', model: 'c', usage: { input_tokens: 3, output_tokens: 1 } } }],
  ['content_block_start', { index: 0, content_block: { type: 'text', text: '' } }],
  ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Ahoy, é😀' } }],
  ['content_block_stop', { index: 0 }],
  ['message_delta', { delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 4 } }],
  ['message_stop', {}],
]
const anthropic = events
  .map(([type, rest]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`)
  .join('')

/** What goes on of a stream that comes in pieces, and what was heard of it. */
function hear(surface: typeof chat | typeof messages, stream: string, cuts: readonly number[], hides = false) {
  const ear = new Ear(hides)
  ear.begin()
  const answering = passing(surface, { hideUsage: false, choices: 1 })
  assert.ok(answering)
  const listening = overheard(answering, surface.watch, { ear, hides }).stream()
  const bytes = Buffer.from(stream)
  const places = [0, ...cuts.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b)
  const out = places.slice(1).map((to, i) => listening.push(bytes.subarray(places[i], to)))
  return { out: Buffer.concat([...out, listening.end(), listening.close()]).toString(), ear }
}

const cuts = fc.array(fc.nat(), { maxLength: 20 })

test('overhear: the bytes that go on are the same, and what is heard too, however a stream is cut', () => {
  fc.assert(
    fc.property(cuts, (at) => {
      const { out, ear } = hear(chat, openai, at)
      assert.equal(out, openai)
      const [said] = ear.said
      assert.equal(said?.text, 'Ahoy, é😀')
      assert.deepEqual(said.calls, [{ name: 'f', arguments: '{"a":1}' }])
      assert.deepEqual(said.logprobs, [-0.5, -2])
      assert.ok(ear.whole && said.finish === 'tool_calls')

      const theirs = hear(messages, anthropic, at)
      assert.equal(theirs.out, anthropic)
      assert.equal(theirs.ear.said[0]?.text, 'Ahoy, é😀')
      assert.equal(theirs.ear.said[0].finish, 'length')
    }),
  )
})

test('overhear: log-probabilities that were asked for us alone are in no event that goes on, and all else is', () => {
  fc.assert(
    fc.property(cuts, (at) => {
      const { out, ear } = hear(chat, openai, at, true)
      assert.doesNotMatch(out, /"logprob":/)
      assert.equal(
        out,
        openai.replace(/"logprobs":\{.*?\]\}\]\}|"logprobs":\{.*?"top_logprobs":\[\]\}\]\}/g, '"logprobs":null'),
      )
      assert.deepEqual(ear.said[0]?.logprobs, [-0.5, -2])
    }),
  )
})

test('overhear: a whole answer goes on untouched, but for log-probabilities that were asked for us alone', () => {
  const choice = { index: 0, message: { role: 'assistant', content: 'Ahoy' }, finish_reason: 'stop', own: 1 }
  const whole = (logprobs: unknown) =>
    Buffer.from(JSON.stringify({ id: 'c', choices: [{ ...choice, logprobs }], usage: null }))
  for (const hides of [false, true]) {
    const ear = new Ear(hides)
    const answering = passing(chat, { hideUsage: false, choices: 1 })
    assert.ok(answering)
    const judged = overheard(answering, chat.watch, { ear, hides }).whole(
      ['content-type', 'application/json'],
      whole(likely('Ahoy', -1)),
      0,
    )
    assert.equal(judged.fault, undefined)
    assert.equal(judged.body?.toString(), hides ? whole(null).toString() : undefined)
    assert.deepEqual(ear.said[0]?.logprobs, [-1])
    assert.equal(ear.said[0].text, 'Ahoy')
  }
})

test('ear: what is too long is not judged; each call begins anew', () => {
  const ear = new Ear(false)
  ear.hear([{ type: 'text', choice: 0, text: 'x'.repeat(2 ** 20 + 1) }])
  assert.ok(ear.lost && !ear.whole && ear.said.length === 0)
  ear.begin()
  ear.hear([
    { type: 'text', choice: 1, text: 'b' },
    { type: 'text', choice: 0, text: 'a' },
    { type: 'finish', choice: 0, reason: 'stop' },
  ])
  assert.deepEqual(
    ear.said.map(({ text }) => text),
    ['a', 'b'],
  )
  assert.ok(!ear.whole)
})
