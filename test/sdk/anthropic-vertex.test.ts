import assert from 'node:assert/strict'
import test from 'node:test'
import Anthropic, { BadRequestError } from '@anthropic-ai/sdk'
import { FLASH, lab, PRO, VERTEX_CLAUDE } from './gemini-lab.ts'

/** Anthropic's own SDK against Claude on Vertex AI, whose bytes pass but for model and version, and against Gemini. */

const sdkOf = (url: string) => new Anthropic({ baseURL: url, apiKey: 'the-callers-own', maxRetries: 0 })
const textOf = ({ content }: Anthropic.Message): string =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('')
const weather: Anthropic.Tool = {
  name: 'get_weather',
  input_schema: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
}

for (const model of [VERTEX_CLAUDE, FLASH, PRO])
  test(`anthropic sdk: text and a loop of tools from ${model}, whole and streamed`, async (t) => {
    const { url, gemini } = await lab(t)
    const sdk = sdkOf(url)
    const ask: Anthropic.MessageParam = { role: 'user', content: 'aloud, the weather please' }
    const request = { model, max_tokens: 200, messages: [ask], tools: [weather] }
    const whole = await sdk.messages.create(request)
    const streamed = await sdk.messages.stream(request).finalMessage()
    assert.equal(textOf(streamed), textOf(whole))
    for (const message of [whole, streamed]) {
      assert.equal(message.stop_reason, 'tool_use')
      assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0)
      const call = message.content.find((block) => block.type === 'tool_use')
      assert.deepEqual([call?.name, call?.input], ['get_weather', { place: ask.content }])
      const answer = await sdk.messages.create({
        ...request,
        messages: [
          ask,
          { role: 'assistant', content: message.content },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: call?.id ?? '', content: 'Clear' }] },
        ],
      })
      assert.match(textOf(answer), /^mock heard: aloud, the weather please/)
      if (model === PRO) {
        const signature = Buffer.from('mock-thought:get_weather').toString('base64')
        assert.ok(gemini.requests().at(-1)?.body?.includes(signature), 'the signature that the model gave')
      }
    }
  })

test('anthropic sdk: thoughts of Gemini are shown to who gave a budget for them, and go back', async (t) => {
  const { url } = await lab(t)
  const sdk = sdkOf(url)
  const ask: Anthropic.MessageParam = { role: 'user', content: 'Hello' }
  const request = { model: FLASH, max_tokens: 4096, thinking: { type: 'enabled' as const, budget_tokens: 1024 } }
  const whole = await sdk.messages.create({ ...request, messages: [ask] })
  const [thought, text] = whole.content
  assert.ok(thought?.type === 'thinking' && /thinks/.test(thought.thinking))
  assert.equal(text?.type, 'text')
  const streamed = await sdk.messages.stream({ ...request, messages: [ask] }).finalMessage()
  assert.deepEqual(
    streamed.content.map((block) => block.type),
    ['thinking', 'text'],
  )
  const again = await sdk.messages.create({
    ...request,
    messages: [ask, { role: 'assistant', content: whole.content }, { role: 'user', content: 'And again' }],
  })
  assert.match(textOf(again), /^mock heard: And again/)
})

test('anthropic sdk: a request for Claude on Vertex AI keeps its bytes but for model and version', async (t) => {
  const { url, vertex } = await lab(t)
  await sdkOf(url).messages.create({
    model: VERTEX_CLAUDE,
    max_tokens: 10,
    messages: [{ role: 'user', content: 'Hi' }],
    metadata: { user_id: 'u' },
  })
  const record = vertex.requests().at(-1)
  assert.equal(
    record?.path,
    '/v1/projects/my-project/locations/europe-west4/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict',
  )
  const body: unknown = JSON.parse(record?.body ?? '')
  assert.deepEqual(body, {
    max_tokens: 10,
    messages: [{ role: 'user', content: 'Hi' }],
    metadata: { user_id: 'u' },
    anthropic_version: 'vertex-2023-10-16',
  })
})

test('anthropic sdk: what Vertex AI refuses is one of Anthropic’s own errors', async (t) => {
  const { url } = await lab(t)
  const ask = sdkOf(url).messages.create({
    model: VERTEX_CLAUDE,
    max_tokens: -1,
    messages: [{ role: 'user', content: 'Hi' }],
  })
  await assert.rejects(ask, (error: unknown) => error instanceof BadRequestError && /max_tokens/.test(error.message))
})
