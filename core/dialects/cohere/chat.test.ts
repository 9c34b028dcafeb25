import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { ChatAnswer, ChatEvent, ChatRequest, InputPart, Message, OutputPart } from '../../chat.ts'
import { collect } from '../../collect.ts'
import { Failure } from '../../errors.ts'
import { decode, SseParser } from '../../sse.ts'
import { NO_USAGE } from '../../usage.ts'
import { Malformed } from '../dialect.ts'
import type { TargetContext } from '../dialect.ts'
import { cohereCaller } from './caller.ts'
import { cohereTarget } from './target.ts'

const context: TargetContext = {
  model: 'command',
  settings: {},
  capabilities: { contextWindow: undefined, maxOutputTokens: undefined, prefill: undefined },
  requestId: 'req_1',
}
const asking: ChatRequest = { model: 'chat', messages: [], tools: [], stream: true, includeUsage: true, unread: [] }
const answering = { request: asking, requestId: 'req_1', now: 0 }

const words = fc.string({ minLength: 1, unit: 'grapheme', maxLength: 12 })
const textPart = words.map((text) => ({ type: 'text' as const, text }))
const image = fc.constantFrom<InputPart>(
  { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' }, detail: 'low' },
  { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'iVBORw0KGgo=' } },
)
const args = fc.dictionary(words, fc.oneof(words, fc.integer())).map((it) => JSON.stringify(it))
const call = fc.record({ id: words, name: words, arguments: args }).map((it) => ({ type: 'tool-call' as const, ...it }))
const thought = words.map((text) => ({ type: 'reasoning' as const, text }))
/** A result that is no JSON object keeps its text; an object may be laid out anew. */
const result = words
  .filter((text) => !text.trimStart().startsWith('{'))
  .map((text) => ({ type: 'text' as const, text }))

const assistant: fc.Arbitrary<readonly OutputPart[]> = fc
  .tuple(fc.array(thought, { maxLength: 1 }), fc.array(textPart, { maxLength: 1 }), fc.array(call, { maxLength: 3 }))
  .map(([thoughts, said, calls]) => [...thoughts, ...said, ...calls])
  .filter((parts) => parts.length > 0)

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.array(textPart, { minLength: 1, maxLength: 2 }).map((content) => ({ role: 'system' as const, content })),
  fc
    .array(fc.oneof(textPart, image), { minLength: 1, maxLength: 3 })
    .map((content) => ({ role: 'user' as const, content })),
  assistant.map((content) => ({ role: 'assistant' as const, content })),
  fc
    .record({ callId: words, content: fc.array(result, { minLength: 1, maxLength: 2 }) })
    .map((it) => ({ role: 'tool' as const, ...it })),
)

