import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { answers, requests } from '../../../test/helpers/conversations.ts'
import type { ChatEvent, ChatRequest } from '../../chat.ts'
import { collect } from '../../collect.ts'
import { Failure } from '../../errors.ts'
import { frameParser } from '../../framing.ts'
import { Malformed } from '../dialect.ts'
import type { AnswerContext, TargetContext } from '../dialect.ts'
import { openaiCaller } from './caller.ts'
import { compatibleOptions, openaiOptions } from './options.ts'
import { compatibleTarget, openaiChat, openaiTarget } from './target.ts'

const context: TargetContext = {
  model: 'm',
  settings: {},
  capabilities: { contextWindow: undefined, maxOutputTokens: undefined, prefill: undefined },
  requestId: 'r1',
}
const asked: ChatRequest = { model: 'm', messages: [], tools: [], stream: true, includeUsage: true, unread: [] }
const answering: AnswerContext = { request: asked, requestId: 'r1', now: 1_767_225_600 }
/** One that keeps everything. */
const keeping = openaiChat({ ...compatibleOptions, thoughts: 'reasoning_details' })

test('a request is the same after it was written and read', () => {
  const knobs = { format: 'anthropic', parts: ['image', 'url', 'pdf', 'audio'], thoughts: true } as const
  fc.assert(
    fc.property(requests(knobs), (request) => {
      const { body, dropped } = keeping.write(request, context)
      assert.deepEqual(dropped, [])
      assert.deepEqual(openaiCaller.read(JSON.parse(JSON.stringify(body)), {}), request)
    }),
    { numRuns: 300 },
  )
})

const said = (events: readonly ChatEvent[]): Buffer => {
  const writer = openaiCaller.writer(answering)
  return Buffer.concat([...events.map((event) => writer.write(event)), writer.end()])
}

/** Reads a stream that comes in `chunks`. */
function heard(chunks: readonly Buffer[]): readonly ChatEvent[] {
  const [parser, reader] = [frameParser('sse'), keeping.reader(context)]
  const frames = chunks.flatMap((chunk) => parser.push(chunk))
  const rest = parser.end()
  return [
    ...[...frames, ...(rest ? [rest] : [])].filter(({ empty }) => !empty).flatMap((frame) => reader.read(frame)),
    ...reader.end(),
  ]
}

const knobs = { format: 'anthropic', thoughts: true } as const

test('an answer is the same after it was written and read, whole and streamed', () => {
  fc.assert(
    fc.property(answers(knobs), (events) => {
      const answer = collect(events)
      const streamed = heard([said(events)])
      assert.deepEqual(collect(streamed), answer)
      assert.deepEqual(streamed.at(-1), { type: 'end' })
      const body: unknown = JSON.parse(JSON.stringify(openaiCaller.answer(answer, answering)))
      assert.deepEqual(collect(keeping.read(body, context)), answer)
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
    { numRuns: 3 },
  )
})

const members =
  'toString role content type text image_url url tool_calls id index function name arguments choices delta message finish_reason usage error reasoning reasoning_details refusal audio annotations logprobs'.split(
    ' ',
  )
const odd = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.jsonValue(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...members), tie('value')),
  ),
})).value

test('whatever comes in, only documented errors come out', () => {
  const only = (expected: new (...all: never[]) => Error, run: () => unknown): void => {
    try {
      run()
    } catch (error) {
      if (!(error instanceof expected)) throw error
    }
  }
  fc.assert(
    fc.property(odd, (value) => {
      only(Malformed, () => openaiTarget.read(value, context))
      const reader = compatibleTarget.reader(context)
      only(Malformed, () => reader.read({ type: '', data: JSON.stringify({ choices: [{ delta: value }] }) }))
      only(Malformed, () => reader.read({ type: '', data: JSON.stringify(value) }))
      only(Failure, () => openaiCaller.read({ model: 'm', messages: [value] }, {}))
      if (typeof value === 'object' && value !== null && !Array.isArray(value))
        only(Failure, () => openaiCaller.read({ model: 'm', messages: [{ role: 'user', content: 'a' }], ...value }, {}))
    }),
    { numRuns: 1500 },
  )
})

test('models of OpenAI that think are not asked for what they refuse', () => {
  const request: ChatRequest = {
    ...asked,
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
    maxTokens: 10,
    temperature: 0.2,
    topP: 0.5,
    topK: 3,
    stop: ['a', 'b', 'c', 'd', 'e'],
    reasoning: { budget: 4000 },
  }
  const write = (model: string) => {
    const { body, dropped } = openaiTarget.write(request, { ...context, model })
    return { body: body as Record<string, unknown>, dropped } // what is written is an object
  }
  const thinking = write('o4-mini')
  assert.deepEqual(thinking.dropped, ['top_p', 'stop', 'temperature', 'top_k'])
  assert.deepEqual([thinking.body['max_completion_tokens'], thinking.body['reasoning_effort']], [10, 'medium'])
  const plain = write('gpt-4o')
  assert.deepEqual(plain.dropped, ['reasoning', 'top_k', 'stop.4'])
  assert.deepEqual([plain.body['temperature'], plain.body['stop']], [0.2, ['a', 'b', 'c', 'd']])
  assert.deepEqual(openaiOptions.thinks('gpt-5-chat-latest'), false)
})
