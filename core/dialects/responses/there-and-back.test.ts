import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { answers, requests } from '../../../test/helpers/conversations.ts'
import { answering, heard, said, sameWhenCut } from '../../../test/helpers/dialects.ts'
import type { ChatEvent, Message } from '../../chat.ts'
import { collect } from '../../collect.ts'
import { Failure } from '../../errors.ts'
import { frameParser } from '../../framing.ts'
import { Malformed } from '../dialect.ts'
import type { Json } from '../dialect.ts'
import { responsesCaller } from './caller.ts'
import { readResponse, ResponsesReader } from './read-stream.ts'

const knobs = { format: 'anthropic', thoughts: true } as const

const write = (events: readonly ChatEvent[]): Buffer => said(responsesCaller, events)
const hear = (chunks: readonly Buffer[]): readonly ChatEvent[] => heard(new ResponsesReader(), 'sse', chunks)
/** What there is of an answer without what only its own dialect has a place for. */
const gist = (events: readonly ChatEvent[]) => {
  const { choices, usage, model, created } = collect(events)
  return {
    choices: choices.map(({ content, ...rest }) => ({
      ...rest,
      content: content.map((part) => (part.type === 'reasoning' ? { type: part.type, text: part.text } : part)),
    })),
    usage,
    model,
    created,
  }
}

test('a streamed answer is read as it was written', () => {
  fc.assert(
    fc.property(answers(knobs), (events) => {
      assert.deepEqual(gist(hear([write(events)])), gist(events))
    }),
    { numRuns: 200 },
  )
})

test('every event has the next number, what is added is done, and the last response holds all of it as the whole answer does', () => {
  fc.assert(
    fc.property(answers(knobs), (events) => {
      const bodies = frameParser('sse')
        .push(write(events))
        .filter(({ empty }) => !empty)
        .map(({ type, data }): Json => ({ 'event:': type, ...JSON.parse(data) }))
      assert.deepEqual(
        bodies.map((it) => it['sequence_number']),
        bodies.map((_, i) => i),
      )
      assert.ok(bodies.every((it) => it['event:'] === it['type']))
      const places = (type: string) => bodies.filter((it) => it['type'] === type).map((it) => it['output_index'])
      assert.deepEqual(new Set(places('response.output_item.added')), new Set(places('response.output_item.done')))
      const response = bodies.at(-1)?.['response']
      assert.deepEqual(response, JSON.parse(JSON.stringify(responsesCaller.answer(collect(events), answering))))
      assert.deepEqual(
        readResponse(response).at(-2),
        events.find(({ type }) => type === 'finish'),
      )
    }),
    { numRuns: 200 },
  )
})

test('a stream cut at any byte has the same events', () => {
  fc.assert(
    fc.property(answers(knobs), (events) => {
      sameWhenCut(write(events), hear)
    }),
    { numRuns: 3 },
  )
})

/** A conversation as the items that the API has for it. */
function items(messages: readonly Message[]): readonly Json[] {
  return messages.flatMap((message): readonly Json[] => {
    switch (message.role) {
      case 'system':
      case 'user':
        return [
          {
            role: message.role,
            content: message.content.map((part) =>
              part.type === 'text'
                ? { type: 'input_text', text: part.text }
                : {
                    type: 'input_image',
                    image_url: part.type === 'image' && part.source.type === 'url' ? part.source.url : '',
                    detail: 'low',
                  },
            ),
          },
        ]
      case 'assistant':
        // What an answer of ours had is what comes back.
        return JSON.parse(JSON.stringify(outputOf(message))) as readonly Json[] // what `outputOf` gives
      case 'tool':
        return [
          {
            type: 'function_call_output',
            call_id: message.callId,
            output: message.content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
          },
        ]
    }
  })
}
function outputOf({ content }: Extract<Message, { role: 'assistant' }>): unknown {
  const choice = {
    index: 0,
    content,
    citations: [],
    logprobs: undefined,
    finish: 'stop',
    stopSequence: undefined,
  } as const
  const answer = { id: undefined, model: 'm', created: 1, choices: [choice], usage: undefined }
  return (responsesCaller.answer(answer, answering) as Json)['output'] // an answer is an object
}

