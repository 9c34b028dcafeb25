import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import Anthropic, { APIError, BadRequestError, RateLimitError } from '@anthropic-ai/sdk'
import type { Mock } from '../../cli/mock/server.ts'
import OpenAI from 'openai'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstream } from '../helpers/upstream.ts'

/** Anthropic's own SDK against Anthropic and against OpenAI, and OpenAI's against Anthropic, all of it through the request path. */

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const KEY = 'sk-ant-secret'
const CLAUDE = 'claude-sonnet-4-5'
const LATE = 'claude-opus-4-7'
const GPT = 'gpt-4o'
const THINKER = 'gpt-5'

async function lab(t: TestContext) {
  const [claude, gpt] = [
    await upstream(t, { name: 'mock', provider: 'anthropic', apiKey: KEY }),
    await upstream(t, { name: 'mock', provider: 'openai', apiKey: KEY }),
  ]
  const common = {
    credentials: { type: 'Secret' as const, secret: { secret: 'ai/key', key: 'key' } },
    models: [{ name: '*', rank: 0, defaults: {}, force: {} }],
  }
  const to = (name: string) => [rule([target(name, { model: '*' })])]
  const strict = [rule([target('claude', { model: '*' })], { onUnsupported: 'Fail' })]
  const path = await dataPath(t, {
    routes: [
      route('claude', to('claude'), { models: [CLAUDE, LATE, 'claude-3-5-haiku-20241022', 'claude-opus-5-5'] }),
      route('strict', strict, { models: ['strict'] }),
      route('gpt', to('gpt'), { models: [GPT, THINKER] }),
    ],
    endpoints: [
      endpoint('claude', claude.url, {
        provider: { type: 'Anthropic', settings: { beta: ['context-1m-2025-08-07'] } },
        ...common,
      }),
      endpoint('gpt', `${gpt.url}/v1`, { provider: { type: 'OpenAI' }, ...common }),
    ],
    secrets: { 'ai/key': { data: { key: KEY } } },
  })
  return { claude, gpt, ...path }
}

const anthropicSdk = (url: string) => new Anthropic({ baseURL: url, apiKey: 'the-callers-own', maxRetries: 0 })
const openaiSdk = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'the-callers-own', maxRetries: 0 })

const weather: Anthropic.Tool = {
  name: 'get_weather',
  description: 'The weather of a place.',
  input_schema: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
}
const time: Anthropic.Tool = { name: 'get_time', input_schema: { type: 'object', properties: {} } }

const textOf = (message: Anthropic.Message): string =>
  message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
const callsOf = (message: Anthropic.Message) => message.content.filter((block) => block.type === 'tool_use')

