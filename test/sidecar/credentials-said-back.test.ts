import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledEndpoint } from '../../api/compiled.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { scripted } from '../helpers/scripted.ts'

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
