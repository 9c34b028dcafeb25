/** OpenAI's own SDK against a simulated Mistral, which refuses whatever its API does not have. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import OpenAI from 'openai'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstream } from '../helpers/upstream.ts'
import { recording } from './media-lab.ts'

const KEY = 'mistral-secret'

async function lab(t: TestContext, onUnsupported?: 'Fail') {
  const mistral = await upstream(t, { provider: 'mistral', apiKey: KEY })
  const path = await dataPath(t, {
    routes: [
      route('m', [rule([target('mistral', { model: '*' })], onUnsupported ? { onUnsupported } : {})], {
        models: ['*'],
      }),
    ],
    endpoints: [
      endpoint('mistral', `${mistral.url}/v1`, {
        provider: { type: 'Mistral' },
        credentials: { type: 'Secret', secret: { secret: 'ai/key', key: 'key' } },
        models: [{ name: '*', rank: 0, defaults: {}, force: {} }],
      }),
    ],
    secrets: { 'ai/key': { data: { key: KEY } } },
  })
  const client = new OpenAI({ baseURL: `${path.url}/v1`, apiKey: 'caller', maxRetries: 0 })
  return { mistral, client, ...path }
}

const model = 'mistral-small-latest'
const user = { role: 'user' as const, content: 'Hello there' }
const tools = [
  {
    type: 'function' as const,
    function: {
      name: 'weather',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
]
const sent = (body: string | undefined): Record<string, unknown> => JSON.parse(body ?? '{}') as Record<string, unknown> // the mock took it for an object

test('mistral: fields that have other names are renamed, and what has no place is reported', async (t) => {
  const { client, mistral, telemetry } = await lab(t)
  const asked = client.chat.completions.create({
    model,
    messages: [
      { role: 'developer', content: 'Be brief' },
      { ...user, name: 'Ann' },
    ],
    max_completion_tokens: 5,
    seed: 7,
    logprobs: true,
    user: 'u1',
  })
  const { data, response } = await asked.withResponse()
  assert.equal(data.usage?.completion_tokens, 5)
  assert.equal(data.choices[0]?.finish_reason, 'length')
  assert.equal(response.headers.get('x-tradewind-dropped'), 'messages.1.name, logprobs, user')
  assert.deepEqual(sent(mistral.requests()[0]?.body), {
    model,
    messages: [{ role: 'system', content: 'Be brief' }, user],
    max_tokens: 5,
    random_seed: 7,
  })
  await eventually(() => assert.equal(telemetry.exchanges.length, 1))
})

test('mistral: where nothing is to be lost, a request that would lose something is refused', async (t) => {
  const { client, mistral } = await lab(t, 'Fail')
  const failed = client.chat.completions.create({ model, messages: [user], logprobs: true })
  await assert.rejects(failed, /does not take: logprobs/)
  assert.equal(mistral.requests().length, 0)
})

test('mistral: its own fields pass, and so do the caller’s bytes', async (t) => {
  const { url, mistral } = await lab(t)
  const body = `{ "model": "${model}", "messages": [ {"role":"user","content":"Hi \\u00e9"} ], "safe_prompt": true }`
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('x-tradewind-dropped'), null)
  assert.equal(mistral.requests()[0]?.body, body)
})

test('mistral: a loop of tools, with ids of another provider', async (t) => {
  const { client } = await lab(t)
  const first = await client.chat.completions.create({ model, messages: [user], tools, tool_choice: 'required' })
  const [call] = first.choices[0]?.message.tool_calls ?? []
  assert.ok(call?.type === 'function')
  assert.match(call.id, /^[a-zA-Z0-9]{9}$/)
  assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Hello there' })
  const foreign = { ...call, id: 'call_abc_of_another' }
  const second = await client.chat.completions.create({
    model,
    messages: [
      user,
      { role: 'assistant', content: null, tool_calls: [foreign] },
      { role: 'tool', tool_call_id: foreign.id, content: 'sunny' },
    ],
    tools,
  })
  assert.match(second.choices[0]?.message.content ?? '', /^mock heard: Hello there/)
})

test('mistral: a stream says its usage without being asked, and the caller sees what it asked for', async (t) => {
  const { client, telemetry } = await lab(t)
  const stream = await client.chat.completions.create({
    model,
    messages: [user],
    tools,
    tool_choice: 'required',
    stream: true,
    stream_options: { include_usage: true },
  })
  const calls: string[] = []
  let usage = 0
  for await (const chunk of stream) {
    for (const call of chunk.choices[0]?.delta.tool_calls ?? []) calls.push(call.function?.arguments ?? '')
    usage += chunk.usage ? 1 : 0
  }
  assert.deepEqual([calls, usage], [['{"city":"Hello there"}'], 1])
  await eventually(() => assert.equal(telemetry.exchanges.length, 1))
  const [facts] = telemetry.exchanges
  assert.deepEqual([facts?.finishReason, facts?.usage?.estimated], ['tool_calls', undefined])
})

for (const stream of [false, true])
  test(`mistral: thoughts come as OpenAI’s callers read them${stream ? ', streamed' : ''}`, async (t) => {
    const { client } = await lab(t)
    const asked = { model: 'magistral-medium', messages: [user] }
    let [text, thought] = ['', '']
    const add = (part: object | undefined): void => {
      const { content, reasoning_content: reasoning } = (part ?? {}) as {
        content?: unknown
        reasoning_content?: unknown
      } // the SDK has no name for it
      if (typeof content === 'string') text += content
      else assert.ok(content === undefined || content === null, 'content is text')
      if (typeof reasoning === 'string') thought += reasoning
    }
    if (stream) {
      for await (const chunk of await client.chat.completions.create({ ...asked, stream })) add(chunk.choices[0]?.delta)
    } else add((await client.chat.completions.create(asked)).choices[0]?.message)
    assert.match(text, /^mock heard: Hello there/)
    assert.match(thought, /^mock heard: thinks: Hello there/)
  })

test('mistral: the beginning of an answer is gone on from, and not said again where the answer is read', async (t) => {
  const { client, mistral, url } = await lab(t)
  const messages = [user, { role: 'assistant' as const, content: 'mock heard: ' }]
  // Between two that speak the same, bytes pass: what Mistral says is what the caller gets.
  const whole = await client.chat.completions.create({ model, messages })
  assert.match(whole.choices[0]?.message.content ?? '', /^mock heard: Hello there/)
  assert.deepEqual(Object(sent(mistral.requests()[0]?.body)['messages'])[1], { ...messages[1], prefix: true })
  // An Anthropic caller goes on from its own beginning, as Anthropic's API does.
  const response = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model, max_tokens: 50, messages: [user, { role: 'assistant', content: 'mock heard:' }] }),
  })
  const { content }: { content: { text: string }[] } = JSON.parse(await response.text()) as never // a Messages answer
  assert.match(content[0]?.text ?? '', /^ Hello there/)
})

test('mistral: embeddings, moderations and transcriptions', async (t) => {
  const { client, telemetry, mistral } = await lab(t)
  const { data } = await client.embeddings.create({
    model: 'mistral-embed',
    input: ['a', 'b'],
    dimensions: 4,
    user: 'u',
  })
  assert.deepEqual(
    data.map(({ embedding }) => embedding.length),
    [4, 4],
  )
  const moderated = await client.moderations.create({ model: 'mistral-moderation-latest', input: ['kill'] })
  assert.equal(moderated.results.length, 1)
  const heard = await client.audio.transcriptions.create({
    model: 'voxtral-mini-latest',
    file: recording(2),
    response_format: 'json',
    prompt: 'ships',
  })
  assert.match(heard.text, /^mock heard: 2 seconds of sound/)
  assert.equal(mistral.requests()[2]?.model, 'voxtral-mini-latest')
  await eventually(() => assert.equal(telemetry.exchanges.length, 3))
  assert.deepEqual(
    telemetry.exchanges.map(({ dropped }) => dropped),
    [['user'], [], ['prompt']],
  )
})

test('mistral: what it says of a failure is understood', async (t) => {
  const { client, mistral, telemetry } = await lab(t)
  for (const fault of ['context-length', 'rate-limit=none', 'content-refused', 'status=500']) {
    await mistral.setFaults([fault])
    await assert.rejects(client.chat.completions.create({ model, messages: [user] }), OpenAI.APIError)
  }
  await eventually(() => assert.equal(telemetry.exchanges.length, 4))
  assert.deepEqual(
    telemetry.exchanges.map(({ code }) => code),
    ['context_length', 'upstream_busy', 'content_refused', 'upstream_error'],
  )
})
