import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { requests } from '../../../test/helpers/conversations.ts'
import { asked, contextOf, odd, only } from '../../../test/helpers/dialects.ts'
import { holdsAnswers } from '../../../test/helpers/there-and-back.ts'
import type { ChatRequest } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import { Malformed } from '../dialect.ts'
import { openaiCaller } from './caller.ts'
import { compatibleOptions, openaiOptions } from './options.ts'
import { compatibleTarget, openaiChat, openaiTarget } from './target.ts'

const context = contextOf('m')
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

holdsAnswers({
  caller: openaiCaller,
  target: keeping,
  context,
  knobs: { format: 'anthropic', thoughts: true },
  cuts: 3,
})

const members =
  'role content type text image_url url tool_calls id index function name arguments choices delta message finish_reason usage error reasoning reasoning_details refusal audio annotations logprobs'

test('whatever comes in, only documented errors come out', () => {
  fc.assert(
    fc.property(odd(members), (value) => {
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
