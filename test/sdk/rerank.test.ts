import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { CohereClientV2 } from 'cohere-ai'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstream } from '../helpers/upstream.ts'

/** One request to put documents in order, answered by Cohere or by a server of one's own. */

type Body = Readonly<Record<string, unknown>>

/** A server that takes a POST to `/rerank` and nothing else, until the test ends. */
async function server(
  t: TestContext,
  base: string,
  answer: (body: Body) => unknown,
): Promise<{ url: string; seen: Body[] }> {
  const seen: Body[] = []
  const http = createServer((request, response) => {
    void json(request).then((value) => {
      const body = value as Body // it is sent as an object
      seen.push(body)
      const [status, said] = request.url === `${base}/rerank` ? [200, answer(body)] : [404, { error: 'Not Found' }]
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said))
    })
  })
  await new Promise<void>((done) => void http.listen(0, '127.0.0.1', done))
  t.after(() => void http.close())
  // A TCP server's address is this object, never a pipe's name.
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}${base}`, seen }
}

/** Refuses what text-embeddings-inference refuses, and scores by length. */
function tei({ query, texts, truncate, ...others }: Body): unknown {
  assert.deepEqual(Object.keys(others), [], 'it is sent nothing that it does not know')
  assert.ok(typeof query === 'string' && Array.isArray(texts) && truncate === true)
  return texts.map((text: string, index) => ({ index, score: text.length / 100 }))
}

/** https://docs.vllm.ai/en/stable/serving/openai_compatible_server/#re-rank-api */
function vllm({ model, documents }: Body): unknown {
  assert.ok(Array.isArray(documents))
  const results = documents.map((text: string, index) => ({
    index,
    document: { text },
    relevance_score: text.length / 100,
  }))
  return { id: 'rerank-1', model, usage: { total_tokens: 9 }, results: results.toReversed() }
}

async function lab(t: TestContext) {
  const cohere = await upstream(t, { name: 'mock', provider: 'cohere' })
  const [own, other] = [await server(t, '', tei), await server(t, '/v1', vllm)]
  const path = await dataPath(t, {
    routes: [
      route('ranked', [rule([target('cohere', { model: 'rerank-v3.5' }), target('tei', { priority: 1 })])]),
      route('vllm', [rule([target('vllm')])]),
    ],
    endpoints: [
      endpoint('cohere', cohere.url, {
        provider: { type: 'Cohere' },
        models: [{ name: 'rerank-v3.5', rank: 0, defaults: {}, force: {} }],
      }),
      endpoint('tei', own.url, { provider: { type: 'OpenAICompatible', settings: { preset: 'TEI' } } }),
      endpoint('vllm', other.url, { provider: { type: 'OpenAICompatible', settings: { preset: 'VLLM' } } }),
    ],
  })
  const sdk = new CohereClientV2({ environment: path.url, token: 'the-callers-own', maxRetries: 0 })
  return { cohere, own, other, sdk, ...path }
}

const asked = { query: 'long text', documents: ['a', 'the longest of them', 'long'], topN: 2 }

test('rerank: Cohere ranks, and text-embeddings-inference where Cohere is down', async (t) => {
  const { cohere, own, sdk, telemetry } = await lab(t)
  const first = await sdk.rerank({ model: 'ranked', ...asked })
  assert.deepEqual(
    first.results.map(({ index }) => index),
    [2, 0],
  )
  assert.equal(cohere.requests()[0]?.path, '/v2/rerank')
  await cohere.setFaults(['status=503'])
  const { data, rawResponse } = await sdk.rerank({ model: 'ranked', ...asked, maxTokensPerDoc: 100 }).withRawResponse()
  assert.deepEqual(
    data.results.map(({ index, relevanceScore }) => [index, relevanceScore]),
    [
      [1, 0.19],
      [2, 0.04],
    ],
    'the best first, and no more than were asked for',
  )
  assert.ok(data.id)
  assert.equal(rawResponse.headers.get('x-tradewind-dropped'), 'maxTokensPerDocument')
  assert.deepEqual(own.seen, [{ query: asked.query, texts: asked.documents, truncate: true }])
  assert.equal(telemetry.exchanges.at(-1)?.attempts.length, 2)
})

test('rerank: a server of OpenAI’s dialect gets the caller’s own bytes, and its tokens are counted', async (t) => {
  const { other, sdk, telemetry } = await lab(t)
  const { results } = await sdk.rerank({ model: 'vllm', ...asked })
  assert.equal(results.length, 3)
  assert.deepEqual(other.seen, [{ model: 'vllm-model', query: asked.query, documents: asked.documents, top_n: 2 }])
  assert.equal(telemetry.exchanges.at(-1)?.usage?.input, 9)
})

test('rerank: a server that has no ranking says so', async (t) => {
  const openai = await upstream(t)
  const { url } = await dataPath(t, {
    routes: [route('chat', [rule([target('a')])])],
    endpoints: [endpoint('a', `${openai.url}/v1`, { provider: { type: 'OpenAI' } })],
  })
  const sdk = new CohereClientV2({ environment: url, token: 'the-callers-own', maxRetries: 0 })
  await assert.rejects(sdk.rerank({ model: 'chat', ...asked }), /operation_not_supported/)
})
