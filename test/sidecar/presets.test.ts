import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { parse } from '../../api/parse.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'

/** A server that answers as told, and keeps what it was asked. */
async function server(t: TestContext, status: number, type: string, answer: string) {
  const asked: { path: string; body: string }[] = []
  const it = createServer((request: IncomingMessage, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += String(chunk)))
    request.on('end', () => {
      asked.push({ path: request.url ?? '', body })
      response.writeHead(status, { 'content-type': type }).end(answer)
    })
  })
  it.listen(0, '127.0.0.1')
  await once(it, 'listening')
  t.after(() => {
    it.closeAllConnections()
    it.close()
  })
  return { asked, url: `http://127.0.0.1:${(it.address() as AddressInfo).port}/openai/v1` } // it listens on a port
}

async function lab(t: TestContext, preset: string | undefined, status: number, type: string, answer: string) {
  const { asked, url } = await server(t, status, type, answer)
  const settings = preset === undefined ? {} : { settings: { preset } }
  const path = await dataPath(t, {
    routes: [route('m', [rule([target('a')])])],
    endpoints: [endpoint('a', url, { provider: { type: 'OpenAICompatible', ...settings } })],
  })
  const ask = (body: object, surface = '/v1/chat/completions') =>
    fetch(`${path.url}${surface}`, { method: 'POST', body: JSON.stringify({ model: 'm', ...body }) })
  return { asked, ask, ...path }
}

const messages = [{ role: 'user', content: 'Hi', name: 'Ann' }]
const JSON_TYPE = 'application/json'
const ANSWER = JSON.stringify({
  id: '1',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
})

test('presets: what a server refuses is taken out, and the caller is told', async (t) => {
  const { asked, ask } = await lab(t, 'Groq', 200, JSON_TYPE, ANSWER)
  const response = await ask({ messages, logprobs: true, n: 1, seed: 1 })
  assert.equal(await response.text(), ANSWER)
  assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), {
    model: 'a-model',
    messages: [{ role: 'user', content: 'Hi' }],
    seed: 1,
  })
  assert.equal(asked[0]?.path, '/openai/v1/chat/completions')
  assert.equal(response.headers.get('x-tradewind-dropped'), 'messages.0.name, logprobs')
})

test('presets: without one, the same bytes pass', async (t) => {
  const { asked, ask } = await lab(t, undefined, 200, JSON_TYPE, ANSWER)
  const response = await ask({ messages, logprobs: true, n: 2 })
  assert.equal(response.headers.get('x-tradewind-dropped'), null)
  assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), { model: 'a-model', messages, logprobs: true, n: 2 })
})

test('presets: the usage of a stream is found where Groq has it', async (t) => {
  const chunk = (delta: object, finish: string | null, more: object = {}) =>
    `data: ${JSON.stringify({ id: '1', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }], ...more })}\n\n`
  const usage = { prompt_tokens: 20, completion_tokens: 2, total_tokens: 22 }
  const stream = `${chunk({ content: 'Hi' }, null, { x_groq: { id: 'r' } })}${chunk({}, 'stop', { x_groq: { id: 'r', usage } })}data: [DONE]\n\n`
  const { ask, telemetry } = await lab(t, 'Groq', 200, 'text/event-stream', stream)
  assert.equal(await (await ask({ messages, stream: true })).text(), stream)
  await eventually(() => assert.equal(telemetry.exchanges.length, 1))
  const found = telemetry.exchanges[0]?.usage
  assert.deepEqual([found?.input, found?.output, found?.estimated], [20, 2, undefined])
})

test('presets: a call that Groq’s model wrote wrongly, and no room at Groq, are not the caller’s doing', async (t) => {
  for (const [status, code, expected] of [
    [400, 'tool_use_failed', 'upstream_error'],
    [498, 'capacity', 'upstream_busy'],
  ] as const) {
    const { ask, telemetry } = await lab(
      t,
      'Groq',
      status,
      JSON_TYPE,
      JSON.stringify({ error: { message: 'x', code } }),
    )
    assert.equal((await ask({ messages })).status, status)
    await eventually(() => assert.equal(telemetry.exchanges[0]?.code, expected))
  }
})

test('presets: a surface that the server does not have is not asked for', async (t) => {
  const { ask, asked } = await lab(t, 'Ollama', 200, JSON_TYPE, '{}')
  const response = await ask({ prompt: 'x' }, '/v1/images/generations')
  assert.match(await response.text(), /has nothing for \/v1\/images\/generations/)
  assert.equal(asked.length, 0)
})

const manifest = (provider: object, rest: object = {}) => ({
  apiVersion: 'tradewind.dev/v1alpha1',
  kind: 'ModelEndpoint',
  metadata: { name: 'a' },
  spec: { provider, models: [{ name: 'm' }], ...rest },
})
const problems = (provider: object, rest?: object): readonly string[] => {
  const parsed = parse(manifest(provider, rest))
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`)
}

test('presets: hosted ones need no address, the others do', () => {
  const of = (preset: string) => problems({ type: 'OpenAICompatible', openAICompatible: { preset } })
  for (const preset of ['Groq', 'Together', 'DeepSeek', 'XAI', 'OpenRouter', 'Fireworks'])
    assert.deepEqual(of(preset), [])
  for (const preset of ['Generic', 'VLLM', 'Ollama', 'TGI']) assert.match(of(preset).join(), /address is needed/)
  assert.match(problems({ type: 'OpenAICompatible' }).join(), /address is needed/)
  assert.deepEqual(problems({ type: 'Mistral' }), [])
  for (const type of ['AzureOpenAI', 'OpenInference']) assert.match(problems({ type }).join(), /address is needed/)
  assert.match(of('Elsewhere').join(), /openAICompatible\.preset/)
})

test('presets: settings are for their own provider, and versions of Azure’s API have a form', () => {
  const address = { address: { type: 'URL', url: 'https://a.openai.azure.com' } }
  for (const apiVersion of ['v1', 'preview', '2024-10-21', '2025-04-01-preview'])
    assert.deepEqual(problems({ type: 'AzureOpenAI', azureOpenAI: { apiVersion } }, address), [])
  for (const apiVersion of ['v2', '2024-1-1', 'latest', ''])
    assert.match(problems({ type: 'AzureOpenAI', azureOpenAI: { apiVersion } }, address).join(), /apiVersion/)
  assert.match(problems({ type: 'Mistral', azureOpenAI: {} }).join(), /azureOpenAI is for provider AzureOpenAI only/)
  const models = { ...address, models: [{ name: 'm', parameters: { force: { seed: 1 } } }] }
  assert.match(problems({ type: 'OpenInference' }, models).join(), /spec\.models: parameters are fields of requests/)
})
