/** OpenAI's own SDK, as a client of OpenAI and of Azure, against a simulated Azure OpenAI, on each of its APIs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import OpenAI, { AzureOpenAI } from 'openai'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstream } from '../helpers/upstream.ts'
import { recording } from './media-lab.ts'

const KEY = 'azure-secret'

/** A route `m` to the deployment `gpt-4o async` of a simulated Azure, spoken to by a version of its API. */
async function lab(t: TestContext, apiVersion: string, deployment = 'gpt-4o async') {
  const azure = await upstream(t, { provider: 'azure', apiKey: KEY, models: [deployment] })
  const path = await dataPath(t, {
    routes: [route('m', [rule([target('azure', { model: deployment })])])],
    endpoints: [
      endpoint('azure', azure.url, {
        provider: { type: 'AzureOpenAI', settings: { apiVersion } },
        credentials: { type: 'Secret', secret: { secret: 'ai/key', key: 'key' } },
        models: [{ name: deployment, rank: 0, defaults: {}, force: {} }],
      }),
    ],
    secrets: { 'ai/key': { data: { key: KEY } } },
  })
  const client = new OpenAI({ baseURL: `${path.url}/v1`, apiKey: 'caller', maxRetries: 0 })
  return { azure, client, ...path }
}

const messages = [{ role: 'user' as const, content: 'Hello there' }]
const place = {
  v1: '/openai/v1/chat/completions',
  preview: '/openai/v1/chat/completions',
  '2024-10-21': '/openai/deployments/gpt-4o%20async/chat/completions',
  '2024-06-01': '/openai/deployments/gpt-4o%20async/chat/completions',
}

test('azure: Azure’s own client is served by the simulated Azure, so that what follows is held to the real thing', async (t) => {
  const azure = await upstream(t, { provider: 'azure', apiKey: KEY })
  const client = new AzureOpenAI({ endpoint: azure.url, apiKey: KEY, apiVersion: '2024-10-21', maxRetries: 0 })
  const { choices } = await client.chat.completions.create({ model: 'gpt-4o', messages })
  assert.match(choices[0]?.message.content ?? '', /^mock heard: Hello there/)
  assert.equal(azure.requests()[0]?.path, '/openai/deployments/gpt-4o/chat/completions')
  const wrong = new AzureOpenAI({ endpoint: azure.url, apiKey: 'no', apiVersion: '2024-10-21', maxRetries: 0 })
  await assert.rejects(wrong.chat.completions.create({ model: 'gpt-4o', messages }), { status: 401 })
})

for (const [version, expected] of Object.entries(place))
  test(`azure: chat, whole and streamed, with the filter’s events before and after it (${version})`, async (t) => {
    const { azure, client, telemetry } = await lab(t, version)
    const whole = await client.chat.completions.create({ model: 'm', messages })
    const text = whole.choices[0]?.message.content ?? ''
    assert.match(text, /^mock heard: Hello there/)
    const stream = await client.chat.completions.create({ model: 'm', messages, stream: true })
    let said = ''
    let filtered = 0
    for await (const chunk of stream) {
      said += chunk.choices[0]?.delta?.content ?? ''
      if ('prompt_filter_results' in chunk || chunk.choices.some((choice) => 'content_filter_offsets' in choice))
        filtered++
      assert.ok(!chunk.usage, 'the usage that we asked for is not the caller’s')
    }
    assert.deepEqual([said, filtered], [text, 2])
    assert.equal(azure.requests()[0]?.path, expected)
    await eventually(() => assert.equal(telemetry.exchanges.length, 2))
    // Without stream_options there is no usage to be had of a stream: it is counted.
    const known = version !== '2024-06-01'
    for (const [i, { usage, code, finishReason }] of telemetry.exchanges.entries()) {
      assert.deepEqual([code, finishReason], [undefined, 'stop'])
      assert.equal(usage?.estimated === true, i === 1 && !known)
      if (i === 0 || known) assert.equal(usage?.output, 16)
      else assert.ok((usage?.output ?? 0) > 0)
    }
  })

test('azure: tools, embeddings, responses, images and sound are where the version has them', async (t) => {
  for (const version of ['v1', '2025-04-01-preview']) {
    const { client, azure } = await lab(t, version, 'gpt-image-tts-whisper-1')
    const tools = [
      { type: 'function' as const, function: { name: 'look', parameters: { type: 'object', properties: {} } } },
    ]
    const called = await client.chat.completions.create({ model: 'm', messages, tools, tool_choice: 'required' })
    assert.equal(called.choices[0]?.finish_reason, 'tool_calls')
    const { data } = await client.embeddings.create({ model: 'm', input: ['a', 'b'] })
    assert.equal(data.length, 2)
    const response = await client.responses.create({ model: 'm', input: 'Hello there' })
    assert.match(response.output_text, /^mock heard/)
    assert.equal((await client.images.generate({ model: 'm', prompt: 'a ship' })).data?.length, 1)
    const sound = await client.audio.speech.create({ model: 'm', input: 'hello', voice: 'alloy' })
    assert.ok((await sound.arrayBuffer()).byteLength > 1000)
    assert.match((await client.audio.transcriptions.create({ model: 'm', file: recording(1) })).text, /1 seconds/)
    const paths = azure.requests().map(({ path }) => path)
    assert.ok(paths.includes(version === 'v1' ? '/openai/v1/responses' : '/openai/responses'), paths.join(' '))
    await assert.rejects(client.moderations.create({ model: 'm', input: 'x' }), /has nothing for \/v1\/moderations/)
  }
})

test('azure: a refusal of its filter is one of content, and a limit is kept to', async (t) => {
  const { client, azure, telemetry } = await lab(t, 'v1')
  await azure.setFaults(['content-refused'])
  await assert.rejects(client.chat.completions.create({ model: 'm', messages }), {
    status: 400,
    code: 'content_filter',
  })
  await azure.setFaults(['rate-limit=ms,wait=50,times=1'])
  await assert.rejects(client.chat.completions.create({ model: 'm', messages }), { status: 429 })
  await eventually(() => assert.equal(telemetry.exchanges.length, 2))
  assert.deepEqual(
    telemetry.exchanges.map(({ code }) => code),
    ['content_refused', 'upstream_busy'],
  )
})

test('azure: a deployment that is not there is the caller’s to know of', async (t) => {
  const { client, azure, apply } = await lab(t, '2024-10-21')
  apply({
    routes: [route('m', [rule([target('gone', { model: 'gone' })])])],
    endpoints: [
      endpoint('gone', azure.url, {
        provider: { type: 'AzureOpenAI', settings: { apiVersion: '2024-10-21' } },
        credentials: { type: 'Secret', secret: { secret: 'ai/key', key: 'key' } },
        models: [{ name: 'gone', rank: 0, defaults: {}, force: {} }],
      }),
    ],
    secrets: { 'ai/key': { data: { key: KEY } } },
  })
  const failed = client.chat.completions.create({ model: 'm', messages })
  await assert.rejects(failed, { status: 404, code: 'DeploymentNotFound' })
})
