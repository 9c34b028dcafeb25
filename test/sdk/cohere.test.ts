import assert from 'node:assert/strict'
import test from 'node:test'
import { CohereClient, CohereClientV2, CohereError } from 'cohere-ai'
import type { Cohere } from 'cohere-ai'
import OpenAI from 'openai'
import type { Mock } from '../../cli/mock/server.ts'
import { lab } from './cohere-lab.ts'

/** Cohere's own SDK against Cohere and against OpenAI, and OpenAI's against Cohere, all of it through the request path. */

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const cohereSdk = (url: string) => new CohereClientV2({ environment: url, token: 'the-callers-own', maxRetries: 0 })
const openaiSdk = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'the-callers-own', maxRetries: 0 })

const weather: Cohere.ToolV2 = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a place.',
    parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
  },
}
const time: Cohere.ToolV2 = {
  type: 'function',
  function: { name: 'get_time', parameters: { type: 'object', properties: {} } },
}

/** What a stream of Cohere's says, put together as its documentation has it. */
async function gather(stream: AsyncIterable<Cohere.V2ChatStreamResponse>) {
  const calls: { id: string; name: string; text: string; ended: boolean }[] = []
  const all = { text: '', thought: '', plan: '', calls, citations: 0, kinds: [] as string[] }
  let end: Cohere.ChatMessageEndEventDelta | undefined
  for await (const event of stream) {
    if (all.kinds.at(-1) !== event.type) all.kinds.push(event.type)
    switch (event.type) {
      case 'content-delta':
        all.text += event.delta?.message?.content?.text ?? ''
        all.thought += event.delta?.message?.content?.thinking ?? ''
        break
      case 'tool-plan-delta':
        all.plan += event.delta?.message?.toolPlan ?? ''
        break
      case 'tool-call-start': {
        const call = event.delta?.message?.toolCalls
        calls.push({ id: call?.id ?? '', name: call?.function?.name ?? '', text: '', ended: false })
        break
      }
      case 'tool-call-delta': {
        const call = calls[event.index ?? -1]
        assert.ok(call && !call.ended, 'a call gets its arguments between its start and its end')
        call.text += event.delta?.message?.toolCalls?.function?.arguments ?? ''
        break
      }
      case 'tool-call-end': {
        const call = calls[event.index ?? -1]
        assert.ok(call)
        call.ended = true
        break
      }
      case 'citation-start':
        all.citations++
        break
      case 'message-end':
        end = event.delta
        break
      default:
    }
  }
  return { ...all, end }
}

