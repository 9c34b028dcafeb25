import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { answers, requests } from '../../../test/helpers/conversations.ts'
import {
  answering,
  contextOf,
  heard,
  interleaved,
  odd,
  only,
  said,
  sameWhenCut,
} from '../../../test/helpers/dialects.ts'
import type { ChatEvent } from '../../chat.ts'
import { collect } from '../../collect.ts'
import { Failure } from '../../errors.ts'
import { frameParser } from '../../framing.ts'
import { record } from '../../openai-usage.ts'
import { Malformed } from '../dialect.ts'
import { anthropicCaller } from './caller.ts'
import { countRequest } from './count-request.ts'
import { traitsOf } from './model-traits.ts'
import { anthropicTarget } from './target.ts'

const context = contextOf('m')
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

const write = (events: readonly ChatEvent[]): Buffer => said(anthropicCaller, events)
const hear = (chunks: readonly Buffer[]): readonly ChatEvent[] => heard(anthropicTarget.reader(context), 'sse', chunks)

/** The dialect does not say when an answer was made. */
const timeless = (events: readonly ChatEvent[]) => ({ ...collect(events), created: undefined })

test('an answer is the same after it was written and read, whole and streamed', () => {
  fc.assert(
    fc.property(answers(knobs), (events) => {
      const answer = timeless(events)
      const streamed = hear([write(events)])
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
      sameWhenCut(write(events), hear)
    }),
    { numRuns: 5 },
  )
})

test('calls in any interleaving are written one block at a time, each with its own arguments', () => {
  fc.assert(
    fc.property(interleaved, ({ texts, events }) => {
      const bytes = write(events)
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
      const content = collect(hear([bytes])).choices[0]?.content ?? []
      const calls = content.flatMap((part) => (part.type === 'tool-call' ? [[part.id, part.arguments]] : []))
      assert.deepEqual(Object.fromEntries(calls), Object.fromEntries(texts.map((text, i) => [`call_${i}`, text])))
      assert.ok(content.some((part) => part.type === 'text' && part.text === 'meanwhile'))
    }),
    { numRuns: 200 },
  )
})

const members =
  'type role content text source media_type data url file_id id name input tool_use_id signature thinking citations index delta content_block partial_json message usage stop_reason stop_details error cache_control system tools tool_choice output_config metadata format schema'
const types =
  'text image document tool_use tool_result thinking redacted_thinking search_result message_start content_block_start content_block_delta content_block_stop message_delta message_stop text_delta input_json_delta signature_delta citations_delta error base64 enabled adaptive user assistant'
const anything = odd(members, types)
const typed = fc
  .tuple(anything, fc.constantFrom(...types.split(' ')))
  .map(([value, type]) => ({ ...Object(value), type }))

test('whatever comes in, only documented errors come out', () => {
  const plain = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'a' }] }
  fc.assert(
    fc.property(anything, typed, typed, (value, one, two) => {
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