for (const model of [CLAUDE, LATE, GPT]) {
  const hello: Anthropic.MessageParam[] = [{ role: 'user', content: 'Say hello to the harbour' }]

  test(`anthropic sdk: text from ${model}, whole and streamed`, async (t) => {
    const { url, claude, gpt } = await lab(t)
    const sdk = anthropicSdk(url)
    const request = { model, max_tokens: 200, system: 'Be brief.', messages: hello }
    const whole = await sdk.messages.create(request)
    assert.match(textOf(whole), /^mock heard: Say hello to the harbour/)
    assert.deepEqual([whole.stop_reason, whole.type, whole.role], ['end_turn', 'message', 'assistant'])
    assert.ok(whole.id && whole.usage.input_tokens > 0)
    assert.equal(whole.usage.output_tokens, 16)
    const streamed = await sdk.messages.stream(request).finalMessage()
    assert.deepEqual(
      [textOf(streamed), streamed.stop_reason, streamed.usage.input_tokens, streamed.usage.output_tokens],
      [textOf(whole), whole.stop_reason, whole.usage.input_tokens, whole.usage.output_tokens],
    )
    const asked: Mock = model === GPT ? gpt : claude
    assert.equal(asked.requests().length, 2)
  })

  test(`anthropic sdk: calls of tools by ${model} and their results, whole and streamed`, async (t) => {
    const { url } = await lab(t)
    const sdk = anthropicSdk(url)
    const ask: Anthropic.MessageParam = { role: 'user', content: 'aloud get_weather and get_time, please' }
    const request = { model, max_tokens: 500, messages: [ask], tools: [weather, time] }
    const whole = await sdk.messages.create(request)
    assert.equal(whole.stop_reason, 'tool_use')
    assert.match(textOf(whole), /^mock heard/)
    assert.deepEqual(
      callsOf(whole).map(({ name, input }) => [name, input]),
      [
        ['get_weather', { place: ask.content }],
        ['get_time', {}],
      ],
    )
    const streamed = await sdk.messages.stream(request).finalMessage()
    assert.equal(streamed.stop_reason, 'tool_use')
    assert.deepEqual(
      callsOf(streamed).map(({ id, name, input }) => ({ id, name, input })),
      callsOf(whole).map(({ id, name, input }) => ({ id, name, input })),
    )
    assert.equal(textOf(streamed), textOf(whole))

    const [first, second] = callsOf(whole)
    assert.ok(first && second)
    const answer = await sdk.messages.create({
      ...request,
      messages: [
        ask,
        { role: 'assistant', content: whole.content },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: first.id, content: [{ type: 'text', text: 'Clear' }] },
            { type: 'tool_result', tool_use_id: second.id, content: 'no clock', is_error: true },
            { type: 'text', text: 'And so?' },
          ],
        },
      ],
    })
    // The user spoke after the tools, so the model may call them again.
    assert.ok(answer.stop_reason === 'tool_use' || answer.stop_reason === 'end_turn')
  })

  test(`anthropic sdk: a tool that has to be called, one at a time, or not at all, by ${model}`, async (t) => {
    const { url } = await lab(t)
    const sdk = anthropicSdk(url)
    const request = { model, max_tokens: 500, messages: [{ role: 'user' as const, content: 'get_weather get_time' }] }
    const tools = [weather, time]
    const must = await sdk.messages.create({ ...request, tools, tool_choice: { type: 'tool', name: 'get_time' } })
    assert.deepEqual(
      callsOf(must).map(({ name }) => name),
      ['get_time'],
    )
    const one = await sdk.messages.create({
      ...request,
      tools,
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
    })
    assert.equal(callsOf(one).length, 1)
    const not = await sdk.messages.create({ ...request, tools, tool_choice: { type: 'none' } })
    assert.equal(not.stop_reason, 'end_turn')
  })

  test(`anthropic sdk: images and documents seen by ${model}; JSON of a schema; ends by length and by a sequence`, async (t) => {
    const { url } = await lab(t)
    const sdk = anthropicSdk(url)
    const seen = await sdk.messages.create({
      model,
      max_tokens: 200,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
            { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } },
          ],
        },
      ],
    })
    assert.match(textOf(seen), /saw image\/png saw application\/pdf/)
    const schema = {
      type: 'object',
      additionalProperties: false,
      properties: { name: { type: 'string' } },
      required: ['name'],
    }
    const json = await sdk.messages.create({
      model,
      max_tokens: 200,
      messages: [{ role: 'user', content: 'A name' }],
      output_config: { format: { type: 'json_schema', schema } },
    })
    assert.deepEqual(JSON.parse(textOf(json)), { name: 'A name' })
    const short = await sdk.messages.create({ model, max_tokens: 3, messages: hello })
    assert.deepEqual([short.stop_reason, short.usage.output_tokens], ['max_tokens', 3])
    const stopped = await sdk.messages.create({ model, max_tokens: 100, messages: hello, stop_sequences: ['harbour'] })
    assert.ok(!textOf(stopped).includes('harbour'))
  })
}

