import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { answers, requests } from '../../../test/helpers/conversations.ts'
import type { ChatEvent, ChatRequest } from '../../chat.ts'
import { collect } from '../../collect.ts'
import { Failure } from '../../errors.ts'
import { frameParser } from '../../framing.ts'
import { record } from '../../openai-usage.ts'
import { Malformed } from '../dialect.ts'
import type { AnswerContext, TargetContext } from '../dialect.ts'
import { anthropicCaller } from './caller.ts'
import { countRequest } from './count-request.ts'
import { traitsOf } from './model-traits.ts'
import { anthropicTarget } from './target.ts'

const context: TargetContext = {
  model: 'm',
  settings: {},
  capabilities: { contextWindow: undefined, maxOutputTokens: undefined, prefill: undefined },
  requestId: 'r1',
}
const asked: ChatRequest = { model: 'm', messages: [], tools: [], stream: true, includeUsage: true, unread: [] }
const answering: AnswerContext = { request: asked, requestId: 'r1', now: 1_767_225_600 }
const knobs = { format: 'anthropic', thoughts: true } as const

test('a request is the same after it was written and read', () => {
  fc.assert(
    fc.property(requests({ ...knobs, parts: ['image', 'pdf'] }), (request) => {
      const { body, dropped } = anthropicTarget.write(request, context)
      assert.deepEqual(dropped, [])
      const expected = { maxTokens: traitsOf('m').maxTokens, ...request, includeUsage: true }
      assert.deepEqual(anthropicCaller.read(JSON.parse(JSON.stringify(body)), {}), expected)
    }),
    { numRuns: 300 },
  )
})

const said = (events: readonly ChatEvent[]): Buffer => {
  const writer = anthropicCaller.writer(answering)
  return Buffer.concat([...events.map((event) => writer.write(event)), writer.end()])
}

/** Reads a stream that comes in `chunks`. */
function heard(chunks: readonly Buffer[]): readonly ChatEvent[] {
  const [parser, reader] = [frameParser('sse'), anthropicTarget.reader(context)]
  const frames = chunks.flatMap((chunk) => parser.push(chunk))
  const rest = parser.end()
  return [
    ...[...frames, ...(rest ? [rest] : [])].filter(({ empty }) => !empty).flatMap((frame) => reader.read(frame)),
    ...reader.end(),
  ]
}

/** The dialect does not say when an answer was made. */
const timeless = (events: readonly ChatEvent[]) => ({ ...collect(events), created: undefined })

test('an answer is the same after it was written and read, whole and streamed', () => {
  fc.assert(
    fc.property(answers(knobs), (events) => {
      const answer = timeless(events)
      const streamed = heard([said(events)])
      assert.deepEqual(timeless(streamed), answer)
      assert.deepEqual(streamed.at(-1), { type: 'end' })
      const body: unknown = JSON.parse(JSON.stringify(anthropicCaller.answer(answer, answering)))
      assert.deepEqual(timeless(anthropicTarget.read(body, context)), answer)
    }),
    { numRuns: 300 },
  )
})

test('a stream cut at any byte has the same events', () => {
  fc.assert(
    fc.property(answers(knobs), (events) => {
      const bytes = said(events)
      const whole = heard([bytes])
      for (let at = 0; at <= bytes.length; at += 1)
        assert.deepEqual(heard([bytes.subarray(0, at), bytes.subarray(at)]), whole)
    }),
    { numRuns: 5 },
  )
})

