import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import OpenAI, { APIError, BadRequestError } from 'openai'
import type {
  Response,
  ResponseCreateParamsNonStreaming,
  ResponseInput,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstreams } from '../helpers/upstream.ts'

const sdk = (baseURL: string) => new OpenAI({ baseURL, apiKey: 'the-callers-own', maxRetries: 0 })
const weather = {
  type: 'function' as const,
  name: 'weather',
  description: 'The weather of a city.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
}

/** A sidecar before a simulated OpenAI: `native` passes responses on, else they are said as chats. */
async function sidecar(t: TestContext, native: boolean, model = 'a-model') {
  const [a] = await upstreams(t, {})
  const path = await dataPath(t, {
    routes: [route('chat', [rule([target('a', { model })])])],
    endpoints: [
      endpoint('a', `${a.url}/v1`, {
        provider: { type: native ? 'OpenAI' : 'OpenAICompatible' },
        models: [{ name: model, rank: 0, defaults: {}, force: {} }],
      }),
    ],
  })
  return { a, client: sdk(`${path.url}/v1`), ...path }
}

const textOf = ({ output }: Response): string =>
  output
    .flatMap((item) => (item.type === 'message' ? item.content : []))
    .map((part) => (part.type === 'output_text' ? part.text : ''))
    .join('')

const ends = [
  ['by OpenAI itself', true, '/v1/responses'],
  ['by a server that chats', false, '/v1/chat/completions'],
] as const

