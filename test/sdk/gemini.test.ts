import assert from 'node:assert/strict'
import test from 'node:test'
import { ApiError, FunctionCallingConfigMode, ThinkingLevel } from '@google/genai'
import type { Content, FunctionDeclaration, GenerateContentResponse, Part } from '@google/genai'
import { FLASH, googleSdk, GPT, lab, PRO, VERTEX, VERTEX_CLAUDE } from './gemini-lab.ts'

/** Google's own SDK against Gemini, against Vertex AI, and against models of others, all of it through the request path. */

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const weather: FunctionDeclaration = {
  name: 'get_weather',
  description: 'The weather of a place.',
  parametersJsonSchema: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
}
const time: FunctionDeclaration = { name: 'get_time', parametersJsonSchema: { type: 'object', properties: {} } }

async function all(stream: AsyncIterable<GenerateContentResponse>) {
  const chunks: GenerateContentResponse[] = []
  for await (const chunk of stream) chunks.push(chunk)
  const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? [])
  const last = chunks.at(-1)
  return {
    chunks,
    parts,
    text: textOf(parts),
    calls: parts.flatMap(({ functionCall }) => functionCall ?? []),
    reason: last?.candidates?.[0]?.finishReason,
    usage: last?.usageMetadata,
  }
}

const textOf = (parts: readonly Part[]): string =>
  parts.flatMap(({ text, thought }) => (thought ? [] : (text ?? ''))).join('')

for (const model of [FLASH, PRO, GPT, 'my-gemini', VERTEX, VERTEX_CLAUDE]) {
  test(`google sdk: text from ${model}, whole and streamed`, async (t) => {
    const { url } = await lab(t)
    const { models } = googleSdk(url)
    const request = { model, contents: 'Say hello to the harbour', config: { systemInstruction: 'Be brief.' } }
    const whole = await models.generateContent(request)
    assert.match(whole.text ?? '', /^mock heard: Say hello to the harbour/)
    const candidate = whole.candidates?.[0]
    assert.deepEqual([candidate?.finishReason, candidate?.content?.role], ['STOP', 'model'])
    assert.ok(whole.responseId)
    const { usageMetadata: usage } = whole
    assert.ok(usage && (usage.promptTokenCount ?? 0) > 0 && (usage.candidatesTokenCount ?? 0) > 0)
    const streamed = await all(await models.generateContentStream(request))
    assert.equal(streamed.text, whole.text)
    assert.ok(streamed.chunks.length > 5, 'token by token')
    assert.equal(streamed.reason, 'STOP')
    const { promptTokenCount, candidatesTokenCount, totalTokenCount } = usage
    assert.deepEqual(
      [streamed.usage?.promptTokenCount, streamed.usage?.candidatesTokenCount, streamed.usage?.totalTokenCount],
      [promptTokenCount, candidatesTokenCount, totalTokenCount],
    )
  })

  test(`google sdk: calls of functions by ${model} and their results, whole and streamed`, async (t) => {
    const { url } = await lab(t)
    const { models } = googleSdk(url)
    const question: Content = { role: 'user', parts: [{ text: 'aloud get_weather and get_time, please' }] }
    const config = { tools: [{ functionDeclarations: [weather, time] }] }
    const whole = await models.generateContent({ model, contents: [question], config })
    const calls = whole.functionCalls ?? []
    assert.deepEqual(
      calls.map(({ name, args }) => [name, args]),
      [
        ['get_weather', { place: question.parts?.[0]?.text }],
        ['get_time', {}],
      ],
    )
    const said = whole.candidates?.[0]?.content
    assert.match(textOf(said?.parts ?? []), /^mock heard/, 'the text beside the calls')
    const streamed = await all(await models.generateContentStream({ model, contents: [question], config }))
    assert.deepEqual(
      streamed.calls.map(({ name, args }) => [name, args]),
      calls.map(({ name, args }) => [name, args]),
    )
    assert.equal(streamed.text, textOf(said?.parts ?? []))
    assert.equal(streamed.reason, 'STOP')
    for (const content of [said, { role: 'model', parts: streamed.parts }]) {
      assert.ok(content)
      const results = calls.map(({ name }, i): Part => {
        // The ids are those of this content's own calls.
        const id = content.parts?.flatMap(({ functionCall }) => functionCall ?? [])[i]?.id
        return { functionResponse: { ...(id ? { id } : {}), name: name ?? '', response: { output: 'Clear' } } }
      })
      const contents = [question, content, { role: 'user', parts: results }]
      const answer = await models.generateContent({ model, contents, config })
      assert.match(answer.text ?? '', /^mock heard: aloud get_weather/)
    }
  })

  test(`google sdk: a function that has to be called, or none, by ${model}`, async (t) => {
    const { url } = await lab(t)
    const { models } = googleSdk(url)
    const ask = (mode: FunctionCallingConfigMode, allowedFunctionNames?: string[]) =>
      models.generateContent({
        model,
        contents: 'get_weather get_time',
        config: {
          tools: [{ functionDeclarations: [weather, time] }],
          toolConfig: { functionCallingConfig: { mode, ...(allowedFunctionNames ? { allowedFunctionNames } : {}) } },
        },
      })
    const must = await ask(FunctionCallingConfigMode.ANY, ['get_time'])
    assert.deepEqual(
      must.functionCalls?.map(({ name }) => name),
      ['get_time'],
    )
    const none = await ask(FunctionCallingConfigMode.NONE)
    assert.equal(none.functionCalls, undefined)
    assert.match(none.text ?? '', /^mock heard/)
  })

  test(`google sdk: an image and a chat with ${model}, whose history the SDK keeps`, async (t) => {
    const { url } = await lab(t)
    const chat = googleSdk(url).chats.create({ model })
    const parts = [{ text: 'Look' }, { inlineData: { mimeType: 'image/png', data: PNG } }]
    const seen = await all(await chat.sendMessageStream({ message: parts }))
    assert.match(seen.text, /^mock heard: Look saw image\/png/)
    const again = await chat.sendMessage({ message: 'And again' })
    assert.match(again.text ?? '', /^mock heard: And again/)
    const kept = chat.getHistory(true)
    assert.deepEqual(kept, chat.getHistory(), 'the SDK found no chunk of the stream broken')
    assert.equal(
      textOf(kept.flatMap(({ role, parts }) => (role === 'model' ? (parts ?? []) : []))),
      `${seen.text}${again.text}`,
    )
  })

  test(`google sdk: an answer by a schema, cut short, and stopped, from ${model}`, async (t) => {
    const { url } = await lab(t)
    const { models } = googleSdk(url)
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    }
    const shaped = await models.generateContent({
      model,
      contents: 'Paris',
      config: { responseMimeType: 'application/json', responseJsonSchema: schema },
    })
    assert.deepEqual(JSON.parse(shaped.text ?? ''), { city: 'Paris' })
    const cut = await models.generateContent({ model, contents: 'Hello', config: { maxOutputTokens: 10 } })
    assert.equal(cut.candidates?.[0]?.finishReason, 'MAX_TOKENS')
    const stopped = await models.generateContent({
      model,
      contents: 'one two three',
      config: { stopSequences: ['two'] },
    })
    assert.match(stopped.text ?? '', /^mock heard: one ?$/)
    assert.equal(stopped.candidates?.[0]?.finishReason, 'STOP')
  })
}