for (const model of [CLAUDE, THINKER])
  test(`anthropic sdk: thought of ${model} goes back in a loop of tools`, async (t) => {
    const { url } = await lab(t)
    const sdk = anthropicSdk(url)
    const ask: Anthropic.MessageParam = { role: 'user', content: 'get_weather' }
    const request = {
      model,
      max_tokens: 5000,
      thinking: { type: 'enabled' as const, budget_tokens: 2000 },
      tools: [weather],
    }
    const first = await sdk.messages.stream({ ...request, messages: [ask] }).finalMessage()
    assert.equal(first.stop_reason, 'tool_use')
    assert.ok((first.usage.output_tokens_details?.thinking_tokens ?? 0) > 0)
    if (model === CLAUDE) {
      const [thought] = first.content
      assert.ok(thought?.type === 'thinking' && thought.signature !== '' && thought.thinking !== '')
    }
    const [call] = callsOf(first)
    assert.ok(call)
    const answer = await sdk.messages.create({
      ...request,
      messages: [
        ask,
        { role: 'assistant', content: first.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'Clear' }] },
      ],
    })
    assert.equal(answer.stop_reason, 'end_turn')
    assert.match(textOf(answer), /^mock heard/)
  })

test('anthropic sdk: what another provider thought, or nobody signed, is taken out before it goes to Anthropic', async (t) => {
  const { url, claude } = await lab(t)
  const sdk = anthropicSdk(url)
  const answer = await sdk.messages.create({
    model: CLAUDE,
    max_tokens: 100,
    messages: [
      { role: 'user', content: 'Hello' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm', signature: 'gemini:c2ln' },
          { type: 'thinking', thinking: 'Hm', signature: '' },
          { type: 'text', text: 'Hello.' },
        ],
      },
      { role: 'user', content: 'Again' },
    ],
  })
  assert.match(textOf(answer), /^mock heard: Again/)
  assert.equal(claude.requests().length, 1)
})

test('anthropic sdk: the request of a coding agent, streamed, from either provider', async (t) => {
  const { url, claude, gpt } = await lab(t)
  const sdk = anthropicSdk(url)
  for (const model of [LATE, THINKER]) {
    const stream = sdk.beta.messages.stream({
      model,
      max_tokens: 32_000,
      betas: ['interleaved-thinking-2025-05-14'],
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'high' },
      metadata: { user_id: 'user_1_account__session_2' },
      system: [
        {
          type: 'text',
          text: `You are a coding agent. ${'Be careful. '.repeat(2000)}`,
          cache_control: { type: 'ephemeral', ttl: '1h' },
        },
        { type: 'text', text: 'The tree of the project: src/', cache_control: { type: 'ephemeral' } },
      ],
      tools: [
        {
          name: 'Bash',
          description: 'Runs a command',
          input_schema: {
            $schema: 'http://json-schema.org/draft-07/schema#',
            type: 'object',
            properties: { command: { type: 'string' }, timeout: { type: 'number', maximum: 600_000 } },
            required: ['command'],
            additionalProperties: false,
          },
          cache_control: { type: 'ephemeral', ttl: '1h' },
        },
      ],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: '<reminder>today</reminder>' },
            { type: 'text', text: 'aloud, list the files', cache_control: { type: 'ephemeral' } },
          ],
        },
      ],
    })
    const kinds: string[] = []
    let open: number | undefined
    for await (const event of stream) {
      kinds.push(event.type)
      if (event.type === 'content_block_start') {
        assert.equal(open, undefined, 'one block at a time')
        open = event.index
      } else if (event.type === 'content_block_delta') assert.equal(event.index, open)
      else if (event.type === 'content_block_stop') open = undefined
    }
    const message = await stream.finalMessage()
    assert.deepEqual([kinds[0], kinds.at(-2), kinds.at(-1)], ['message_start', 'message_delta', 'message_stop'])
    assert.equal(message.stop_reason, 'tool_use')
    const call = message.content.find((block) => block.type === 'tool_use')
    assert.deepEqual(call?.input, { command: '<reminder>today</reminder>aloud, list the files' })
    assert.ok(message.content.some((block) => block.type === 'text'))
    if (model === LATE) assert.ok((message.usage.cache_creation?.ephemeral_1h_input_tokens ?? 0) > 1000)
  }
  const [native] = claude.requests()
  assert.equal(native?.headers['anthropic-version'], '2026-10-21')
  assert.match(String(native?.headers['anthropic-beta']), /interleaved-thinking-2025-05-14.*context-1m-2025-08-07/)
  assert.equal(native?.headers['x-api-key'], KEY)
  assert.equal(native?.headers.authorization, undefined)
  const [translated] = gpt.requests()
  assert.equal(translated?.headers['anthropic-version'], undefined)
})

