import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import test from 'node:test'
import { APIError } from 'openai'
import type OpenAI from 'openai'
import { FLASH, GPT, lab, OLD, openaiSdk, PRO, VERTEX, VERTEX_CLAUDE, VERTEX_PRO } from './gemini-lab.ts'

/** OpenAI's own SDK against Gemini and Vertex AI, through the request path. */

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** What the simulated model signs the first of its calls with. */
const SIGNATURE = Buffer.from('mock-thought:get_weather').toString('base64')

const weather: OpenAI.ChatCompletionTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a place.',
    parameters: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { place: { type: 'string' } },
      required: ['place'],
      additionalProperties: false,
    },
  },
}
const time: OpenAI.ChatCompletionTool = {
  type: 'function',
  function: { name: 'get_time', parameters: { type: 'object', properties: {} } },
}

/** The answer that a stream adds up to, by the SDK's own reckoning. */
async function streamed(sdk: OpenAI, request: OpenAI.ChatCompletionCreateParamsNonStreaming) {
  const stream = sdk.chat.completions.stream({ ...request, stream: true, stream_options: { include_usage: true } })
  return stream.finalChatCompletion()
}

for (const model of [OLD, FLASH, PRO, VERTEX, VERTEX_PRO, VERTEX_CLAUDE]) {
  test(`openai sdk: text from ${model}, whole and streamed`, async (t) => {
    const { url } = await lab(t)
    const sdk = openaiSdk(url)
    const messages: OpenAI.ChatCompletionMessageParam[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Say hello to the harbour' },
    ]
    const whole = await sdk.chat.completions.create({ model, messages })
    const [choice] = whole.choices
    assert.match(choice?.message.content ?? '', /^mock heard: Say hello to the harbour/)
    assert.equal(choice?.finish_reason, 'stop')
    assert.ok(whole.usage && whole.usage.prompt_tokens > 0 && whole.usage.completion_tokens >= 16)
    assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens)
    const stream = await streamed(sdk, { model, messages })
    assert.equal(stream.choices[0]?.message.content, choice?.message.content)
    assert.equal(stream.choices[0]?.finish_reason, 'stop')
    assert.deepEqual(
      [stream.usage?.prompt_tokens, stream.usage?.completion_tokens],
      [whole.usage.prompt_tokens, whole.usage.completion_tokens],
    )
  })

  test(`openai sdk: parallel calls by ${model} and their results, whole and streamed`, async (t) => {
    const { url, gemini, vertex } = await lab(t)
    const sdk = openaiSdk(url)
    const ask: OpenAI.ChatCompletionMessageParam = { role: 'user', content: 'aloud get_weather and get_time, please' }
    const request = { model, messages: [ask], tools: [weather, time] }
    const whole = await sdk.chat.completions.create(request)
    const stream = await streamed(sdk, request)
    for (const { choices } of [whole, stream]) {
      const [choice] = choices
      assert.equal(choice?.finish_reason, 'tool_calls')
      assert.match(choice.message.content ?? '', /^mock heard/)
      const calls = choice.message.tool_calls?.filter((call) => call.type === 'function') ?? []
      assert.deepEqual(
        calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
        [
          ['get_weather', { place: ask.content }],
          ['get_time', {}],
        ],
      )
      assert.equal(new Set(calls.map(({ id }) => id)).size, 2, 'ids of their own')
      // The same client sends back what it got, in any order: a signed model checks its signature.
      const results = calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'Clear' }))
      const messages = [ask, choice.message, ...results.toReversed()]
      const answer = await sdk.chat.completions.create({ ...request, messages })
      assert.match(answer.choices[0]?.message.content ?? '', /^mock heard: aloud get_weather/)
      if (model !== PRO && model !== VERTEX_PRO) continue
      const sent = (model === PRO ? gemini : vertex).requests().at(-1)?.body
      assert.ok(sent?.includes(SIGNATURE), 'the signature that the model gave')
    }
  })

  test(`openai sdk: an image, a choice of tool, and an answer cut short, from ${model}`, async (t) => {
    const { url } = await lab(t)
    const sdk = openaiSdk(url)
    const image = { type: 'image_url' as const, image_url: { url: `data:image/png;charset=utf-8;base64,${PNG}` } }
    const seen = await sdk.chat.completions.create({
      model,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Look' }, image] }],
    })
    assert.match(seen.choices[0]?.message.content ?? '', /saw image\/png/)
    const named = await sdk.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'get_weather' }],
      tools: [weather, time],
      tool_choice: { type: 'function', function: { name: 'get_time' } },
    })
    const [call] = named.choices[0]?.message.tool_calls ?? []
    assert.ok(call?.type === 'function' && call.function.name === 'get_time')
    const cut = await sdk.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Hello' }],
      max_completion_tokens: 10,
    })
    assert.equal(cut.choices[0]?.finish_reason, 'length')
  })
}

for (const model of [OLD, FLASH, PRO, VERTEX])
  test(`openai sdk: answers by a schema, several at once, stopped, from ${model}`, async (t) => {
    const { url } = await lab(t)
    const sdk = openaiSdk(url)
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    }
    const shaped = await sdk.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Paris' }],
      response_format: { type: 'json_schema', json_schema: { name: 'place', strict: true, schema } },
    })
    assert.deepEqual(JSON.parse(shaped.choices[0]?.message.content ?? ''), { city: 'Paris' })
    const several = await sdk.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'one two three' }],
      n: 2,
      stop: 'two',
      seed: 7,
      temperature: 1.5,
      top_p: 0.9,
    })
    assert.deepEqual(
      several.choices.map(({ index, message, finish_reason }) => [index, message.content?.trim(), finish_reason]),
      [
        [0, 'mock heard: one', 'stop'],
        [1, 'mock heard: one', 'stop'],
      ],
    )
  })