const textOf = (answer: Cohere.V2ChatResponse): string =>
  (answer.message.content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('')

for (const model of ['command-a', 'gpt-4o']) {
  const messages: Cohere.ChatMessages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Say hello to the harbour' },
  ]

  test(`cohere sdk: text from ${model}, whole and streamed`, async (t) => {
    const { url, cohere, openai } = await lab(t)
    const sdk = cohereSdk(url)
    const whole = await sdk.chat({ model, messages, temperature: 0.5, p: 0.9, seed: 1 })
    assert.match(textOf(whole), /^mock heard: Say hello to the harbour/)
    assert.equal(whole.finishReason, 'COMPLETE')
    assert.ok(whole.id)
    assert.ok((whole.usage?.tokens?.inputTokens ?? 0) > 0)
    assert.equal(whole.usage?.tokens?.outputTokens, 16)
    assert.ok((whole.usage?.billedUnits?.outputTokens ?? 0) > 0)
    const streamed = await gather(await sdk.chatStream({ model, messages, temperature: 0.5, p: 0.9, seed: 1 }))
    assert.equal(streamed.text, textOf(whole))
    assert.equal(streamed.end?.finishReason, 'COMPLETE')
    assert.deepEqual(streamed.end?.usage, whole.usage)
    assert.deepEqual(streamed.kinds, ['message-start', 'content-start', 'content-delta', 'content-end', 'message-end'])
    const asked: Mock = model === 'command-a' ? cohere : openai
    assert.equal(asked.requests().length, 2)
  })

  test(`cohere sdk: calls of tools by ${model} and their results, whole and streamed`, async (t) => {
    const { url } = await lab(t)
    const sdk = cohereSdk(url)
    const ask: Cohere.ChatMessageV2 = { role: 'user', content: 'aloud get_weather and get_time, please' }
    const request = { model, messages: [ask], tools: [weather, time] }
    const whole = await sdk.chat(request)
    assert.equal(whole.finishReason, 'TOOL_CALL')
    assert.deepEqual(
      whole.message.toolCalls?.map((call) => [call.function?.name, JSON.parse(call.function?.arguments ?? '')]),
      [
        ['get_weather', { place: ask.content }],
        ['get_time', {}],
      ],
    )
    assert.match(whole.message.toolPlan ?? '', /^mock heard/)
    const streamed = await gather(await sdk.chatStream(request))
    assert.equal(streamed.end?.finishReason, 'TOOL_CALL')
    assert.deepEqual(
      streamed.calls.map(({ id, name, text, ended }) => [id, name, text, ended]),
      whole.message.toolCalls?.map((call) => [call.id, call.function?.name, call.function?.arguments, true]),
    )
    assert.equal(streamed.plan + streamed.text, whole.message.toolPlan)

    const [first, second] = whole.message.toolCalls ?? []
    assert.ok(first && second)
    const answer = await sdk.chat({
      model,
      messages: [
        ask,
        whole.message,
        { role: 'tool', toolCallId: first.id, content: [{ type: 'document', document: { data: { sky: 'clear' } } }] },
        { role: 'tool', toolCallId: second.id, content: '4:20 PM' },
      ],
      tools: [weather, time],
    })
    assert.equal(answer.finishReason, 'COMPLETE')
    assert.match(textOf(answer), /^mock heard/)
  })

  test(`cohere sdk: a tool that has to be called, or must not be, by ${model}`, async (t) => {
    const { url } = await lab(t)
    const sdk = cohereSdk(url)
    const ask: Cohere.ChatMessages = [{ role: 'user', content: 'Hello' }]
    const must = await sdk.chat({ model, messages: ask, tools: [weather], toolChoice: 'REQUIRED' })
    assert.equal(must.message.toolCalls?.[0]?.function?.name, 'get_weather')
    const not = await sdk.chat({ model, messages: ask, tools: [weather], toolChoice: 'NONE' })
    assert.equal(not.finishReason, 'COMPLETE')
  })

  test(`cohere sdk: an image seen by ${model}; JSON of a schema; an end by length and by a sequence`, async (t) => {
    const { url } = await lab(t)
    const sdk = cohereSdk(url)
    const seen = await sdk.chat({
      model,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', imageUrl: { url: `data:image/png;base64,${PNG}` } },
          ],
        },
      ],
    })
    assert.match(textOf(seen), /saw image\/png/)
    const schema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }
    const json = await sdk.chat({
      model,
      messages: [{ role: 'user', content: 'A name as JSON' }],
      responseFormat: { type: 'json_object', jsonSchema: schema },
    })
    assert.deepEqual(JSON.parse(textOf(json)), { name: 'A name as JSON' })
    const short = await sdk.chat({ model, messages, maxTokens: 3 })
    assert.equal(short.finishReason, 'MAX_TOKENS')
    assert.equal(textOf(short), 'mock heard: Say')
    const stopped = await sdk.chat({ model, messages, stopSequences: ['to the'] })
    assert.equal(textOf(stopped), 'mock heard: Say hello ')
    assert.equal(
      stopped.finishReason,
      model === 'command-a' ? 'STOP_SEQUENCE' : 'COMPLETE',
      'OpenAI does not say which',
    )
  })

  test(`cohere sdk: errors of ${model} and our own are Cohere's`, async (t) => {
    const { url, cohere, openai } = await lab(t)
    const sdk = cohereSdk(url)
    const failing = async (run: Promise<unknown>): Promise<CohereError> => {
      const error: unknown = await run.then(
        () => assert.fail('it fails'),
        (it: unknown) => it,
      )
      assert.ok(error instanceof CohereError)
      return error
    }
    const said = (error: CohereError): unknown => (error.body as { message?: unknown }).message // an object by Cohere's reference
    const unknown = await failing(sdk.chat({ model: 'nobody', messages }))
    assert.equal(unknown.statusCode, 404)
    assert.match(String(said(unknown)), /models served here/)
    await Promise.all([cohere.setFaults(['context-length']), openai.setFaults(['context-length'])])
    const long = await failing(sdk.chat({ model, messages }))
    assert.equal(long.statusCode, 400)
    assert.equal(typeof said(long), 'string')
    await Promise.all([cohere.setFaults(['error-middle=4']), openai.setFaults(['error-middle=4'])])
    for (const mock of [cohere, openai]) mock.setPace({ tokensPerSecond: 50 })
    const cut = await gather(await sdk.chatStream({ model, messages }))
    assert.equal(cut.end?.finishReason, 'ERROR', 'an answer that fails in the middle says so')
    assert.ok(cut.end.error)
  })
}

test('cohere sdk: thoughts of a model that reasons, citations, and the first version’s client for rerank', async (t) => {
  const { url } = await lab(t)
  const sdk = cohereSdk(url)
  const messages: Cohere.ChatMessages = [{ role: 'user', content: 'Think about the tide' }]
  const thought = await gather(await sdk.chatStream({ model: 'command-a-reasoning', messages }))
  assert.match(thought.thought, /^mock heard: thinks/)
  const cited = await sdk.chat({ model: 'command-a', messages, documents: ['The tide is high.'] })
  const [citation] = cited.message.citations ?? []
  assert.equal(citation?.sources?.[0]?.type, 'document')
  const first = new CohereClient({ environment: url, token: 'the-callers-own', maxRetries: 0 })
  const ranked = await first.rerank({
    model: 'rerank-v3.5',
    query: 'high tide',
    documents: ['low', { text: 'the tide is high' }],
    returnDocuments: true,
  })
  assert.deepEqual(ranked.results, [
    { index: 1, relevanceScore: 1, document: { text: 'the tide is high' } },
    { index: 0, relevanceScore: 0, document: { text: 'low' } },
  ])
})

