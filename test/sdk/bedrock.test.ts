import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import type { ConverseCommandInput, Message, Tool } from '@aws-sdk/client-bedrock-runtime'
import OpenAI from 'openai'
import { scratch } from '../helpers/scratch.ts'
import { bedrockSdk, callsOf, CLAUDE, directSdk, gather, GPT, lab, NOVA, textOf } from './bedrock-lab.ts'

/** AWS's own SDK against Bedrock and against OpenAI, and OpenAI's against Bedrock, all of it through the request path. */

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const openaiSdk = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'the-callers-own', maxRetries: 0 })

const tools: Tool[] = [
  {
    toolSpec: {
      name: 'get_weather',
      description: 'The weather of a place.',
      inputSchema: { json: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] } },
    },
  },
  { toolSpec: { name: 'get_time', inputSchema: { json: { type: 'object', properties: {} } } } },
]
const user = (text: string): Message => ({ role: 'user', content: [{ text }] })

test('aws sdk: the simulated Bedrock takes the SDK’s own signatures', async (t) => {
  const { bedrock } = await lab(t)
  for (const modelId of [CLAUDE, NOVA]) {
    const answer = await directSdk(bedrock.url).send(new ConverseCommand({ modelId, messages: [user('Hello')] }))
    assert.match(textOf(answer.output?.message?.content), /^mock heard: Hello/)
  }
  await assert.rejects(bedrockSdk(bedrock.url).send(new ConverseCommand({ modelId: CLAUDE, messages: [user('x')] })), {
    name: 'UnrecognizedClientException',
  })
})

for (const modelId of [CLAUDE, NOVA, GPT]) {
  const short = modelId.split('/').at(-1)
  const request: ConverseCommandInput = {
    modelId,
    system: [{ text: 'Be brief.' }],
    messages: [user('Say hello to the harbour')],
    inferenceConfig: { maxTokens: 200, temperature: 0.5 },
  }

  test(`aws sdk: text from ${short}, whole and streamed`, async (t) => {
    const { url, bedrock, openai } = await lab(t)
    const sdk = bedrockSdk(url)
    const whole = await sdk.send(new ConverseCommand(request))
    const text = textOf(whole.output?.message?.content)
    assert.match(text, /^mock heard: Say hello to the harbour/)
    assert.equal(whole.output?.message?.role, 'assistant')
    assert.equal(whole.stopReason, 'end_turn')
    assert.equal(whole.usage?.outputTokens, 16)
    assert.ok((whole.usage?.inputTokens ?? 0) > 0)
    assert.equal(typeof whole.metrics?.latencyMs, 'number')
    const streamed = await gather(await sdk.send(new ConverseStreamCommand(request)))
    assert.equal(streamed.text, text)
    assert.equal(streamed.stopReason, 'end_turn')
    assert.equal(streamed.usage?.inputTokens, whole.usage?.inputTokens)
    assert.equal(streamed.usage?.outputTokens, whole.usage?.outputTokens)
    assert.equal(typeof streamed.latency, 'number')
    assert.deepEqual(streamed.kinds, [
      'messageStart',
      'contentBlockDelta',
      'contentBlockStop',
      'messageStop',
      'metadata',
    ])
    const asked = modelId === GPT ? openai : bedrock
    assert.equal(asked.requests().length, 2)
  })

  test(`aws sdk: calls of tools by ${short} and their results, whole and streamed`, async (t) => {
    const { url } = await lab(t)
    const sdk = bedrockSdk(url)
    const ask = 'aloud get_weather and get_time, please'
    const calling = { modelId, messages: [user(ask)], toolConfig: { tools } }
    const whole = await sdk.send(new ConverseCommand(calling))
    const content = whole.output?.message?.content ?? []
    assert.equal(whole.stopReason, 'tool_use')
    assert.match(textOf(content), /^mock heard/)
    assert.deepEqual(
      callsOf(content).map(({ name, input }) => [name, input]),
      [
        ['get_weather', { place: ask }],
        ['get_time', {}],
      ],
    )
    const streamed = await gather(await sdk.send(new ConverseStreamCommand(calling)))
    assert.equal(streamed.stopReason, 'tool_use')
    assert.equal(streamed.text, textOf(content))
    assert.deepEqual(
      streamed.calls,
      callsOf(content).map(({ toolUseId, name, input }) => ({ toolUseId, name, input })),
    )

    const results = callsOf(content).map(({ toolUseId }, i) => ({
      toolResult: { toolUseId, content: [i === 0 ? { json: { sky: 'clear' } } : { text: 'noon' }] },
    }))
    const answered = await sdk.send(
      new ConverseCommand({
        ...calling,
        messages: [user(ask), { role: 'assistant', content }, { role: 'user', content: results }],
      }),
    )
    assert.equal(answered.stopReason, 'end_turn')
    assert.match(textOf(answered.output?.message?.content), /^mock heard: aloud/)
  })

  test(`aws sdk: a tool that has to be called by ${short}`, async (t) => {
    const { url } = await lab(t)
    const sdk = bedrockSdk(url)
    const calling = { modelId, messages: [user('Hello')] }
    const named = await sdk.send(
      new ConverseCommand({ ...calling, toolConfig: { tools, toolChoice: { tool: { name: 'get_time' } } } }),
    )
    assert.deepEqual(
      callsOf(named.output?.message?.content).map(({ name }) => name),
      ['get_time'],
    )
    const any = await sdk.send(new ConverseCommand({ ...calling, toolConfig: { tools, toolChoice: { any: {} } } }))
    assert.equal(callsOf(any.output?.message?.content).length, 1)
  })

  test(`aws sdk: images and documents seen by ${short}; ends by length and by a sequence`, async (t) => {
    const { url } = await lab(t)
    const sdk = bedrockSdk(url)
    const seen = await sdk.send(
      new ConverseCommand({
        modelId,
        messages: [
          {
            role: 'user',
            content: [
              { text: 'What is it?' },
              { image: { format: 'png', source: { bytes: Buffer.from(PNG, 'base64') } } },
              { document: { format: 'pdf', name: 'Report', source: { bytes: Buffer.from('%PDF-') } } },
            ],
          },
        ],
      }),
    )
    assert.match(textOf(seen.output?.message?.content), /saw image\/png saw application\/pdf/)
    const limited = await sdk.send(new ConverseCommand({ ...request, inferenceConfig: { maxTokens: 3 } }))
    assert.deepEqual([limited.stopReason, limited.usage?.outputTokens], ['max_tokens', 3])
    const stopped = await sdk.send(new ConverseCommand({ ...request, inferenceConfig: { stopSequences: ['harbour'] } }))
    assert.ok(!textOf(stopped.output?.message?.content).includes('harbour'))
  })
}

