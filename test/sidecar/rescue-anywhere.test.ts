import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import type { CompiledEndpoint } from '../../api/compiled.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstream } from '../helpers/upstream.ts'

/**
 * Streams of every kind, stopped after each of their events in turn, as the official SDKs put them together: whatever the caller had, it comes away with the
 * answer that nothing happened to.
 */

const schema = {
  type: 'object',
  properties: { place: { type: 'string' }, days: { type: 'integer' } },
  required: ['place', 'days'],
}
const asks = {
  words: 'Tell me of the harbour.',
  call: 'get_weather of the harbour, please',
  'words and calls': 'aloud get_weather and get_tide of the harbour, please',
} as const
type Ask = keyof typeof asks
const names = ['get_weather', 'get_tide']

type Api = 'openai' | 'anthropic'
const models: Readonly<Record<Api, string>> = { openai: 'gpt-4o', anthropic: 'claude-sonnet-4-5' }
const types: Readonly<Record<Api, CompiledEndpoint['provider']>> = {
  openai: { type: 'OpenAI' },
  anthropic: { type: 'Anthropic' },
}

/** Fields that differ from one answer to the next. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, it: unknown) =>
      ['id', 'model', 'created', 'usage', 'system_fingerprint', 'service_tier', 'signature', 'x-request-id'].includes(
        key,
      )
        ? undefined
        : it,
    ),
  )

async function byOpenAI(url: string, ask: Ask, headers: Record<string, string>, thinking: boolean): Promise<unknown> {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'own', maxRetries: 0 })
  const tools = names.map((name) => ({ type: 'function' as const, function: { name, parameters: schema } }))
  const stream = client.chat.completions.stream(
    {
      model: 'any',
      messages: [{ role: 'user', content: asks[ask] }],
      ...(ask === 'words' ? {} : { tools }),
      ...(thinking ? { reasoning_effort: 'low' as const } : {}),
    },
    { headers },
  )
  return plain((await stream.finalChatCompletion()).choices)
}

async function byAnthropic(
  url: string,
  ask: Ask,
  headers: Record<string, string>,
  thinking: boolean,
): Promise<unknown> {
  const client = new Anthropic({ baseURL: url, apiKey: 'own', maxRetries: 0 })
  const tools = names.map((name) => ({ name, input_schema: { ...schema, type: 'object' as const } }))
  const stream = client.messages.stream(
    {
      model: 'any',
      max_tokens: 4000,
      messages: [{ role: 'user', content: asks[ask] }],
      ...(ask === 'words' ? {} : { tools }),
      ...(thinking ? { thinking: { type: 'enabled' as const, budget_tokens: 1024 } } : {}),
    },
    { headers },
  )
  const { content, stop_reason } = await stream.finalMessage()
  return plain({ content, stop_reason })
}

for (const [caller, ask] of [
  ['OpenAI', byOpenAI],
  ['Anthropic', byAnthropic],
] as const)
  for (const [first, second] of [
    ['openai', 'openai'],
    ['anthropic', 'anthropic'],
    ['openai', 'anthropic'],
    ['anthropic', 'openai'],
  ] as const)
    for (const [kind, thinking] of [
      ['words', false],
      ['call', false],
      ['words and calls', false],
      ['words', true],
    ] as const) {
      // What one provider has thought, another signs otherwise, or thinks of nothing to show.
      if (thinking && (first !== 'anthropic' || second !== 'anthropic')) continue
      test(`rescue: ${caller}’s SDK, ${first} and then ${second}, ${kind}${thinking ? ' after thoughts' : ''}: stopped after any event`, async (t) => {
        const mocks = {
          openai: await upstream(t, { name: 'm', provider: 'openai', tokens: 8 }),
          anthropic: await upstream(t, { name: 'm', provider: 'anthropic', tokens: 8 }),
        }
        const urls = { openai: `${mocks.openai.url}/v1`, anthropic: mocks.anthropic.url }
        const breaker = {
          consecutive: 1000,
          percent: 100,
          minimum: 1000,
          within: 30_000,
          openFor: 1,
          probes: 1,
          rampUp: [100],
        }
        const end = (name: string, api: Api, model: string) =>
          endpoint(name, urls[api], {
            provider: types[api],
            breaker,
            models: [{ name: model, rank: 0, defaults: {}, force: {} }],
          })
        const { url, telemetry } = await dataPath(t, {
          routes: [
            route('any', [
              rule([
                target('a', { model: `${models[first]}-first` }),
                target('b', { model: models[second], priority: 1 }),
              ]),
            ]),
          ],
          endpoints: [end('a', first, `${models[first]}-first`), end('b', second, models[second])],
        })
        const whole = await ask(url, kind, {}, thinking)
        let stops = 0
        for (let after = 1; ; after++) {
          const fault = `truncate,after=${after},model=${models[first]}-first`
          const got = await ask(url, kind, { 'x-mock-fault': fault }, thinking)
          assert.deepEqual(got, whole, `after ${after} events`)
          const facts = telemetry.exchanges.at(-1)
          if (facts?.attempts.length === 1) break
          stops++
        }
        assert.ok(stops > 5)
      })
    }
