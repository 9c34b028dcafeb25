import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Failure } from './errors.ts'
import { ownKey } from './own-key.ts'
import { anthropic } from './providers/anthropic.ts'
import { azureOpenAI } from './providers/azure-openai.ts'
import { gemini } from './providers/gemini.ts'
import { openai } from './providers/openai.ts'
import type { Provider } from './providers/provider.ts'

type Asked = Parameters<typeof ownKey>[0]

const asked = (sent: Readonly<Record<string, string>>): Asked => ({ header: (name) => sent[name], keys: undefined })
const to = (provider: Provider, authority = 'a', drop: readonly string[] = []) => ({
  provider,
  authority,
  dropHeaders: new Set(drop),
})

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
const cases: readonly [string, Readonly<Record<string, string>>, Provider, readonly string[]][] = [
  ['a bearer, where bearers are wanted', bearer('sk-1'), openai, ['authorization', 'Bearer sk-1']],
  [
    'no header of another provider',
    { 'x-api-key': 'k', 'api-key': 'k', 'x-goog-api-key': 'k', cookie: 'k' },
    openai,
    [],
  ],
  ['Anthropic’s own header', { 'x-api-key': 'sk-ant-api03-1' }, anthropic, ['x-api-key', 'sk-ant-api03-1']],
  [
    'Anthropic’s own header alone, where there is a bearer for another besides',
    { ...bearer('sk-1'), 'x-api-key': 'sk-ant-api03-1' },
    anthropic,
    ['x-api-key', 'sk-ant-api03-1'],
  ],
  ['an API key of Anthropic’s as a bearer', bearer('sk-ant-api03-1'), anthropic, ['x-api-key', 'sk-ant-api03-1']],
  ['an OAuth token of Anthropic’s', bearer('sk-ant-oat01-1'), anthropic, ['authorization', 'Bearer sk-ant-oat01-1']],
  ['a bearer of a gateway before Anthropic', bearer('eyJ.a.b'), anthropic, ['authorization', 'Bearer eyJ.a.b']],
  ['an API key of Google’s as a bearer', bearer('AIza1'), gemini, ['x-goog-api-key', 'AIza1']],
  ['an OAuth token of Google’s', bearer('ya29.1'), gemini, ['authorization', 'Bearer ya29.1']],
  ['a token of Entra', bearer('eyJ.a.b'), azureOpenAI, ['authorization', 'Bearer eyJ.a.b']],
  ['Azure’s own header', { 'api-key': 'k' }, azureOpenAI, ['api-key', 'k']],
  ['another scheme', { authorization: 'Basic dTpw' }, openai, ['authorization', 'Basic dTpw']],
  ['nothing, where there is none', {}, anthropic, []],
]

for (const [about, sent, provider, expected] of cases)
  test(`own key: ${about}`, () => assert.deepEqual(ownKey(asked(sent), to(provider)), expected))

test('own key: headers that the endpoint removes or sets itself do not carry it', () => {
  const key = { ...bearer('sk-ant-api03-1'), 'x-api-key': 'sk-ant-api03-2' }
  const drop = (...names: string[]) => ownKey(asked(key), to(anthropic, 'a', names))
  assert.deepEqual(drop('x-api-key'), ['authorization', 'Bearer sk-ant-api03-1'])
  assert.deepEqual(drop('authorization'), ['x-api-key', 'sk-ant-api03-2'])
  assert.deepEqual(drop('authorization', 'x-api-key'), [])
})

const elsewhere = (error: Failure) => error.code === 'key_elsewhere' && !error.message.includes('sk-')

test('own key: one is for one host, and each for its own', () => {
  const both = asked({ ...bearer('sk-1'), 'x-api-key': 'sk-ant-api03-1' })
  assert.deepEqual(ownKey(both, to(openai, 'a')), ['authorization', 'Bearer sk-1'])
  assert.deepEqual(ownKey(both, to(openai, 'a')), ['authorization', 'Bearer sk-1'])
  assert.throws(() => ownKey(both, to(openai, 'b')), elsewhere)
  assert.deepEqual(ownKey(both, to(anthropic, 'b')), ['x-api-key', 'sk-ant-api03-1'])
  const one = asked(bearer('sk-ant-api03-1'))
  ownKey(one, to(anthropic, 'a'))
  assert.throws(() => ownKey(one, to(openai, 'b')), elsewhere)
})

test('own key: one in a WebSocket’s subprotocol is for one host, too', () => {
  const socket = asked({ 'sec-websocket-protocol': 'realtime, openai-insecure-api-key.sk-1' })
  assert.deepEqual(ownKey(socket, to(openai, 'a')), [])
  assert.throws(() => ownKey(socket, to(openai, 'b')), elsewhere)
})