const tool = fc.record({
  name: words,
  description: fc.option(words, { nil: undefined }),
  parameters: fc.constant({
    type: 'object',
    properties: { a: { $ref: '#/$defs/x' } },
    $defs: { x: { type: 'string' } },
  }),
})
const perhaps = <T>(it: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(it, { nil: undefined })

/** A conversation in which every call has its answer, and every answer its call. */
function whole(messages: readonly Message[]): readonly Message[] {
  return messages.flatMap((it): readonly Message[] => {
    if (it.role === 'tool') {
      const call = { type: 'tool-call', id: it.callId, name: 'f', arguments: '{}' } as const
      return [{ role: 'assistant', content: [call] }, it]
    }
    const ids =
      it.role === 'assistant' ? it.content.flatMap((part) => (part.type === 'tool-call' ? [part.id] : [])) : []
    const done = [{ type: 'text', text: 'done' } as const]
    return [it, ...Array.from(new Set(ids), (callId) => ({ role: 'tool' as const, callId, content: done }))]
  })
}

const request: fc.Arbitrary<ChatRequest> = fc
  .record({
    messages: fc.array(message, { minLength: 1, maxLength: 5 }).map(whole),
    tools: fc.array(tool, { maxLength: 2 }),
    toolChoice: perhaps(fc.constantFrom('required' as const, 'none' as const)),
    maxTokens: perhaps(fc.nat()),
    temperature: perhaps(fc.float({ min: 0, max: 1, noNaN: true })),
    topP: perhaps(fc.constantFrom(0.01, 0.5, 0.99)),
    topK: perhaps(fc.integer({ min: 1, max: 500 })),
    stop: perhaps(fc.array(words, { minLength: 1, maxLength: 5 })),
    seed: perhaps(fc.nat()),
    frequencyPenalty: perhaps(fc.constantFrom(0.1, 1)),
    logprobs: perhaps(fc.boolean()),
    format: fc.constantFrom(undefined, { type: 'json' as const }),
    stream: fc.boolean(),
  })
  .map((it) => ({
    model: 'command',
    ...it,
    toolChoice: it.tools.length > 0 ? it.toolChoice : undefined,
    format: it.tools.length > 0 ? undefined : it.format,
    includeUsage: true,
    unread: [],
  }))

test('cohere: a request that is written and read again means the same, and nothing is dropped', () => {
  fc.assert(
    fc.property(request, (it) => {
      const { body, dropped } = cohereTarget.write(it, context)
      assert.deepEqual(dropped, [])
      const said = JSON.parse(JSON.stringify(body))
      const read = cohereCaller.read(said, {})
      assert.deepEqual(JSON.parse(JSON.stringify(read)), JSON.parse(JSON.stringify(it)))
    }),
  )
})

const answer: fc.Arbitrary<ChatAnswer> = fc
  .record({ id: words, content: assistant, length: fc.boolean(), input: fc.nat(), output: fc.nat(), cached: fc.nat() })
  .map(({ id, content, length, input, output, cached }) => ({
    id,
    model: undefined,
    created: undefined,
    choices: [
      {
        index: 0,
        content,
        citations: [],
        logprobs: undefined,
        finish: length ? 'length' : content.some(({ type }) => type === 'tool-call') ? 'tool_calls' : 'stop',
        stopSequence: undefined,
      },
    ],
    usage: { ...NO_USAGE, input, output, cached, billed: { input: output, output: cached } },
  }))

test('cohere: an answer that is written and read again means the same', () => {
  fc.assert(
    fc.property(answer, (it) => {
      const said = JSON.parse(JSON.stringify(cohereCaller.answer(it, answering)))
      assert.deepEqual(collect(cohereTarget.read(said, context)), it)
    }),
  )
})

/** The same answer as events, its texts in pieces. */
function eventsOf({ id, choices, usage }: ChatAnswer): readonly ChatEvent[] {
  const choice = 0
  const [only] = choices
  let index = -1
  const said = (only?.content ?? []).flatMap((part): readonly ChatEvent[] => {
    switch (part.type) {
      case 'text':
      case 'reasoning':
        return Array.from(part.text, (text) => ({ type: part.type, choice, text }))
      case 'tool-call':
        index++
        return [
          { type: 'tool', choice, index, id: part.id, name: part.name },
          ...Array.from(part.arguments, (text): ChatEvent => ({ type: 'arguments', choice, index, text })),
        ]
      default:
        return []
    }
  })
  return [
    { type: 'start', id: id ?? '' },
    ...said,
    { type: 'finish', choice, reason: only?.finish ?? 'stop' },
    ...(usage ? [{ type: 'usage', usage } as const] : []),
    { type: 'end' },
  ]
}

function read(chunks: readonly Buffer[]): readonly ChatEvent[] {
  const [parser, reader] = [new SseParser(1 << 20), cohereTarget.reader(context)]
  const events = chunks.flatMap((chunk) =>
    parser
      .push(chunk)
      .flatMap(({ type, data }) => (data === undefined ? [] : reader.read({ type, data: decode(data) }))),
  )
  return [...events, ...reader.end()]
}

test('cohere: a stream that is written and read again, split anywhere, gives the same answer', () => {
  fc.assert(
    fc.property(answer, fc.double({ min: 0, max: 1, noNaN: true }), (it, cut) => {
      const writer = cohereCaller.writer(answering)
      const bytes = Buffer.concat([...eventsOf(it).map((event) => writer.write(event)), writer.end()])
      const at = Math.floor(bytes.length * cut)
      const whole = read([bytes])
      assert.deepEqual(collect(whole), it)
      assert.deepEqual(read([bytes.subarray(0, at), bytes.subarray(at)]), whole)
    }),
  )
})

test('cohere: no answer and no event crashes the readers: what is not the dialect is Malformed', () => {
  const only = (run: () => unknown): void => {
    try {
      run()
    } catch (error) {
      assert.ok(error instanceof Malformed, String(error))
    }
  }
  const names = fc.constantFrom(
    'message',
    'content',
    'tool_calls',
    'tool_plan',
    'citations',
    'delta',
    'type',
    'index',
    'usage',
    'logprobs',
  )
  const types = fc.constantFrom(
    'message-start',
    'content-delta',
    'tool-call-start',
    'tool-call-delta',
    'citation-start',
    'message-end',
  )
  const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), types),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(names, tie('value'), { maxKeys: 4 }),
    ),
  })).value
  fc.assert(
    fc.property(value, types, fc.array(value, { maxLength: 4 }), (body, type, events) => {
      only(() => cohereTarget.read(body, context))
      const reader = cohereTarget.reader(context)
      only(() => {
        for (const event of events) reader.read({ type, data: JSON.stringify(event) })
        reader.end()
      })
    }),
    { numRuns: 500 },
  )
})

test('cohere: no request crashes the caller’s half: what is wrong is refused by its name', () => {
  const names = fc.constantFrom(
    'model',
    'messages',
    'role',
    'content',
    'tools',
    'function',
    'documents',
    'thinking',
    'type',
    'response_format',
  )
  const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.oneof(
        fc.string(),
        fc.integer(),
        fc.constantFrom('user', 'assistant', 'tool', 'text', 'document', 'image_url'),
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(names, tie('value'), { maxKeys: 4 }),
    ),
  })).value
  fc.assert(
    fc.property(fc.dictionary(names, value), (body) => {
      try {
        cohereCaller.read(body, {})
      } catch (error) {
        assert.ok(error instanceof Failure && error.code === 'invalid_request', String(error))
      }
    }),
    { numRuns: 500 },
  )
})

test('cohere: of more stop sequences than Cohere takes the first go along, and the sixth is reported', () => {
  const { body, dropped } = cohereTarget.write({ ...asking, stop: ['a', 'b', 'c', 'd', 'e', 'f'] }, context)
  assert.deepEqual(dropped, ['stop.5'])
  assert.deepEqual(JSON.parse(JSON.stringify(body)).stop_sequences, ['a', 'b', 'c', 'd', 'e'])
})