/** Calls whose pieces come in any order among each other, each call's own in order, with text between. */
const interleaved = fc
  .array(fc.array(fc.jsonValue({ maxDepth: 1 }), { maxLength: 3 }), { minLength: 1, maxLength: 4 })
  .chain((inputs) => {
    const texts = inputs.map((it) => JSON.stringify({ it }))
    const order = texts.flatMap((text, i) => Array.from({ length: text.length }, () => i))
    return fc.tuple(fc.constant(texts), fc.shuffledSubarray(order, { minLength: order.length }), fc.nat())
  })
  .map(([texts, order, spoken]) => {
    const at = texts.map(() => 0)
    const events: ChatEvent[] = [{ type: 'start', id: 'x', model: 'm' }]
    for (const [n, i] of order.entries()) {
      const from = at[i] ?? 0
      if (from === 0) events.push({ type: 'tool', choice: 0, index: i, id: `call_${i}`, name: `f${i}` })
      events.push({ type: 'arguments', choice: 0, index: i, text: texts[i]?.[from] ?? '' })
      at[i] = from + 1
      if (n === spoken % order.length) events.push({ type: 'text', choice: 0, text: 'meanwhile' })
    }
    const finish: ChatEvent[] = [{ type: 'finish', choice: 0, reason: 'tool_calls' }, { type: 'end' }]
    return { texts, events: [...events, ...finish] }
  })

test('calls in any interleaving are written one block at a time, each with its own arguments', () => {
  fc.assert(
    fc.property(interleaved, ({ texts, events }) => {
      const bytes = said(events)
      let open: unknown
      let next = 0
      for (const frame of frameParser('sse').push(bytes)) {
        const event = record(JSON.parse(frame.data)) ?? {}
        if (event['type'] === 'content_block_start') {
          assert.equal(open, undefined)
          assert.equal(event['index'], next++)
          open = event['index']
        } else if (event['type'] === 'content_block_delta') assert.equal(event['index'], open)
        else if (event['type'] === 'content_block_stop') open = undefined
      }
      const content = collect(heard([bytes])).choices[0]?.content ?? []
      const calls = content.flatMap((part) => (part.type === 'tool-call' ? [[part.id, part.arguments]] : []))
      assert.deepEqual(Object.fromEntries(calls), Object.fromEntries(texts.map((text, i) => [`call_${i}`, text])))
      assert.ok(content.some((part) => part.type === 'text' && part.text === 'meanwhile'))
    }),
    { numRuns: 200 },
  )
})

const members =
  'type role content text source media_type data url file_id id name input tool_use_id signature thinking citations index delta content_block partial_json message usage stop_reason stop_details error cache_control system tools tool_choice output_config metadata format schema'.split(
    ' ',
  )
const types =
  'text image document tool_use tool_result thinking redacted_thinking search_result message_start content_block_start content_block_delta content_block_stop message_delta message_stop text_delta input_json_delta signature_delta citations_delta error base64 enabled adaptive user assistant'.split(
    ' ',
  )
const odd = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.jsonValue(),
    fc.constantFrom(...types),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...members), tie('value')),
  ),
})).value
const typed = fc.tuple(odd, fc.constantFrom(...types)).map(([value, type]) => ({ ...Object(value), type }))

test('whatever comes in, only documented errors come out', () => {
  const only = (expected: new (...all: never[]) => Error, run: () => unknown): void => {
    try {
      run()
    } catch (error) {
      if (!(error instanceof expected)) throw error
    }
  }
  const plain = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'a' }] }
  fc.assert(
    fc.property(odd, typed, typed, (value, one, two) => {
      only(Malformed, () => anthropicTarget.read(value, context))
      only(Malformed, () =>
        anthropicTarget.read({ content: [one, two], stop_reason: 'end_turn', usage: value }, context),
      )
      const reader = anthropicTarget.reader(context)
      for (const it of [one, two, value]) only(Malformed, () => reader.read({ type: '', data: JSON.stringify(it) }))
      only(Malformed, () => reader.read({ type: '', data: JSON.stringify(value).slice(1) }))
      for (const it of [value, one, { role: 'user', content: [one, two] }, { role: 'assistant', content: [two, one] }])
        only(Failure, () => {
          const request = anthropicCaller.read({ ...plain, messages: [it] }, {})
          anthropicTarget.write(request, context)
        })
      only(Failure, () => anthropicCaller.read({ ...plain, ...Object(value) }, {}))
      only(Failure, () => countRequest({ ...plain, ...Object(value) }))
    }),
    { numRuns: 1500 },
  )
})