for (const [whose, native, at] of ends) {
  test(`responses ${whose}: whole, with usage and an end`, async (t) => {
    const { a, client, telemetry } = await sidecar(t, native)
    const response = await client.responses.create({
      model: 'chat',
      instructions: 'Be brief.',
      input: 'How is the wind?',
    })
    assert.match(response.output_text, /^a heard: How is the wind\?/)
    assert.deepEqual(
      [response.status, response.object, response.id.startsWith('resp_')],
      ['completed', 'response', true],
    )
    assert.ok((response.usage?.input_tokens ?? 0) > 0)
    assert.equal(
      response.usage?.total_tokens,
      (response.usage?.input_tokens ?? 0) + (response.usage?.output_tokens ?? 0),
    )
    assert.equal(telemetry.exchanges[0]?.usage?.output, response.usage?.output_tokens)
    assert.equal(telemetry.exchanges[0]?.finishReason, 'stop')
    assert.equal(a.requests()[0]?.path, at)
    const cut = await client.responses.create({
      model: 'chat',
      input: 'Tell me a lot of things.',
      max_output_tokens: 16,
      instructions: 'x',
    })
    assert.ok(cut.output_text.length > 0)
  })

  test(`responses ${whose}: the stream helper takes every event, and ends with the same`, async (t) => {
    const { client, telemetry } = await sidecar(t, native)
    const ask = { model: 'chat', input: 'How is the wind?' }
    const whole = await client.responses.create(ask)
    const events: ResponseStreamEvent[] = []
    let text = ''
    const stream = client.responses.stream(ask)
    stream.on('event', (event) => events.push(event))
    stream.on('response.output_text.delta', ({ delta }) => (text += delta))
    const final = await stream.finalResponse()
    assert.deepEqual([final.output_text, final.status, text], [whole.output_text, 'completed', whole.output_text])
    assert.deepEqual(final.usage, whole.usage)
    assert.deepEqual(
      events.map(({ sequence_number: n }) => n),
      events.map((_, i) => i),
    )
    assert.deepEqual([events[0]?.type, events.at(-1)?.type], ['response.created', 'response.completed'])
    assert.equal(telemetry.exchanges[1]?.usage?.output, whole.usage?.output_tokens)
    assert.equal(telemetry.exchanges[1]?.usage?.estimated, undefined)
  })

  test(`responses ${whose}: a loop of tools, whole and streamed, that gives every item back`, async (t) => {
    const { client } = await sidecar(t, native, 'gpt-5-mini')
    // The stream's own last event: what the stream helper makes of it has members besides, which OpenAI refuses.
    const answer = async (ask: ResponseCreateParamsNonStreaming, streamed: boolean): Promise<Response> => {
      if (!streamed) return client.responses.create(ask)
      const events = await Array.fromAsync(await client.responses.create({ ...ask, stream: true }))
      const last = events.at(-1)
      assert.ok(last?.type === 'response.completed')
      return last.response
    }
    for (const streamed of [false, true]) {
      const input: ResponseInput = [{ role: 'user', content: 'The weather in Oslo, please, and think aloud.' }]
      const ask = {
        model: 'chat',
        input,
        tools: [weather],
        store: false,
        include: ['reasoning.encrypted_content' as const],
      }
      const first = await answer(ask, streamed)
      const call = first.output.find((item) => item.type === 'function_call')
      assert.ok(call)
      assert.equal(call.name, 'weather')
      assert.deepEqual(JSON.parse(call.arguments), { city: 'The weather in Oslo, please, and think aloud.' })
      assert.match(textOf(first), /^a heard:/, 'the words before the call are kept')
      // What came out goes back in, as the SDK's own guide has it.
      input.push(...(first.output as ResponseInput)) // items of an answer are items of a request
      input.push({ type: 'function_call_output', call_id: call.call_id, output: 'windy' })
      const second = await answer({ ...ask, input }, streamed)
      assert.match(textOf(second), /^a heard: The weather/)
      assert.equal(second.status, 'completed')
    }
  })

  test(`responses ${whose}: an answer of a schema, and parallel calls`, async (t) => {
    const { client } = await sidecar(t, native)
    const schema = {
      type: 'object',
      properties: { n: { type: 'integer' } },
      required: ['n'],
      additionalProperties: false,
    }
    const parsed = await client.responses.parse({
      model: 'chat',
      input: 'A number',
      text: { format: { type: 'json_schema', name: 'number', schema, strict: true } },
    })
    assert.deepEqual(JSON.parse(parsed.output_text), { n: 1 })
    const tide = { ...weather, name: 'tide' }
    const both = await client.responses
      .stream({ model: 'chat', input: 'weather and tide', tools: [weather, tide], tool_choice: 'required' })
      .finalResponse()
    assert.deepEqual(
      both.output.map((item) => item.type === 'function_call' && item.name),
      ['weather', 'tide'],
    )
  })

  test(`responses ${whose}: an image is seen`, async (t) => {
    const { client } = await sidecar(t, native)
    const image_url = 'data:image/png;charset=utf-8;base64,iVBORw0KGgo='
    const { output_text } = await client.responses.create({
      model: 'chat',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is it?' },
            { type: 'input_image', image_url, detail: 'low' },
          ],
        },
      ],
    })
    assert.match(output_text, /saw image\/png/)
  })

  test(`responses ${whose}: a stream that fails or is cut is an error to the SDK, never an end`, async (t) => {
    const { a, client } = await sidecar(t, native)
    for (const fault of ['error-middle=6', 'truncate=6', 'malformed=6', 'no-finish', 'cut=1800']) {
      await a.setFaults([fault])
      const types: string[] = []
      await assert.rejects(
        async () => {
          for await (const event of await client.responses.create({
            model: 'chat',
            input: 'Hello there',
            stream: true,
          }))
            types.push(event.type)
        },
        (error) => error instanceof APIError,
        fault,
      )
      assert.ok(!types.includes('response.completed'), fault)
    }
    await a.setFaults(['error-first'])
    await assert.rejects(client.responses.create({ model: 'chat', input: 'Hello', stream: true }), APIError)
    await a.setFaults(['rate-limit=seconds,wait=1s'])
    await assert.rejects(
      client.responses.create({ model: 'chat', input: 'Hello' }),
      (error) => error instanceof APIError && error.status === 429,
    )
  })
}

test('responses: state is OpenAI’s own; elsewhere it is refused in plain words, and what is dropped is said', async (t) => {
  const native = await sidecar(t, true)
  const first = await native.client.responses.create({ model: 'chat', input: 'One' })
  const second = await native.client.responses.create({ model: 'chat', input: 'Two', previous_response_id: first.id })
  assert.equal(second.previous_response_id, first.id)
  const other = await sidecar(t, false)
  await assert.rejects(
    other.client.responses.create({ model: 'chat', input: 'Two', previous_response_id: first.id }),
    (error) => {
      assert.ok(error instanceof BadRequestError)
      assert.match(error.message, /"previous_response_id" needs OpenAI itself: send the conversation in "input"/)
      return true
    },
  )
  const { response } = await other.client.responses
    .create({ model: 'chat', input: 'Hi', store: true, tools: [{ type: 'web_search' }] })
    .withResponse()
  assert.equal(response.headers.get('x-tradewind-dropped'), 'tools.0.web_search, store')
  await assert.rejects(
    other.client.responses.create({
      model: 'chat',
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_image', image_url: 'nowhere', detail: 'low' }] },
      ],
    }),
    /"input\.0\.content\.0\.image_url" must be/,
  )
})