test('anthropic sdk: tokens are counted by Anthropic, and estimated for others', async (t) => {
  const { url } = await lab(t)
  const sdk = anthropicSdk(url)
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Hello, world '.repeat(40) }]
  const counted = await sdk.messages.countTokens({ model: CLAUDE, messages }).withResponse()
  assert.ok(counted.data.input_tokens > 100)
  assert.equal(counted.response.headers.get('x-tradewind-estimated'), null)
  const guessed = await sdk.messages.countTokens({ model: GPT, messages, tools: [weather] }).withResponse()
  assert.ok(guessed.data.input_tokens > 100)
  assert.equal(guessed.response.headers.get('x-tradewind-estimated'), 'true')
})

for (const model of [CLAUDE, GPT])
  test(`anthropic sdk: errors of ${model} are those of the SDK, whole and in a stream`, async (t) => {
    const { url, claude, gpt } = await lab(t)
    const sdk = anthropicSdk(url)
    const mock = model === GPT ? gpt : claude
    const request = { model, max_tokens: 50, messages: [{ role: 'user' as const, content: 'Hello' }] }
    const nothing = { ...request, messages: [] }
    await assert.rejects(sdk.messages.create(nothing), (error) => {
      assert.ok(error instanceof BadRequestError)
      assert.equal(error.type, 'invalid_request_error')
      return true
    })
    await mock.setFaults(['rate-limit=seconds,wait=7s'])
    await assert.rejects(sdk.messages.create(request), (error) => {
      assert.ok(error instanceof RateLimitError, String(error))
      assert.equal(error.status, 429)
      assert.equal(error.type, 'rate_limit_error')
      assert.ok(error.requestID)
      return true
    })
  })

test('anthropic sdk: an answer that breaks off raises in the stream', async (t) => {
  const { url, gpt } = await lab(t)
  const sdk = anthropicSdk(url)
  await gpt.setFaults(['error-middle,after=4'])
  const stream = sdk.messages.stream({ model: GPT, max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] })
  await assert.rejects(stream.finalMessage(), APIError)
})

test('openai sdk: text, tools, images and thought from Claude, whole and streamed', async (t) => {
  const { url } = await lab(t)
  const sdk = openaiSdk(url)
  const ask = { role: 'user' as const, content: 'aloud get_weather and get_time, please' }
  const tools = [weather, time].map(({ name, input_schema }) => ({
    type: 'function' as const,
    function: { name, parameters: { ...input_schema } },
  }))
  const request = {
    model: CLAUDE,
    messages: [{ role: 'system' as const, content: 'Be brief.' }, ask],
    tools,
    reasoning_effort: 'low' as const,
    max_completion_tokens: 9000,
  }
  const whole = await sdk.chat.completions.create(request)
  const [choice] = whole.choices
  assert.equal(choice?.finish_reason, 'tool_calls')
  assert.match(choice?.message.content ?? '', /^mock heard/)
  const calls = choice?.message.tool_calls?.filter((call) => call.type === 'function') ?? []
  assert.deepEqual(
    calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
    [
      ['get_weather', { place: ask.content }],
      ['get_time', {}],
    ],
  )
  assert.ok((whole.usage?.completion_tokens_details?.reasoning_tokens ?? 0) > 0)
  const stream = sdk.chat.completions.stream({ ...request, stream_options: { include_usage: true } })
  const final = await stream.finalChatCompletion()
  assert.equal(final.choices[0]?.finish_reason, 'tool_calls')
  assert.deepEqual(
    final.choices[0]?.message.tool_calls?.map((call) => call.type === 'function' && call.function.arguments),
    calls.map((call) => call.function.arguments),
  )
  assert.deepEqual(final.usage?.completion_tokens, whole.usage?.completion_tokens)
  assert.deepEqual(final.usage?.prompt_tokens, whole.usage?.prompt_tokens)

  // The message goes back as it came: with what Claude thought, signed.
  assert.ok(choice)
  const answer = await sdk.chat.completions.create({
    ...request,
    messages: [
      ...request.messages,
      choice.message,
      ...calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'Clear' })),
    ],
  })
  assert.equal(answer.choices[0]?.finish_reason, 'stop')

  const seen = await sdk.chat.completions.create({
    model: CLAUDE,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is it?' },
          { type: 'image_url', image_url: { url: `data:image/png;charset=utf-8;base64,${PNG}` } },
        ],
      },
    ],
  })
  assert.match(seen.choices[0]?.message.content ?? '', /saw image\/png/)
})