test('aws sdk: thought goes back with its signature in a loop of tools', async (t) => {
  const { url, bedrock } = await lab(t)
  const sdk = bedrockSdk(url)
  const additionalModelRequestFields = { thinking: { type: 'enabled', budget_tokens: 1024 } }
  const calling = { modelId: CLAUDE, toolConfig: { tools }, additionalModelRequestFields }
  const first = await gather(await sdk.send(new ConverseStreamCommand({ ...calling, messages: [user('get_weather')] })))
  assert.ok(first.thought && first.signature)
  assert.equal(first.stopReason, 'tool_use')
  const whole = await sdk.send(new ConverseCommand({ ...calling, messages: [user('get_weather')] }))
  const content = whole.output?.message?.content ?? []
  const [call] = callsOf(content)
  const results = [{ toolResult: { toolUseId: call?.toolUseId, content: [{ text: 'clear' }] } }]
  const second = await sdk.send(
    new ConverseCommand({
      ...calling,
      messages: [user('get_weather'), { role: 'assistant', content }, { role: 'user', content: results }],
    }),
  )
  assert.equal(second.stopReason, 'end_turn')
  assert.equal(bedrock.requests().length, 3)
})

test('aws sdk: errors are raised as the classes that Bedrock’s own are', async (t) => {
  const { url, bedrock, openai } = await lab(t)
  const sdk = bedrockSdk(url)
  const ask = (modelId: string) => sdk.send(new ConverseCommand({ modelId, messages: [user('x')] }))
  await assert.rejects(ask('not-served'), { name: 'ResourceNotFoundException' })
  await bedrock.setFaults(['rate-limit'])
  await assert.rejects(ask(CLAUDE), { name: 'ThrottlingException' })
  await bedrock.setFaults([])
  await openai.setFaults(['context-length'])
  await assert.rejects(ask(GPT), (error: Error) => error.name === 'ValidationException')
  await openai.setFaults(['status=503'])
  await assert.rejects(ask(GPT), { name: 'InternalServerException', message: /It answered 503/ })
  // What no format but Bedrock's can say is the caller's to know.
  await openai.setFaults([])
  const temperature = sdk.send(
    new ConverseCommand({ modelId: GPT, messages: [user('x')], inferenceConfig: { temperature: 3 } }),
  )
  await assert.rejects(temperature, { name: 'ValidationException', message: /inferenceConfig\.temperature/ })
})

