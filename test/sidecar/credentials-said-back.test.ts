import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledEndpoint } from '../../api/compiled.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { completion, event, json, scripted } from '../helpers/scripted.ts'

const KEY = 'sk-of-the-endpoint-0123456789'
const OWN = 'sk-of-the-caller-0123456789'

/** What is said of an error inside an answer of status 200 whose words hold the Authorization that came, after that many characters. */
async function said(
  t: TestContext,
  credentials: CompiledEndpoint['credentials'],
  stream: boolean,
  after: number,
): Promise<string> {
  const server = await scripted(t, (response, _, { headers }) => {
    const text = `{"error":{"message":"${'x'.repeat(after)}${headers.authorization}","type":"server_error"}}`
    response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' })
    response.end(stream ? `data: ${text}\n\n` : text)
  })
  const { url, telemetry } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [endpoint('a', server.url, { credentials })],
    secrets: { 'ai/key': { data: { key: KEY } } },
  })
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${OWN}` },
    body: JSON.stringify({ model: 'chat', stream, messages: [{ role: 'user', content: 'hi' }] }),
  })
  const body = await answer.text()
  assert.ok(answer.status >= 500, `${answer.status} ${body}`)
  return body + JSON.stringify(telemetry.exchanges.map(({ error }) => error))
}

const kinds = {
  'the endpoint’s key': { type: 'Secret', secret: { secret: 'ai/key', key: 'key' } },
  'the caller’s own': { type: 'Passthrough' },
} as const

for (const [whose, credentials] of Object.entries(kinds))
  for (const stream of [false, true])
    test(`credentials: ${whose} is in no words of an error, where they are cut as well; stream ${stream}`, async (t) => {
      for (const after of [0, 460, 466, 472]) {
        const words = await said(t, credentials, stream, after)
        assert.ok(!words.includes('sk-of-the'), words)
      }
    })

const TOKEN = 'token-of-the-gateway-0123456789'

/** All that a caller gets, and all that is kept, of an answer of a server that says back whatever it was sent. */
async function echoed(
  t: TestContext,
  provider: CompiledEndpoint['provider'],
  credentials: NonNullable<CompiledEndpoint['credentials']>,
  echo: (response: ServerResponse, sent: string) => void,
  stream = false,
): Promise<string> {
  const server = await scripted(t, (response, _, { headers, url: path }) => {
    const {
      authorization,
      'x-api-key': key,
      'x-goog-api-key': google,
      'api-key': azure,
      'x-gateway-token': token,
    } = headers
    echo(response, [authorization, key, google, azure, token, path].filter((it) => it !== undefined).join(' '))
  })
  const { url, telemetry } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [
      endpoint('a', server.url, { provider, credentials, headers: { set: { 'x-gateway-token': TOKEN }, remove: [] } }),
    ],
    secrets: { 'ai/key': { data: { key: KEY } } },
  })
  const answer = await ask(url, stream)
  return JSON.stringify([answer, telemetry.exchanges, telemetry.attempts])
}

/** With its trailers, which `fetch` does not give. */
async function ask(url: string, stream: boolean): Promise<unknown> {
  const outgoing = request(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${OWN}`, 'x-api-key': OWN, te: 'trailers' },
  })
  outgoing.end(JSON.stringify({ model: 'chat', stream, messages: [{ role: 'user', content: 'hi' }] }))
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  return [answer.rawHeaders, text, answer.rawTrailers]
}

const echoes: Readonly<Record<string, (response: ServerResponse, sent: string) => void>> = {
  'an error in text': (response, sent) => response.writeHead(401, { 'content-type': 'text/plain' }).end(sent),
  'a page': (response, sent) =>
    response.writeHead(502, { 'content-type': 'text/html' }).end(`<html><body>${sent}</body></html>`),
  'headers of an error': (response, sent) =>
    response.writeHead(400, { 'x-echo': sent, 'content-type': 'application/json' }).end('{"error":{}}'),
  'headers and trailers of an answer': (response, sent) => {
    response.writeHead(200, { 'x-echo': sent, 'content-type': 'application/json', trailer: 'x-late' })
    response.write(JSON.stringify(completion('hi')))
    response.addTrailers({ 'x-late': sent })
    response.end()
  },
  'an error that is cut in the midst of it': (response, sent) => {
    response.writeHead(500, { 'content-type': 'text/plain' })
    const filled = 256 * 1024 - 20
    response.write('x'.repeat(filled) + sent.slice(0, 30))
    setTimeout(() => response.end(sent.slice(30) + 'x'.repeat(1000)), 50)
  },
}