for (const model of [FLASH, PRO, VERTEX])
  test(`google sdk: thoughts of ${model} come as thoughts, and count as such`, async (t) => {
    const { url } = await lab(t)
    const { models } = googleSdk(url)
    const late = model === PRO
    const config = {
      thinkingConfig: {
        includeThoughts: true,
        ...(late ? { thinkingLevel: ThinkingLevel.LOW } : { thinkingBudget: 128 }),
      },
    }
    const whole = await models.generateContent({ model, contents: 'Hello', config })
    const [thought, text] = whole.candidates?.[0]?.content?.parts ?? []
    assert.equal(thought?.thought, true)
    assert.match(thought?.text ?? '', /thinks/)
    assert.equal(text?.thought, undefined)
    const {
      thoughtsTokenCount: thoughts,
      candidatesTokenCount: said,
      promptTokenCount: prompt,
    } = whole.usageMetadata ?? {}
    assert.ok(thoughts && said && prompt)
    assert.equal(whole.usageMetadata?.totalTokenCount, prompt + said + thoughts)
    const streamed = await all(await models.generateContentStream({ model, contents: 'Hello', config }))
    assert.equal(streamed.parts.flatMap(({ text, thought }) => (thought ? (text ?? '') : '')).join(''), thought?.text)
    assert.equal(streamed.usage?.thoughtsTokenCount, thoughts)
  })

for (const [from, to] of [
  [GPT, PRO],
  [VERTEX_CLAUDE, PRO],
  [FLASH, PRO],
  [PRO, GPT],
  [PRO, VERTEX_CLAUDE],
] as const)
  test(`google sdk: a loop of tools that ${from} began goes on with ${to}`, async (t) => {
    const { url } = await lab(t)
    const { models } = googleSdk(url)
    const question: Content = { role: 'user', parts: [{ text: 'get_weather, please' }] }
    const config = { tools: [{ functionDeclarations: [weather] }] }
    const began = await models.generateContent({ model: from, contents: [question], config })
    const said = began.candidates?.[0]?.content
    const [call] = began.functionCalls ?? []
    assert.ok(said && call)
    const functionResponse = { ...(call.id ? { id: call.id } : {}), name: 'get_weather', response: { output: 'Clear' } }
    const contents = [question, said, { role: 'user', parts: [{ functionResponse }] }]
    const answer = await models.generateContent({ model: to, contents, config })
    assert.match(answer.text ?? '', /^mock heard: get_weather, please/)
  })