test('a conversation that came back with our own items is the same', () => {
  fc.assert(
    fc.property(requests({ ...knobs, parts: ['url'] }), (request) => {
      const input = items(request.messages)
      const read = responsesCaller.read({ model: 'm', input }, {})
      // The words of two of the assistant's messages in a row are one message in items.
      const messages = request.messages.reduce<Message[]>((all, message) => {
        const last = all.at(-1)
        if (last?.role === 'assistant' && message.role === 'assistant')
          all[all.length - 1] = { ...last, content: [...last.content, ...message.content] }
        else all.push(message)
        return all
      }, [])
      assert.deepEqual(read.messages, messages)
    }),
    { numRuns: 200 },
  )
})

test('what needs a provider that keeps responses is refused in plain words, other tools are reported', () => {
  for (const [member, says] of [
    [
      { previous_response_id: 'resp_1' },
      /"previous_response_id" needs OpenAI itself: send the conversation in "input"/,
    ],
    [{ background: true }, /"background" needs OpenAI itself/],
    [{ input: [{ type: 'item_reference', id: 'rs_1' }] }, /item_reference needs a provider that keeps responses/],
  ] as const)
    assert.throws(
      () => responsesCaller.read({ model: 'm', input: 'Hi', ...member }, {}),
      (error) => {
        assert.ok(error instanceof Failure)
        assert.equal(error.code, 'not_translatable')
        assert.match(error.message, says)
        return true
      },
    )
  const { unread, tools, reasoning, logprobs, topLogprobs } = responsesCaller.read(
    {
      model: 'm',
      input: 'Hi',
      store: true,
      truncation: 'auto',
      top_logprobs: 2,
      include: ['message.output_text.logprobs'],
      reasoning: { effort: 'low', summary: 'auto' },
      tools: [{ type: 'web_search' }, { type: 'function', name: 'f', parameters: { type: 'object' }, strict: true }],
    },
    {},
  )
  assert.deepEqual(unread, ['tools.0.web_search', 'store', 'truncation'])
  assert.deepEqual(tools, [{ name: 'f', parameters: { type: 'object' }, strict: true }])
  assert.deepEqual([reasoning, logprobs, topLogprobs], [{ effort: 'low', include: true }, true, 2])
})

test('a response that failed, was cancelled or is in the background', () => {
  const of = (response: Json) => readResponse({ id: 'resp_1', ...response }).slice(1)
  assert.deepEqual(of({ status: 'failed', error: { code: 'server_error', message: 'Oh' } }), [
    { type: 'error', body: '{"error":{"code":"server_error","message":"Oh"}}' },
  ])
  assert.deepEqual(of({ status: 'queued' }), [])
  assert.deepEqual(of({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } })[0], {
    type: 'finish',
    choice: 0,
    reason: 'content_filter',
  })
  const reader = new ResponsesReader()
  const [event] = reader.read({
    type: 'error',
    data: '{"type":"error","code":"rate_limit_exceeded","message":"Slow","sequence_number":3}',
  })
  assert.equal(event?.type, 'error')
  assert.match(event?.type === 'error' ? event.body : '', /^{"error":{.*"code":"rate_limit_exceeded"/)
})

const members =
  'toString role content type text input_text input_image image_url id call_id name arguments output summary encrypted_content reasoning response status usage error delta item'.split(
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
  const types = [
    'message',
    'reasoning',
    'function_call',
    'function_call_output',
    'response.completed',
    'response.output_item.added',
    'error',
  ]
  const only = (expected: new (...all: never[]) => Error, run: () => unknown): void => {
    try {
      run()
    } catch (error) {
      if (!(error instanceof expected)) throw error
    }
  }
  fc.assert(
    fc.property(odd, fc.constantFrom(...types), (value, type) => {
      only(Malformed, () => readResponse(value))
      only(Malformed, () => new ResponsesReader().read({ type, data: JSON.stringify(value) }))
      only(Failure, () => responsesCaller.read({ model: 'm', input: value }, {}))
      only(Failure, () => responsesCaller.read({ model: 'm', input: [{ type, ...Object(value) }] }, {}))
    }),
    { numRuns: 1500 },
  )
})
