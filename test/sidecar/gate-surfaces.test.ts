import assert from 'node:assert/strict'
import { request as begin } from 'node:http'
import { test } from 'node:test'
import { request } from 'undici'
import { eventually } from '../helpers/eventually.ts'
import { ladder, REFUSAL, says } from '../helpers/ladder.ts'

const messages = [{ role: 'user', content: 'Hello' }]
const contents = [{ role: 'user', parts: [{ text: 'Hello' }] }]

/** How each API asks for a chat, whole and streamed. */
const surfaces: Readonly<Record<string, (stream: boolean) => { readonly path: string; readonly body: object }>> = {
  chat: (stream) => ({ path: '/v1/chat/completions', body: { model: 'chat', stream, messages } }),
  responses: (stream) => ({ path: '/v1/responses', body: { model: 'chat', stream, input: 'Hello', store: false } }),
  messages: (stream) => ({ path: '/v1/messages', body: { model: 'chat', stream, max_tokens: 100, messages } }),
  gemini: (stream) => ({
    path: `/v1beta/models/chat:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: { contents },
  }),
  converse: (stream) => ({
    path: `/model/chat/${stream ? 'converse-stream' : 'converse'}`,
    body: { messages: [{ role: 'user', content: [{ text: 'Hello' }] }] },
  }),
  cohere: (stream) => ({ path: '/v2/chat', body: { model: 'chat', stream, messages } }),
}

/** Those of which targets are asked: each in its own dialect, so that answers pass or are translated. */
const providers = {
  openai: { type: 'OpenAI' },
  anthropic: { type: 'Anthropic' },
  gemini: { type: 'Gemini' },
  cohere: { type: 'Cohere' },
} as const

for (const [name, asking] of Object.entries(surfaces))
  for (const [provider, type] of Object.entries(providers))
    test(`gate: ${name} over ${provider}: no caller sees an answer that was found wanting, whole or streamed`, async (t) => {
      const { url, a, facts, telemetry } = await ladder(t, [{ provider, faults: [REFUSAL] }], {
        endpoints: [{ provider: type }, { provider: { type: 'OpenAI' } }],
      })
      for (const stream of [false, true])
        for (const wanting of [true, false]) {
          await a.setFaults(wanting ? [REFUSAL] : [says('All is well in the harbour.')])
          const { path, body } = asking(stream)
          const answer = await request(`${url}${path}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          })
          const text = await answer.body.text()
          assert.equal(answer.statusCode, 200, text)
          assert.equal(answer.headers['x-tradewind-endpoint'], wanting ? 'ai/b' : 'ai/a')
          assert.doesNotMatch(text, /sorry/)
          assert.match(text, wanting ? /heard/ : /well/)
          const ended = telemetry.exchanges.length
          await eventually(() => assert.ok(telemetry.exchanges.length >= ended && facts()?.code === undefined))
          assert.equal(facts()?.gate?.reason, 'passed')
        }
    })

test('gate: Prefix: a caller that reads slowly holds back the target, and gets all of it', async (t) => {
  const words = 'a word or two '.repeat(20_000)
  const { url } = await ladder(t, [{ faults: [says(words)] }], {
    gate: { mode: 'Prefix', prefix: { tokens: 5, within: 5000 }, checks: [{ type: 'Refusal' }] },
  })
  const body = JSON.stringify({ model: 'chat', stream: true, messages })
  const text = await new Promise<string>((resolve, reject) => {
    const asked = begin(
      `${url}/v1/chat/completions`,
      { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': body.length } },
      (response) => {
        let all = ''
        response.setEncoding('utf8')
        // Nothing is read at first.
        response.pause()
        setTimeout(() => response.resume(), 300)
        response.on('data', (chunk: string) => (all += chunk))
        response.on('end', () => resolve(all))
        response.on('error', reject)
      },
    )
    asked.end(body)
  })
  assert.match(text, /data: \[DONE\]\n\n$/)
  assert.equal([...text.matchAll(/"content":"( ?)word"/g)].length, 20_000)
})