test('cohere sdk: rerank and its units; embeddings by Cohere, and by OpenAI', async (t) => {
  const { url, telemetry } = await lab(t)
  const sdk = cohereSdk(url)
  const ranked = await sdk.rerank({ model: 'rerank-v3.5', query: 'a b', documents: ['b', 'a b', 'c'], topN: 2 })
  assert.deepEqual(
    ranked.results.map(({ index, relevanceScore }) => [index, relevanceScore]),
    [
      [1, 1],
      [0, 0.5],
    ],
  )
  assert.equal(ranked.meta?.billedUnits?.searchUnits, 1)
  assert.equal(telemetry.exchanges.at(-1)?.usage?.units, 1)
  const texts = ['hello', 'goodbye']
  const embed = (model: string) => sdk.embed({ model, texts, inputType: 'search_document', embeddingTypes: ['float'] })
  const [own, other] = [await embed('embed-v4.0'), await embed('text-embedding-3-small')]
  assert.equal(own.embeddings.float?.length, 2)
  assert.deepEqual(other.embeddings.float, own.embeddings.float, 'the simulated providers give the same vectors')
  assert.ok((other.meta?.billedUnits?.inputTokens ?? 0) > 0)
  assert.ok((telemetry.exchanges.at(-1)?.usage?.input ?? 0) > 0)
})

test('openai sdk: text, tools and images of Cohere, whole and streamed', async (t) => {
  const { url } = await lab(t)
  const sdk = openaiSdk(url)
  const model = 'command-a'
  const messages: OpenAI.ChatCompletionMessageParam[] = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'aloud get_weather and get_time' },
  ]
  const tools = [weather, time].map(({ function: it }): OpenAI.ChatCompletionTool => ({
    type: 'function',
    function: { name: it?.name ?? '', parameters: it?.parameters ?? {} },
  }))
  const whole = await sdk.chat.completions.create({ model, messages, tools })
  const [choice] = whole.choices
  assert.equal(choice?.finish_reason, 'tool_calls')
  assert.match(choice.message.content ?? '', /^mock heard/)
  const runner = sdk.chat.completions.stream({ model, messages, tools, stream_options: { include_usage: true } })
  const streamed = await runner.finalChatCompletion()
  const shown = (it: OpenAI.ChatCompletion) =>
    it.choices[0]?.message.tool_calls?.map((call) =>
      call.type === 'function' ? [call.id, call.function.name, call.function.arguments] : [],
    )
  assert.deepEqual(shown(streamed), shown(whole))
  assert.equal(streamed.choices[0]?.message.content, choice.message.content)
  assert.deepEqual(streamed.usage, whole.usage)
  assert.ok((whole.usage?.prompt_tokens ?? 0) > 0)
  const calls = choice.message.tool_calls ?? []
  const answer = await sdk.chat.completions.create({
    model,
    messages: [
      ...messages,
      choice.message,
      ...calls.map(({ id }, i) => ({
        role: 'tool' as const,
        tool_call_id: id,
        content: i === 0 ? '{"sky":"clear"}' : '4:20 PM',
      })),
    ],
    tools,
  })
  assert.equal(answer.choices[0]?.finish_reason, 'stop')
  const image: OpenAI.ChatCompletionContentPart = {
    type: 'image_url',
    image_url: { url: `data:image/png;base64,${PNG}` },
  }
  const seen = await sdk.chat.completions.create({
    model,
    messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, image] }],
  })
  assert.match(seen.choices[0]?.message.content ?? '', /saw image\/png/)
})

test('openai sdk: embeddings by Cohere, as base64 and as floats; what Cohere cannot do is an error that says so', async (t) => {
  const { url } = await lab(t)
  const sdk = openaiSdk(url)
  const input = ['hello', 'goodbye']
  const packed = await sdk.embeddings.create({ model: 'embed-v4.0', input })
  const plain = await sdk.embeddings.create({ model: 'embed-v4.0', input, encoding_format: 'float' })
  const own = await sdk.embeddings.create({ model: 'text-embedding-3-small', input })
  assert.deepEqual(
    packed.data.map(({ embedding }) => embedding),
    own.data.map(({ embedding }) => embedding),
  )
  assert.deepEqual(
    plain.data.map(({ embedding }) => [...Float32Array.from(embedding)]),
    own.data.map(({ embedding }) => embedding),
  )
  assert.equal(packed.usage.prompt_tokens, own.usage.prompt_tokens)
  await assert.rejects(
    sdk.embeddings.create({ model: 'embed-v4.0', input: [1, 2, 3] }),
    (error) => error instanceof OpenAI.BadRequestError && error.code === 'not_translatable',
  )
})
