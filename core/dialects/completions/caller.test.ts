import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { answers } from '../../../test/helpers/conversations.ts'
import type { ChatRequest } from '../../chat.ts'
import { collect } from '../../collect.ts'
import { Failure } from '../../errors.ts'
import { frameParser } from '../../framing.ts'
import type { AnswerContext } from '../dialect.ts'
import { completionsCaller } from './caller.ts'

const request: ChatRequest = { model: 'm', messages: [], tools: [], stream: true, includeUsage: true, unread: [] }
const context: AnswerContext = { request, requestId: 'r1', now: 1 }

test('a prompt is a message, what a chat has no place for is reported or refused', () => {
  const { messages, unread, maxTokens, topLogprobs, stop } = completionsCaller.read(
    { model: 'm', prompt: ['Once'], max_tokens: 5, echo: true, best_of: 3, n: 2, logprobs: 2, stop: 'a', min_p: 0.1 },
    {},
  )
  assert.deepEqual(messages, [{ role: 'user', content: [{ type: 'text', text: 'Once' }] }])
  assert.deepEqual([unread, maxTokens, topLogprobs, stop], [['echo', 'best_of', 'min_p'], 5, 2, ['a']])
  for (const [body, code] of [
    [{ model: 'm' }, 'invalid_request'],
    [{ prompt: 'a' }, 'invalid_request'],
    [{ model: 'm', prompt: ['a', 'b'] }, 'not_translatable'],
    [{ model: 'm', prompt: [1, 2] }, 'not_translatable'],
    [{ model: 'm', prompt: [[1]] }, 'not_translatable'],
    [{ model: 'm', prompt: 'a', suffix: 'b' }, 'not_translatable'],
  ] as const)
    assert.throws(
      () => completionsCaller.read(body, {}),
      (error) => error instanceof Failure && error.code === code,
      JSON.stringify(body),
    )
})

test('a stream has the text of the whole answer, its end, its usage and nothing of thoughts', () => {
  fc.assert(
    fc.property(answers({ format: 'openai', thoughts: true }), (events) => {
      const writer = completionsCaller.writer(context)
      const parser = frameParser('sse')
      const chunks = parser
        .push(Buffer.concat([...events.map((event) => writer.write(event)), writer.end()]))
        .map(({ data }) => data)
      assert.equal(chunks.pop(), '[DONE]')
      // What the writer wrote.
      const bodies = chunks.map(
        (it) => JSON.parse(it) as { choices: { text: string; finish_reason: string | null }[]; usage?: unknown },
      )
      const whole = JSON.parse(
        JSON.stringify(completionsCaller.answer(collect(events), context)),
      ) as (typeof bodies)[number]
      assert.equal(bodies.map(({ choices }) => choices[0]?.text ?? '').join(''), whole.choices[0]?.text)
      assert.equal(bodies.at(-2)?.choices[0]?.finish_reason, 'stop')
      assert.deepEqual([bodies.at(-1)?.choices, bodies.at(-1)?.usage], [[], whole.usage])
    }),
  )
})

test('log-probabilities stand side by side', () => {
  const tokens = [
    { token: 'a b', logprob: -1, bytes: null, top_logprobs: [{ token: 'c', logprob: -2, bytes: null }] },
    { token: 'd', logprob: -3, bytes: null, top_logprobs: [] },
  ]
  const answer = collect([
    { type: 'text', choice: 0, text: 'a bd' },
    { type: 'logprobs', choice: 0, content: tokens },
    { type: 'finish', choice: 0, reason: 'length' },
  ])
  assert.deepEqual(JSON.parse(JSON.stringify(completionsCaller.answer(answer, context))), {
    id: 'cmpl-r1',
    object: 'text_completion',
    created: 1,
    model: 'm',
    choices: [
      {
        text: 'a bd',
        index: 0,
        logprobs: {
          tokens: ['a b', 'd'],
          token_logprobs: [-1, -3],
          top_logprobs: [{ c: -2 }, {}],
          text_offset: [0, 3],
        },
        finish_reason: 'length',
      },
    ],
  })
})