const types: readonly CompiledEndpoint['provider'][] = [
  { type: 'OpenAI' },
  { type: 'AzureOpenAI' },
  { type: 'Anthropic' },
  { type: 'Gemini' },
  { type: 'Cohere' },
  { type: 'Mistral' },
]

for (const [where, echo] of Object.entries(echoes))
  test(`credentials: no key is in ${where}, of any provider`, async (t) => {
    for (const provider of types)
      for (const credentials of Object.values(kinds)) {
        const kept = await echoed(t, provider, credentials, echo)
        const found = /sk-of-the[^"]{0,20}|token-of-the[^"]{0,20}/.exec(kept)?.[0]
        assert.equal(found, undefined, `${provider.type} ${credentials.type}: ${found}`)
      }
  })

test('credentials: no key is in an error within a stream that had begun', async (t) => {
  for (const provider of [{ type: 'OpenAI' }, { type: 'Mistral' }] as const)
    for (const credentials of Object.values(kinds)) {
      const kept = await echoed(
        t,
        provider,
        credentials,
        (response, sent) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          response.write(event({ role: 'assistant', content: 'Hello' }))
          setTimeout(
            () => response.end(`data: ${JSON.stringify({ error: { message: sent, type: 'server_error' } })}\n\n`),
            50,
          )
        },
        true,
      )
      assert.ok(kept.includes('Hello'))
      const found = /sk-of-the[^"]{0,20}|token-of-the[^"]{0,20}/.exec(kept)?.[0]
      assert.equal(found, undefined, `${provider.type} ${credentials.type}: ${found}`)
    }
})

test('credentials: a caller’s own key goes to no other host', async (t) => {
  const seen: string[] = []
  const failing = await scripted(t, (response) => void response.writeHead(500).end())
  const next = await scripted(t, (response, _, { rawHeaders }) => {
    seen.push(rawHeaders.join(' '))
    json(response, completion('hi'))
  })
  const { url } = await dataPath(t, {
    routes: [route('chat', [rule([target('a'), target('b', { priority: 1 })])])],
    endpoints: [endpoint('a', failing.url, { credentials: { type: 'Passthrough' } }), endpoint('b', next.url)],
  })
  const answer = JSON.stringify(await ask(url, false))
  assert.ok(answer.includes('"hi') || answer.includes('hi'), answer)
  assert.equal(seen.length, 1)
  assert.ok(!seen.join().includes(OWN), seen.join())
})

/** Which header with a key servers got, of a caller with that bearer, on these endpoints in turn; the first of two fails. */
async function keysSeen(
  t: TestContext,
  providers: readonly CompiledEndpoint['provider'][],
  key: string,
): Promise<{ readonly status: number; readonly seen: readonly string[] }> {
  const seen: string[] = []
  const servers = await Promise.all(
    providers.map(({ type }) =>
      scripted(t, (response, _, { headers }) => {
        const { authorization, 'x-api-key': own } = headers
        seen.push(`${type}: ${authorization ?? ''}|${String(own ?? '')}`)
        if (providers.length > 1 && seen.length === 1) response.writeHead(503).end()
        else json(response, type === 'Anthropic' ? message : completion('hi'))
      }),
    ),
  )
  const credentials = { type: 'Passthrough' } as const
  const names = ['a', 'b'].slice(0, providers.length)
  const { url } = await dataPath(t, {
    routes: [route('chat', [rule(names.map((name, priority) => target(name, { priority })))])],
    endpoints: providers.map((provider, i) =>
      endpoint(names[i] ?? '', servers[i]?.url ?? '', { provider, credentials }),
    ),
  })
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'hi' }] }),
  })
  await answer.text()
  return { status: answer.status, seen }
}

const message = {
  id: 'm',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'hi' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
}

test('credentials: OpenAI’s callers reach Anthropic with a key of Anthropic’s, in the header that it wants', async (t) => {
  const by = (key: string) => keysSeen(t, [{ type: 'Anthropic' }], key)
  assert.deepEqual(await by('sk-ant-api03-own'), { status: 200, seen: ['Anthropic: |sk-ant-api03-own'] })
  assert.deepEqual(await by('sk-ant-oat01-own'), { status: 200, seen: ['Anthropic: Bearer sk-ant-oat01-own|'] })
})

test('credentials: a caller’s own key goes to no second host, though both endpoints pass keys through', async (t) => {
  for (const second of ['OpenAI', 'Anthropic'] as const) {
    const { status, seen } = await keysSeen(t, [{ type: 'OpenAI' }, { type: second }], 'sk-proj-own')
    // It is the first one's failure that is told.
    assert.equal(status, 503)
    assert.deepEqual(seen, ['OpenAI: Bearer sk-proj-own|'])
  }
})