for (const model of [CLAUDE, 'claude-3-5-haiku-20241022'])
  test(`openai sdk: JSON of a schema from ${model}, whole and streamed`, async (t) => {
    const { url } = await lab(t)
    const sdk = openaiSdk(url)
    const schema = {
      type: 'object',
      additionalProperties: false,
      properties: { name: { type: 'string' } },
      required: ['name'],
    }
    const request = {
      model,
      messages: [{ role: 'user' as const, content: 'A name' }],
      response_format: { type: 'json_schema' as const, json_schema: { name: 'it', strict: true, schema } },
    }
    const whole = await sdk.chat.completions.create(request)
    assert.deepEqual(JSON.parse(whole.choices[0]?.message.content ?? ''), { name: 'A name' })
    assert.equal(whole.choices[0]?.finish_reason, 'stop')
    const final = await sdk.chat.completions.stream(request).finalChatCompletion()
    assert.equal(final.choices[0]?.message.content, whole.choices[0]?.message.content)
    assert.equal(final.choices[0]?.finish_reason, 'stop')
  })

test('openai sdk: what Claude has no word for is told in a header, and refused where the rule says so', async (t) => {
  const { url } = await lab(t)
  const { response } = await openaiSdk(url)
    .chat.completions.create({ model: LATE, messages: [{ role: 'user', content: 'Hi' }], temperature: 0.2, seed: 1 })
    .withResponse()
  assert.deepEqual(response.headers.get('x-tradewind-dropped')?.split(/,\s*/).sort(), ['seed', 'temperature'])
  await assert.rejects(
    openaiSdk(url).chat.completions.create({ model: 'strict', messages: [{ role: 'user', content: 'Hi' }], seed: 1 }),
    /seed/,
  )
})

test('anthropic sdk: a stream that breaks off is accounted for: its prompt as Claude told it, its answer by what came', async (t) => {
  const { url, claude, telemetry } = await lab(t)
  // Slow enough that what is sent before the cut arrives.
  claude.setPace({ tokensPerSecond: 200 })
  await claude.setFaults(['cut=1500'])
  const request = {
    model: CLAUDE,
    max_tokens: 100,
    messages: [{ role: 'user' as const, content: 'Hello '.repeat(50) }],
  }
  await assert.rejects(anthropicSdk(url).messages.stream(request).finalMessage())
  await eventually(() => assert.equal(telemetry.attempts.length, 1))
  const { usage } = telemetry.attempts[0] ?? {}
  await claude.setFaults([])
  const whole = await anthropicSdk(url).messages.create(request)
  assert.equal(usage?.input, whole.usage.input_tokens)
  assert.ok(usage?.estimated && usage.output > 1 && usage.output < whole.usage.output_tokens, JSON.stringify(usage))
})

test('anthropic sdk: the models that the routes offer', async (t) => {
  const { url } = await lab(t)
  const sdk = anthropicSdk(url)
  const models = await Array.fromAsync(sdk.models.list())
  assert.ok(models.some(({ id, type, display_name: name }) => id === GPT && type === 'model' && name === GPT))
  const one = await sdk.models.retrieve(CLAUDE)
  assert.deepEqual([one.id, Number.isNaN(Date.parse(one.created_at))], [CLAUDE, false])
})

for (const model of [CLAUDE, 'claude-opus-5-5'])
  test(`openai sdk: late words of the system reach ${model}`, async (t) => {
    const { url, claude } = await lab(t)
    const answer = await openaiSdk(url).chat.completions.create({
      model,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Hello.' },
        { role: 'developer', content: 'Be polite.' },
        { role: 'user', content: 'Again' },
      ],
    })
    assert.equal(answer.choices[0]?.finish_reason, 'stop')
    assert.match(claude.requests().at(-1)?.body ?? '', /Be polite\./)
  })
