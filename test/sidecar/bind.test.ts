import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstreams } from '../helpers/upstream.ts'

/** A rule that sends all but every millionth request to OpenAI, the others to Anthropic. */
async function lab(t: TestContext) {
  const [claude, gpt] = await upstreams(t, { provider: 'anthropic' }, { provider: 'openai' })
  const models = [{ name: 'claude-sonnet-4-5', rank: 0, defaults: {}, force: {} }]
  const { url } = await dataPath(t, {
    endpoints: [
      endpoint('claude', claude.url, { provider: { type: 'Anthropic' }, models }),
      endpoint('gpt', `${gpt.url}/v1`, {
        provider: { type: 'OpenAI' },
        models: [{ name: 'gpt-4o', rank: 0, defaults: {}, force: {} }],
      }),
    ],
    routes: [
      route('m', [
        rule([target('gpt', { model: 'gpt-4o', weight: 1_000_000 }), target('claude', { model: 'claude-sonnet-4-5' })]),
      ]),
    ],
  })
  const ask = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify({ model: 'm', ...body }) })
    await response.text()
    return [response.status, response.headers.get('x-tradewind-endpoint')]
  }
  return { claude, ask, signed: await signedThought(claude.url) }
}

/** A thought of the simulated model, which knows its own signatures. */
async function signedThought(url: string): Promise<{ readonly thinking: string; readonly signature: string }> {
  const response = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({
      model: 'claude-sonnet-4-5',
      max_tokens: 4000,
      thinking: { type: 'enabled', budget_tokens: 2000 },
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  })
  const { content } = (await response.json()) as { content: { thinking: string; signature: string }[] } // Anthropic's form
  const [thought] = content
  assert.ok(thought?.signature)
  return thought
}

const thought = (thinking: string, signature: string) => ({ type: 'thinking', thinking, signature })
const talk = (...parts: object[]) => ({
  max_tokens: 100,
  messages: [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: [...parts, { type: 'text', text: 'Hi' }] },
    { role: 'user', content: 'Go on' },
  ],
})

test('bind: a conversation with signed thoughts goes on with who signed them', async (t) => {
  const { ask, claude, signed } = await lab(t)
  const own = thought(signed.thinking, signed.signature)
  assert.deepEqual(await ask('/v1/messages', talk()), [200, 'ai/gpt'])
  assert.deepEqual(await ask('/v1/messages', talk(own)), [200, 'ai/claude'])
  // Another's signature, as we write it to callers of this dialect, binds to nobody here.
  assert.deepEqual(await ask('/v1/messages', talk(thought('Hm.', 'gemini:c2lnbmF0dXJl'))), [200, 'ai/gpt'])
  await claude.setFaults(['status=500'])
  assert.deepEqual(await ask('/v1/messages', talk(own)), [200, 'ai/gpt'])
})

test('bind: callers of OpenAI’s chat carry signatures too', async (t) => {
  const { ask, signed } = await lab(t)
  const said = (more: object) => ({
    messages: [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hi', ...more },
      { role: 'user', content: 'Go on' },
    ],
  })
  assert.deepEqual(await ask('/v1/chat/completions', said({})), [200, 'ai/gpt'])
  const { thinking: text, signature } = signed
  const detail = { type: 'reasoning.text', text, signature, format: 'anthropic' }
  assert.deepEqual(await ask('/v1/chat/completions', said({ reasoning_details: [detail] })), [200, 'ai/claude'])
})