for (const [model, fault] of [
  [CLAUDE, 'error-middle,after=3'],
  [GPT, 'error-middle,after=3'],
  [CLAUDE, 'truncate,after=3'],
  [GPT, 'truncate,after=3'],
] as const)
  test(`aws sdk: a stream of ${model} that breaks off (${fault}) raises an error and ends no message`, async (t) => {
    const { url, bedrock, openai } = await lab(t)
    const asked = model === GPT ? openai : bedrock
    await asked.setFaults([fault])
    // What comes all at once is seen to be broken before anything goes on.
    asked.setPace({ tokensPerSecond: 50 })
    const answer = await bedrockSdk(url).send(new ConverseStreamCommand({ modelId: model, messages: [user('Hello')] }))
    const kinds: string[] = []
    await assert.rejects(
      async () => {
        for await (const event of answer.stream ?? []) kinds.push(...Object.keys(event))
      },
      (error: Error) => error.name.endsWith('Exception'),
    )
    assert.ok(kinds.includes('contentBlockDelta'))
    assert.ok(!kinds.includes('messageStop'))
  })

test('openai sdk: text, tools and images through Bedrock, whole and streamed', async (t) => {
  const { url } = await lab(t)
  const sdk = openaiSdk(url)
  for (const model of [CLAUDE, NOVA]) {
    const messages: OpenAI.ChatCompletionMessageParam[] = [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is it?' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
        ],
      },
    ]
    const whole = await sdk.chat.completions.create({ model, messages })
    assert.match(whole.choices[0]?.message.content ?? '', /^mock heard: What is it\? saw image\/png/)
    assert.equal(whole.choices[0]?.finish_reason, 'stop')
    const stream = await sdk.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let usage: OpenAI.CompletionUsage | null | undefined
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      usage ??= chunk.usage
    }
    assert.equal(text, whole.choices[0]?.message.content)
    assert.deepEqual(
      [usage?.prompt_tokens, usage?.completion_tokens],
      [whole.usage?.prompt_tokens, whole.usage?.completion_tokens],
    )
  }
})

test('openai sdk: a loop of tools through Bedrock, and a function that must be called', async (t) => {
  const { url } = await lab(t)
  const sdk = openaiSdk(url)
  const ask: OpenAI.ChatCompletionMessageParam = { role: 'user', content: 'aloud get_weather and get_time' }
  const functions = tools.map(({ toolSpec }) => ({
    type: 'function' as const,
    function: { name: toolSpec?.name ?? '', parameters: { type: 'object', properties: {} } },
  }))
  for (const model of [CLAUDE, NOVA]) {
    const first: OpenAI.ChatCompletion = await sdk.chat.completions.create({ model, messages: [ask], tools: functions })
    const message: OpenAI.ChatCompletionMessage | undefined = first.choices[0]?.message
    assert.ok(message)
    assert.equal(first.choices[0]?.finish_reason, 'tool_calls')
    assert.equal(message.tool_calls?.length, 2)
    const results = message.tool_calls.map(({ id }): OpenAI.ChatCompletionMessageParam => ({
      role: 'tool',
      tool_call_id: id,
      content: '',
    }))
    const second: OpenAI.ChatCompletion = await sdk.chat.completions.create({
      model,
      messages: [ask, message, ...results],
      tools: functions,
    })
    assert.equal(second.choices[0]?.finish_reason, 'stop')
    // What is left of the tools is not said: Bedrock wants them named all the same.
    const third: OpenAI.ChatCompletion = await sdk.chat.completions.create({
      model,
      messages: [ask, message, ...results, ask],
    })
    assert.ok(third.choices[0])
    const forced: OpenAI.ChatCompletion = await sdk.chat.completions.create({
      model,
      messages: [ask],
      tools: functions,
      tool_choice: { type: 'function', function: { name: 'get_time' } },
    })
    assert.deepEqual(
      forced.choices[0]?.message.tool_calls?.map((it) => it.type === 'function' && it.function.name),
      ['get_time'],
    )
  }
})