test('responses: tokens are counted by OpenAI, elsewhere estimated; a conversation is made compact by OpenAI only', async (t) => {
  const [native, other] = [await sidecar(t, true), await sidecar(t, false)]
  const ask = { model: 'chat', input: 'How is the wind today, and what will it be tomorrow?' }
  for (const [{ client, a }, estimated] of [
    [native, null],
    [other, 'true'],
  ] as const) {
    const { data, response } = await client.responses.inputTokens.count(ask).withResponse()
    assert.equal(data.object, 'response.input_tokens')
    assert.ok(data.input_tokens > 5 && data.input_tokens < 40, String(data.input_tokens))
    assert.equal(response.headers.get('x-tradewind-estimated'), estimated)
    assert.equal(a.requests().length, estimated ? 0 : 1)
  }
  const { output } = await native.client.responses.compact({ model: 'chat', input: [{ role: 'user', content: 'One' }] })
  assert.equal(output[0]?.type, 'compaction')
  await assert.rejects(other.client.responses.compact({ model: 'chat', input: 'One' }), /has no such operation/)
})

/** A sidecar before a simulated Anthropic, which neither has responses nor completions. */
async function claude(t: TestContext) {
  const model = 'claude-sonnet-4-5'
  const [a] = await upstreams(t, { provider: 'anthropic' })
  const path = await dataPath(t, {
    routes: [route('chat', [rule([target('a', { model })])])],
    endpoints: [
      endpoint('a', a.url, {
        provider: { type: 'Anthropic' },
        models: [{ name: model, rank: 0, defaults: {}, force: {} }],
      }),
    ],
  })
  return { a, client: sdk(`${path.url}/v1`), ...path }
}

test('responses by Anthropic: signed thoughts come as encrypted items, and go back through the loop of tools', async (t) => {
  const { a, client } = await claude(t)
  const input: ResponseInput = [{ role: 'user', content: 'The weather in Oslo, please.' }]
  const ask = {
    model: 'chat',
    tools: [weather],
    max_output_tokens: 4000,
    reasoning: { effort: 'low' as const, summary: 'auto' as const },
  }
  for (const streamed of [false, true]) {
    const first = streamed
      ? await client.responses.stream({ ...ask, input }).finalResponse()
      : await client.responses.create({ ...ask, input })
    const [thought, call] = [
      first.output.find((it) => it.type === 'reasoning'),
      first.output.find((it) => it.type === 'function_call'),
    ]
    assert.ok(thought?.type === 'reasoning' && call?.type === 'function_call')
    assert.match(thought.encrypted_content ?? '', /^anthropic:signature:./)
    assert.ok((thought.summary[0]?.text.length ?? 0) > 0)
    const back: ResponseInput = [
      ...input,
      thought,
      call,
      { type: 'function_call_output', call_id: call.call_id, output: 'windy' },
    ]
    const second = await client.responses.create({ ...ask, input: back })
    assert.equal(second.status, 'completed')
    assert.ok(second.output_text.length > 0)
    const sent = JSON.parse(a.requests().at(-1)?.body ?? '') as { messages: { content: { type: string }[] }[] } // what Anthropic's API takes
    assert.equal(sent.messages[1]?.content[0]?.type, 'thinking')
  }
})

test('completions by Anthropic: a prompt is answered, whole and streamed', async (t) => {
  const { client } = await claude(t)
  const ask = { model: 'chat', prompt: 'Once upon a time', max_tokens: 100 }
  const whole = await client.completions.create(ask)
  assert.match(whole.choices[0]?.text ?? '', /heard: Once upon a time/)
  assert.equal(whole.choices[0]?.finish_reason, 'stop')
  const chunks = await Array.fromAsync(
    await client.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } }),
  )
  assert.equal(chunks.map((it) => it.choices[0]?.text ?? '').join(''), whole.choices[0]?.text)
  assert.deepEqual(chunks.at(-1)?.usage?.completion_tokens, whole.usage?.completion_tokens)
  await assert.rejects(client.completions.create({ ...ask, suffix: 'end' }), /"suffix" needs a model that fills in/)
})
