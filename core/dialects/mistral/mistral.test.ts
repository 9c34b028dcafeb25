import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { answers, requests } from '../../../test/helpers/conversations.ts'
import { answering, asked, contextOf, heard, odd, only, said, sameWhenCut } from '../../../test/helpers/dialects.ts'
import type { ChatEvent, ChatRequest } from '../../chat.ts'
import { collect } from '../../collect.ts'
import { Failure } from '../../errors.ts'
import { record } from '../../openai-usage.ts'
import { Malformed } from '../dialect.ts'
import { openaiCaller } from '../openai/caller.ts'
import { rewriteMessages } from './messages.ts'
import { mistralChat } from './target.ts'

const context = contextOf('mistral-small-latest')
const knobs = { format: 'anthropic', parts: ['image', 'url', 'pdf', 'audio'], thoughts: true } as const
const FIELDS = new Set(
  'model temperature top_p max_tokens stream stop random_seed metadata messages response_format tools tool_choice presence_penalty frequency_penalty n parallel_tool_calls reasoning_effort service_tier'.split(
    ' ',
  ),
)
const MEMBERS: Readonly<Record<string, ReadonlySet<string>>> = {
  system: new Set(['role', 'content']),
  user: new Set(['role', 'content']),
  assistant: new Set(['role', 'content', 'tool_calls', 'prefix']),
  tool: new Set(['role', 'content', 'tool_call_id', 'name']),
}

test('mistral: whatever is asked, only fields and members go out that it has, and ids of nine', () => {
  fc.assert(
    fc.property(
      requests(knobs),
      fc.constantFrom('mistral-small-latest', 'magistral-medium-latest'),
      (request, model) => {
        const { body } = mistralChat(model).write(request, contextOf(model))
        const written = record(body) ?? {}
        assert.deepEqual(
          Object.keys(written).filter((name) => !FIELDS.has(name)),
          [],
        )
        const { messages } = written
        assert.ok(Array.isArray(messages))
        const ids: unknown[] = []
        for (const message of messages) {
          const known = MEMBERS[String(message.role)]
          assert.ok(known, String(message.role))
          assert.deepEqual(
            Object.keys(message).filter((name) => !known.has(name)),
            [],
          )
          for (const { id } of message.tool_calls ?? []) ids.push(id)
          if (message.role === 'tool') assert.ok(ids.includes(message.tool_call_id))
        }
        for (const id of ids) assert.match(String(id), /^[A-Za-z0-9]{9}$/)
        const last = messages.at(-1)
        assert.ok(last.role !== 'assistant' || last.prefix === true || last.tool_calls)
      },
    ),
    { numRuns: 500 },
  )
})

test('mistral: messages that are in its words already are left as they are', () => {
  fc.assert(
    fc.property(
      odd('role content tool_calls id type function tool_call_id prefix name'),
      fc.boolean(),
      (value, thinks) => {
        const once = rewriteMessages([value, { role: 'user', content: 'x' }], thinks)
        if (once) assert.equal(rewriteMessages(JSON.parse(JSON.stringify(once.messages)), false), undefined)
      },
    ),
    { numRuns: 2000 },
  )
})

/** A request that ends in the beginning of its answer. */
const beginning = (text: string): ChatRequest => ({
  ...asked,
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    { role: 'assistant', content: [{ type: 'text', text }] },
  ],
})
const textOf = (events: readonly ChatEvent[]): string =>
  events.map((event) => (event.type === 'text' ? event.text : '')).join('')
const wire = (pieces: readonly string[]): Buffer =>
  said(openaiCaller, [
    { type: 'start', id: 'x', model: 'm' },
    ...pieces.map((text): ChatEvent => ({ type: 'text', choice: 0, text })),
    { type: 'finish', choice: 0, reason: 'stop' },
    { type: 'end' },
  ])

test('mistral: an answer does not say its beginning again, whatever the pieces it comes in', () => {
  const words = fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'é'), minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(words, words, fc.array(fc.nat(12), { maxLength: 4 }), fc.boolean(), (prefix, rest, cuts, echoes) => {
      fc.pre(echoes || !rest.startsWith(prefix))
      const text = echoes ? prefix + rest : rest
      const at = [0, ...cuts.toSorted((a, b) => a - b), text.length]
      const pieces = at.slice(1).map((end, i) => text.slice(at[i], end))
      const target = mistralChat('mistral-small-latest')
      target.write(beginning(prefix), context)
      assert.equal(textOf(heard(target.reader(context), 'sse', [wire(pieces)])), rest)
      const whole = openaiCaller.answer(
        collect([
          { type: 'text', choice: 0, text },
          { type: 'finish', choice: 0, reason: 'stop' },
        ]),
        answering,
      )
      assert.equal(textOf(target.read(JSON.parse(JSON.stringify(whole)), context)), rest)
    }),
    { numRuns: 1000 },
  )
})

test('mistral: a stream cut at any byte has the same events', () => {
  fc.assert(
    fc.property(answers({ format: 'openai' }), (events) => {
      const target = mistralChat('mistral-small-latest')
      target.write(beginning('Dear'), context)
      sameWhenCut(said(openaiCaller, events), (chunks) => heard(target.reader(context), 'sse', chunks))
    }),
    { numRuns: 3 },
  )
})

test('mistral: whatever comes in, only documented errors come out', () => {
  fc.assert(
    fc.property(
      odd(
        'role content type text thinking tool_calls id function name arguments choices delta message finish_reason',
        'thinking text stop',
      ),
      (value) => {
        const target = mistralChat('magistral-medium-latest')
        only(Malformed, () => target.read(value, context))
        only(Malformed, () =>
          target.reader(context).read({ type: '', data: JSON.stringify({ choices: [{ delta: value }] }) }),
        )
        only(Failure, () => rewriteMessages([value], true))
      },
    ),
    { numRuns: 1500 },
  )
})