test('google sdk: bytes of a native request and answer pass untouched, unknown members included, and our key goes in a header', async (t) => {
  const { url, gemini } = await lab(t)
  const body = '{ "contents":[{"role":"user","parts":[{"text":"Hi"}]}] ,"safetySettings": [] }'
  const response = await fetch(`${url}/v1beta/models/my-gemini:generateContent?key=the-callers-own`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  assert.equal(response.status, 200)
  const [record] = gemini.requests()
  assert.equal(record?.body, body)
  assert.equal(record?.path, `/v1beta/models/${FLASH}:generateContent`)
  assert.equal(record?.headers['x-goog-api-key'], 'AIza-secret')
  assert.doesNotMatch(JSON.stringify(record), /the-callers-own/)
})

for (const model of [FLASH, GPT]) {
  test(`google api: a stream without alt=sse is a list of one JSON text, from ${model}`, async (t) => {
    const { url } = await lab(t)
    const ask = (body: object) =>
      fetch(`${url}/v1beta/models/${model}:streamGenerateContent`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    const response = await ask({ contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] })
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
    const list: unknown = await response.json()
    assert.ok(Array.isArray(list))
    assert.equal(list.length > 1, model === FLASH, 'Google’s own chunks pass as they are')
    const text = list.map((it) => it.candidates[0].content.parts[0].text).join('')
    assert.match(text, /^mock heard: Hello/)
    const refused = await ask({ contents: [] })
    assert.equal(refused.status, 400)
    const words: unknown = await refused.json()
    assert.ok(Array.isArray(words))
    assert.equal(words[0].error.status, 'INVALID_ARGUMENT')
  })

  test(`google sdk: vectors, from ${model === GPT ? 'OpenAI' : 'Gemini'}`, async (t) => {
    const { url } = await lab(t)
    const embedder = model === GPT ? 'text-embedding-3-small' : 'gemini-embedding-001'
    const { embeddings } = await googleSdk(url).models.embedContent({
      model: embedder,
      contents: ['one', 'two'],
      config: { outputDimensionality: 4 },
    })
    assert.deepEqual(
      embeddings?.map(({ values }) => values?.length),
      [4, 4],
    )
    assert.notDeepEqual(embeddings?.[0], embeddings?.[1])
    const single = await fetch(`${url}/v1beta/models/${embedder}:embedContent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ content: { parts: [{ text: 'one' }] }, outputDimensionality: 4 }),
    })
    const one = (await single.json()) as { embedding: { values: number[] } } // as the reference has it; compared below
    assert.deepEqual(one.embedding.values, embeddings?.[0]?.values)
  })
}

for (const [model, exact] of [
  [FLASH, true],
  [GPT, false],
  [VERTEX, false],
] as const)
  test(`google sdk: tokens of a prompt for ${model}, ${exact ? 'counted' : 'estimated'}`, async (t) => {
    const { url } = await lab(t)
    const text = 'Say hello to the harbour, and to the ships in it.'
    const { totalTokens, sdkHttpResponse } = await googleSdk(url).models.countTokens({ model, contents: text })
    assert.ok(totalTokens !== undefined && totalTokens > 8 && totalTokens < 24)
    assert.equal(sdkHttpResponse?.headers?.['x-tradewind-estimated'], exact ? undefined : 'true')
  })

for (const [about, model, status, words] of [
  ['of ours for a model that nobody serves', 'nobody', 404, 'NOT_FOUND'],
  ['of Google itself', FLASH, 400, 'INVALID_ARGUMENT'],
  ['of another provider', GPT, 400, 'INVALID_ARGUMENT'],
] as const)
  test(`google sdk: an error ${about} is one of Google's`, async (t) => {
    const { url } = await lab(t)
    const { models } = googleSdk(url)
    // What is refused is for Google a temperature, for OpenAI a name of a function.
    const config =
      model === FLASH ? { temperature: 7 } : { tools: [{ functionDeclarations: [{ name: 'a.b', description: 'x' }] }] }
    for (const ask of [
      () => models.generateContent({ model, contents: 'Hello', config }),
      async () => all(await models.generateContentStream({ model, contents: 'Hello', config })),
    ])
      await assert.rejects(ask(), (error: unknown) => {
        assert.ok(error instanceof ApiError)
        assert.equal(error.status, status)
        assert.equal(JSON.parse(error.message).error.status, words)
        return true
      })
  })

for (const model of [FLASH, GPT])
  test(`google sdk: an answer of ${model} that breaks off in the middle is an error, and not a short answer`, async (t) => {
    const { url, openai, gemini } = await lab(t)
    for (const mock of [gemini, openai]) {
      mock.setPace({ tokensPerSecond: 50 })
      await mock.setFaults(['cut=1500'])
    }
    let text = ''
    const read = async () => {
      for await (const chunk of await googleSdk(url).models.generateContentStream({ model, contents: 'Hello' }))
        text += chunk.text ?? ''
    }
    await assert.rejects(read(), (error: unknown) => error instanceof ApiError && error.status === 502)
    assert.match(text, /^mock heard/, 'something was said before')
  })
