import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'

/** Some 8 MB: more than is held back. */
const answer = JSON.stringify({
  object: 'list',
  data: Array.from({ length: 200 }, (_, index) => ({ index, embedding: 'x'.repeat(40_000) })),
})

async function answering(t: TestContext, respond: (response: ServerResponse) => void) {
  let received = 0
  const server = createServer((incoming, response) => {
    incoming.on('data', (chunk: Buffer) => (received += chunk.length))
    incoming.on('end', () => respond(response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const sidecar = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [endpoint('a', `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`)],
  })
  const ask = (input = 'x') =>
    fetch(`${sidecar.url}/v1/embeddings`, { method: 'POST', body: JSON.stringify({ input, model: 'chat' }) })
  return { ...sidecar, ask, received: () => received }
}

const head = { 'content-type': 'application/json' }

test('large: an answer that is too large to be held comes whole, of known length or in chunks', async (t) => {
  for (const known of [true, false]) {
    const { ask, telemetry } = await answering(t, (response) =>
      response.writeHead(200, known ? { ...head, 'content-length': answer.length } : head).end(answer),
    )
    const seen = await ask()
    assert.equal(seen.headers.get('x-tradewind-endpoint'), 'ai/a')
    assert.equal(await seen.text(), answer)
    await eventually(() => assert.equal(telemetry.exchanges[0]?.responseBytes, answer.length))
  }
})

for (const [name, respond] of [
  [
    'cut',
    (response: ServerResponse) => {
      response.writeHead(200, { ...head, 'content-length': answer.length })
      response.write(answer.slice(0, 6_000_000), () => response.destroy())
    },
  ],
  ['ended early', (response: ServerResponse) => void response.writeHead(200, head).end(answer.slice(0, 6_000_000))],
] as const)
  test(`large: an answer that is ${name} never ends as if it were whole`, async (t) => {
    const { ask, telemetry } = await answering(t, respond)
    await assert.rejects(async () => (await ask()).text())
    await eventually(() => assert.equal(telemetry.exchanges[0]?.code, 'upstream_truncated'))
  })

test('large: a prompt of megabytes goes on with its model’s name alone changed', async (t) => {
  const { ask, received } = await answering(t, (response) => void response.writeHead(200, head).end('{"data":[]}'))
  const input = 'é'.repeat(2_000_000)
  assert.equal((await ask(input)).status, 200)
  const sent = Buffer.byteLength(JSON.stringify({ input, model: 'chat' }))
  assert.equal(received(), sent + 'a-model'.length - 'chat'.length)
})