for (const [from, to] of [
  [PRO, GPT],
  [GPT, PRO],
  [VERTEX_CLAUDE, PRO],
  [PRO, VERTEX_CLAUDE],
] as const)
  test(`openai sdk: a loop of tools that ${from} began goes on with ${to}`, async (t) => {
    const { url } = await lab(t)
    const sdk = openaiSdk(url)
    const ask: OpenAI.ChatCompletionMessageParam = { role: 'user', content: 'get_weather, please' }
    const began = await sdk.chat.completions.create({ model: from, messages: [ask], tools: [weather] })
    const message = began.choices[0]?.message
    const [call] = message?.tool_calls ?? []
    assert.ok(message && call)
    const result = { role: 'tool' as const, tool_call_id: call.id, content: 'Clear' }
    const answer = await sdk.chat.completions.create({ model: to, messages: [ask, message, result], tools: [weather] })
    assert.match(answer.choices[0]?.message.content ?? '', /^mock heard: get_weather, please/)
  })

test('openai sdk: log-probabilities of Gemini', async (t) => {
  const { url } = await lab(t)
  const { choices } = await openaiSdk(url).chat.completions.create({
    model: FLASH,
    messages: [{ role: 'user', content: 'Hello' }],
    logprobs: true,
    top_logprobs: 2,
  })
  const content = choices[0]?.logprobs?.content ?? []
  assert.equal(content.map(({ token }) => token).join(''), choices[0]?.message.content)
  assert.ok(content.every(({ logprob, top_logprobs }) => logprob < 0 && top_logprobs.length === 2))
})

for (const [model, effort] of [
  [FLASH, 'high'],
  [FLASH, 'none'],
  [PRO, 'low'],
  [PRO, 'minimal'],
] as const)
  test(`openai sdk: reasoning effort ${effort} for ${model}`, async (t) => {
    const { url } = await lab(t)
    const { usage } = await openaiSdk(url).chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Hello' }],
      reasoning_effort: effort,
    })
    const thought = usage?.completion_tokens_details?.reasoning_tokens ?? 0
    assert.equal(thought > 0, effort !== 'none')
  })

for (const model of ['gemini-embedding-001', 'vertex-embed'])
  test(`openai sdk: vectors of ${model}`, async (t) => {
    const { url } = await lab(t)
    const { data, usage } = await openaiSdk(url).embeddings.create({ model, input: ['one', 'two'], dimensions: 4 })
    assert.deepEqual(
      data.map(({ embedding }) => embedding.length),
      [4, 4],
    )
    assert.ok(usage.prompt_tokens > 0)
  })

test('openai sdk: what Gemini has no place for is reported', async (t) => {
  const { url } = await lab(t)
  const { response } = await openaiSdk(url)
    .chat.completions.create({
      model: FLASH,
      messages: [{ role: 'user', content: 'Hi' }],
      logit_bias: { '1': 1 },
      user: 'u',
    })
    .withResponse()
  assert.equal(response.headers.get('x-tradewind-dropped'), 'logitBias, user')
})

test('vertex: one token serves many calls, and is never shown to a caller', async (t) => {
  const { url, vertex } = await lab(t)
  const sdk = openaiSdk(url)
  const ask = () => sdk.chat.completions.create({ model: VERTEX, messages: [{ role: 'user', content: 'Hi' }] })
  await Promise.all([ask(), ask(), ask()])
  await ask()
  const paths = vertex.requests().map(({ path }) => path)
  assert.equal(paths.filter((path) => path === '/token').length, 1)
  assert.equal(paths.length, 5)
  const call = vertex.requests().find(({ path }) => path !== '/token')
  assert.match(call?.headers['authorization'] ?? '', /^Bearer ya29\./)
  assert.equal(
    call?.path,
    `/v1/projects/my-project/locations/europe-west4/publishers/google/models/${FLASH}:generateContent`,
  )
})

test('vertex: a key that is not the account’s gives an error that says so, and nothing of the key', async (t) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { url, vertex } = await lab(t, privateKey)
  const ask = openaiSdk(url).chat.completions.create({ model: VERTEX, messages: [{ role: 'user', content: 'Hi' }] })
  await assert.rejects(ask, (error: unknown) => {
    assert.ok(error instanceof APIError)
    assert.equal(error.code, 'credentials_unavailable')
    assert.match(error.message, /Invalid JWT Signature/)
    assert.doesNotMatch(error.message, /PRIVATE|iam\.gserviceaccount/)
    return true
  })
  assert.ok(vertex.requests().every(({ path }) => path === '/token'))
})

test('vertex: without a token the next target is asked', async (t) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { url, gemini } = await lab(t, privateKey)
  const { choices } = await openaiSdk(url).chat.completions.create({
    model: 'either',
    messages: [{ role: 'user', content: 'Hi' }],
  })
  assert.match(choices[0]?.message.content ?? '', /^mock heard: Hi/)
  assert.equal(gemini.requests().length, 1)
})
