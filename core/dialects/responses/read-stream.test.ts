import assert from 'node:assert/strict'
import test from 'node:test'
import { frameParser } from '../../framing.ts'
import { Malformed } from '../dialect.ts'
import { beginsForeign, readResponse, ResponsesReader } from './read-stream.ts'

const usage = (input: number, output: number, rest: object = {}) => ({
  type: 'usage',
  usage: {
    input,
    output,
    cached: 0,
    cacheWrite: 0,
    cacheWrite1h: 0,
    reasoning: 0,
    audioInput: 0,
    audioOutput: 0,
    imageInput: 0,
    ...rest,
  },
})

// Recorded, trimmed: pydantic-ai, tests/models/cassettes/test_openai_responses/test_openai_responses_model_simple_response_with_tool_call.yaml
const called = {
  created_at: 1743072656,
  error: null,
  id: 'resp_67e52d90176c819180bd8b6823aff4c7093f95c20016a37e',
  incomplete_details: null,
  model: 'gpt-4o-2024-08-06',
  object: 'response',
  output: [
    {
      arguments: '{"country":"PotatoLand"}',
      call_id: 'call_61cRAI5gleGxCN89umufHn2a',
      id: 'fc_67e52d9092bc81919a2b08c7d037eb68093f95c20016a37e',
      name: 'get_capital',
      status: 'completed',
      type: 'function_call',
    },
  ],
  status: 'completed',
  usage: {
    input_tokens: 256,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 18,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 274,
  },
}

test('a whole response says why it ended and what it cost', () => {
  assert.deepEqual(readResponse(called), [
    { type: 'start', id: called.id, model: called.model, created: called.created_at },
    { type: 'tool', choice: 0, index: 0, id: 'call_61cRAI5gleGxCN89umufHn2a', name: 'get_capital' },
    usage(256, 18),
    { type: 'finish', choice: 0, reason: 'tool_calls' },
    { type: 'end' },
  ])
  const image = { ...called, output: [{ type: 'image_generation_call', result: 'AAAA' }] }
  assert.equal(readResponse(image)[1]?.type, 'text', 'it is no answer that says nothing')
  assert.deepEqual(readResponse({ error: { message: 'Oh' } }), [{ type: 'error', body: '{"error":{"message":"Oh"}}' }])
  const cut = { ...called, output: [], status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
  assert.deepEqual(readResponse(cut)[2], { type: 'finish', choice: 0, reason: 'length' })
  assert.throws(() => readResponse([]), Malformed)
})

/** As the API's reference shows the stream; https://platform.openai.com/docs/api-reference/responses-streaming */
const stream = [
  {
    type: 'response.created',
    sequence_number: 0,
    response: {
      id: 'resp_1',
      object: 'response',
      created_at: 5,
      status: 'in_progress',
      model: 'gpt-5',
      output: [],
      usage: null,
    },
  },
  {
    type: 'response.output_item.added',
    sequence_number: 1,
    output_index: 0,
    item: { id: 'rs_1', type: 'reasoning', summary: [] },
  },
  {
    type: 'response.reasoning_summary_text.delta',
    sequence_number: 2,
    item_id: 'rs_1',
    output_index: 0,
    summary_index: 0,
    delta: 'Hm',
  },
  {
    type: 'response.output_item.added',
    sequence_number: 3,
    output_index: 1,
    item: { id: 'ws_1', type: 'web_search_call', status: 'in_progress' },
  },
  { type: 'response.web_search_call.searching', sequence_number: 4, output_index: 1, item_id: 'ws_1' },
  {
    type: 'response.output_text.delta',
    sequence_number: 5,
    item_id: 'msg_1',
    output_index: 2,
    content_index: 0,
    delta: 'Hi',
    logprobs: [],
  },
  {
    type: 'response.output_item.added',
    sequence_number: 6,
    output_index: 3,
    item: { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'f', arguments: '' },
  },
  { type: 'response.function_call_arguments.delta', sequence_number: 7, item_id: 'fc_1', output_index: 3, delta: '{}' },
  {
    type: 'response.completed',
    sequence_number: 8,
    response: {
      id: 'resp_1',
      status: 'completed',
      output: [],
      usage: {
        input_tokens: 9,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens: 7,
        output_tokens_details: { reasoning_tokens: 3 },
      },
    },
  },
]

test('a stream is read for what it says, why it ended and what it cost; what only OpenAI has is passed over', () => {
  const text = stream.map((it) => `event: ${it.type}\ndata: ${JSON.stringify(it)}\n\n`).join('')
  const reader = new ResponsesReader()
  const events = frameParser('sse')
    .push(Buffer.from(text))
    .flatMap((frame) => reader.read(frame))
  assert.deepEqual(events, [
    { type: 'start', id: 'resp_1', model: 'gpt-5', created: 5 },
    { type: 'reasoning', choice: 0, text: 'Hm' },
    { type: 'text', choice: 0, text: 'Hi' },
    { type: 'tool', choice: 0, index: 0, id: 'call_1', name: 'f' },
    { type: 'arguments', choice: 0, index: 0, text: '{}' },
    usage(9, 7, { cached: 4, reasoning: 3 }),
    { type: 'finish', choice: 0, reason: 'tool_calls' },
    { type: 'end' },
  ])
})

test('an event that comes twice or too early is none of the API’s', () => {
  const reader = new ResponsesReader()
  const event = (sequence_number: number) => ({
    type: '',
    data: JSON.stringify({ type: 'response.output_text.delta', sequence_number, delta: 'a' }),
  })
  assert.equal(reader.read(event(3)).length, 1)
  assert.throws(() => reader.read(event(3)), Malformed)
  assert.throws(() => reader.read(event(2)), Malformed)
  const added = (type: string) => ({ type: 'response.output_item.added', data: JSON.stringify({ item: { type } }) })
  assert.deepEqual(
    ['message', 'web_search_call'].map((type) => beginsForeign(added(type))),
    [false, true],
  )
})

test('a failed response, an error event and a broken one', () => {
  const read = (type: string, data: string) => new ResponsesReader().read({ type, data })
  const failed = {
    type: 'response.failed',
    response: { id: 'resp_1', status: 'failed', error: { code: 'rate_limit_exceeded', message: 'Slow.' }, usage: null },
  }
  assert.deepEqual(read('response.failed', JSON.stringify(failed)).at(-1), {
    type: 'error',
    body: '{"error":{"code":"rate_limit_exceeded","message":"Slow."}}',
  })
  assert.deepEqual(read('', '{"error":{"message":"Oh"}}'), [{ type: 'error', body: '{"error":{"message":"Oh"}}' }])
  assert.deepEqual(read('error', 'plain words'), [{ type: 'error', body: 'plain words' }])
  assert.throws(() => read('response.completed', '{"type":"response.completed"}'), Malformed)
  assert.throws(() => read('', '{"type":'), Malformed)
})
