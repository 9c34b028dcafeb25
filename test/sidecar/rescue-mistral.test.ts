import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'

test('rescue: an answer that stops at OpenAI goes on at Mistral, from its prefix and without it', async (t) => {
  const [openai, mistral] = await upstreams(
    t,
    { name: 'mock', provider: 'openai' },
    { name: 'mock', provider: 'mistral' },
  )
  const { url, telemetry } = await dataPath(t, {
    routes: [route('m', [rule([target('a'), target('b', { priority: 1 })])])],
    endpoints: [
      endpoint('a', `${openai.url}/v1`, { provider: { type: 'OpenAI' } }),
      endpoint('b', `${mistral.url}/v1`, { provider: { type: 'Mistral' } }),
    ],
  })
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x', maxRetries: 0 })
  const answer = async (): Promise<string> => {
    let text = ''
    const stream = await client.chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content: 'Tell me of the sea', name: 'Ann' }],
      seed: 3,
      stream: true,
    })
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    return text
  }
  const undisturbed = await answer()
  await openai.setFaults(['truncate=6'])
  assert.equal(await answer(), undisturbed)
  const asked: unknown = JSON.parse(mistral.requests()[0]?.body ?? '{}')
  const { messages, random_seed: seed, seed: none } = Object(asked)
  assert.deepEqual([seed, none, messages[0]], [3, undefined, { role: 'user', content: 'Tell me of the sea' }])
  assert.deepEqual([messages[1].role, messages[1].prefix], ['assistant', true])
  assert.ok(messages[1].content.length > 0 && undisturbed.startsWith(messages[1].content))
  await eventually(() => assert.equal(telemetry.exchanges.length, 2))
  assert.equal(telemetry.exchanges[1]?.code, undefined)
})