test('openai sdk: JSON of a schema through Bedrock, by its own field and by a tool', async (t) => {
  const { url, bedrock } = await lab(t)
  const sdk = openaiSdk(url)
  const schema = {
    type: 'object',
    properties: { name: { type: 'string' } },
    required: ['name'],
    additionalProperties: false,
  }
  for (const [model, field] of [
    [CLAUDE, 'outputConfig'],
    [NOVA, 'toolConfig'],
  ] as const) {
    const messages = [{ role: 'user' as const, content: 'A name' }]
    const format = { type: 'json_schema' as const, json_schema: { name: 'person', schema } }
    const whole = await sdk.chat.completions.create({ model, messages, response_format: format })
    assert.deepEqual(JSON.parse(whole.choices[0]?.message.content ?? ''), { name: 'A name' })
    assert.equal(whole.choices[0]?.finish_reason, 'stop')
    const stream = await sdk.chat.completions.create({ model, messages, response_format: format, stream: true })
    let text = ''
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    assert.deepEqual(JSON.parse(text), { name: 'A name' })
    assert.ok(String(bedrock.requests().at(-1)?.body).includes(field))
  }
})

test('openai sdk: embeddings through Bedrock', async (t) => {
  const { url } = await lab(t)
  const sdk = openaiSdk(url)
  const one = await sdk.embeddings.create({ model: 'amazon.titan-embed-text-v2:0', input: 'harbour', dimensions: 256 })
  assert.equal(one.data[0]?.embedding.length, 256)
  assert.ok(one.usage.prompt_tokens > 0)
  const two = await sdk.embeddings.create({ model: 'cohere.embed-english-v3', input: ['harbour', 'tide'] })
  assert.deepEqual(
    two.data.map(({ embedding }) => embedding.length),
    [8, 8],
  )
  await assert.rejects(sdk.embeddings.create({ model: 'amazon.titan-embed-text-v2:0', input: ['a', 'b'] }), /one text/)
})

test('rankings through Bedrock', async (t) => {
  const { url } = await lab(t)
  const response = await fetch(`${url}/v1/rerank`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'cohere.rerank-v3-5:0', query: 'tide', documents: ['a ship', 'the tide'], top_n: 1 }),
  })
  assert.equal(response.status, 200)
  const { results } = (await response.json()) as { results: { index: number }[] } // what a ranking is
  assert.deepEqual(
    results.map(({ index }) => index),
    [1],
  )
})

test('what Bedrock has no word for is reported, or refused where the rule says so', async (t) => {
  const { url } = await lab(t)
  const ask = (model: string) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], seed: 1, logit_bias: { 5: 1 } }),
    })
  const told = await ask(CLAUDE)
  assert.equal(told.status, 200)
  assert.equal(told.headers.get('x-tradewind-dropped'), 'logitBias, seed')
  const refused = await ask('strict')
  assert.equal(refused.status, 400)
  assert.match(await refused.text(), /logitBias, seed/)
})

test('a caller’s own signature never leaves the sidecar, and keys that are wrong are not shown', async (t) => {
  const { url, bedrock } = await lab(t)
  await bedrockSdk(url).send(new ConverseCommand({ modelId: CLAUDE, messages: [user('Hello')] }))
  const headers = JSON.stringify(bedrock.requests().at(-1)?.headers)
  assert.match(headers, /Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/bedrock\/aws4_request/)
  assert.ok(!headers.includes('the-callers-own'))
  const wrong = await lab(t, { credentials: { type: 'Secret', secret: { secret: 'ai/keys', key: 'wrong' } } })
  await assert.rejects(
    bedrockSdk(wrong.url).send(new ConverseCommand({ modelId: CLAUDE, messages: [user('Hello')] })),
    (error: Error) => error.name === 'InvalidSignatureException' && !error.message.includes('not-the-secret'),
  )
})

test('web identity: the role’s keys are had from STS once, and a pod without a role is told so', async (t) => {
  const file = join(scratch('web-identity'), 'token')
  writeFileSync(file, 'eyJh.eyJz.c2ln\n')
  const environment = { AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/tradewind', AWS_WEB_IDENTITY_TOKEN_FILE: file }
  const credentials = { type: 'WebIdentity' as const }
  const { url, bedrock } = await lab(t, { credentials }, environment)
  const sdk = bedrockSdk(url)
  const all = await Promise.all(
    [1, 2, 3].map((n) => sdk.send(new ConverseCommand({ modelId: CLAUDE, messages: [user(`Hello ${n}`)] }))),
  )
  assert.equal(all.length, 3)
  const paths = bedrock.requests().map(({ path }) => path)
  assert.equal(paths.filter((path) => path === '/').length, 1)
  assert.match(String(bedrock.requests().at(-1)?.headers['authorization']), /Credential=ASIA/)

  const none = await lab(t, { credentials })
  await assert.rejects(
    bedrockSdk(none.url).send(new ConverseCommand({ modelId: CLAUDE, messages: [user('Hello')] })),
    /AWS_ROLE_ARN/,
  )
})
