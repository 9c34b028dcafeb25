import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledArtefact, CompiledRule } from '../../api/compiled.ts'
import type { MockOptions } from '../../cli/mock/server.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { ask, REFUSAL } from '../helpers/ladder.ts'
import { Router } from '../helpers/router.ts'
import { upstreams } from '../helpers/upstream.ts'

/** A cheap and a strong target behind a classifier that takes the cheap one to do with such a chance. */
async function pair(
  t: TestContext,
  acceptable: number,
  first: MockOptions,
  second: MockOptions = {},
  rest: Partial<CompiledRule> = {},
  requestTimeout = 600_000,
) {
  const [a, b] = await upstreams(t, first, second)
  const router = new Router({ 'a-model': { chat: acceptable }, 'b-model': { chat: 0.99 } })
  const artefact: CompiledArtefact = { artefact: Buffer.from(router.bytes).toString('base64') }
  const priced = (rank: number) => ({ prices: [{ price: { input: String(10 ** rank), output: String(10 ** rank) } }] })
  const sidecar = await dataPath(t, {
    routes: [
      route(
        'chat',
        [
          rule([target('a'), target('b')], {
            strategy: { type: 'Classifier', settings: { artefact: { name: 'router' }, floor: '0.05' } },
            speculate: { from: '0.3', to: '0.7', percent: 100 },
            ...rest,
          }),
        ],
        { requestTimeout },
      ),
    ],
    endpoints: [a, b].map((mock, rank) => {
      const name = rank === 0 ? 'a' : 'b'
      const models = [{ name: `${name}-model`, rank, defaults: {}, force: {}, ...priced(rank) }]
      return endpoint(name, `${mock.url}/v1`, { models })
    }),
    artefacts: { 'ai/router': artefact },
  })
  const body = { messages: [{ role: 'user', content: router.example('chat') }] }
  const asking = (stream = false, signal?: AbortSignal) =>
    ask(sidecar.url, { stream, body, ...(signal ? { signal } : {}) })
  /** So that it is known how long the cheap one takes. */
  const learn = async () => {
    const { latency, ttft } = first
    a.setPace({ latency: '1ms', ttft: '1ms' })
    for (let i = 0; i < 24; i++) await asking(false)
    for (let i = 0; i < 24; i++) await asking(true)
    a.setPace({ latency: latency ?? '0', ttft: ttft ?? '0' })
    b.reset()
    a.reset()
  }
  const facts = () => sidecar.telemetry.exchanges.at(-1)
  return { a, b, ...sidecar, asking, learn, facts, whys: () => facts()?.attempts.map(({ why, code }) => [why, code]) }
}

for (const stream of [false, true])
  test(`speculate: ${stream ? 'streamed' : 'unary'}: where the classifier is not sure, the strong target answers for a slow cheap one, which is left and paid for`, async (t) => {
    const { a, asking, learn, facts, whys } = await pair(t, 0.5, stream ? { ttft: '5s' } : { latency: '5s' })
    await learn()
    const { by, text } = await asking(stream)
    assert.equal(by, 'ai/b')
    assert.match(text, /heard/)
    await eventually(() => assert.ok(a.requests()[0]?.aborted))
    assert.deepEqual(whys(), [
      ['chosen', 'hedge_lost'],
      ['speculation', undefined],
    ])
    const [lost, won] = facts()?.attempts ?? []
    assert.ok((lost?.usage?.input ?? 0) > 0 && (lost?.cost ?? 0) > 0)
    assert.ok((lost?.ended ?? Infinity) - (won?.firstByte ?? 0) < 100, 'the loser is left within 100 ms')
    assert.equal(facts()?.usage?.output, won?.usage?.output)
  })

test('speculate: the cheap target answers where it comes first, and the strong one is left', async (t) => {
  const { b, asking, learn, whys } = await pair(t, 0.5, { latency: '800ms' }, { latency: '30s' })
  await learn()
  assert.equal((await asking()).by, 'ai/a')
  await eventually(() => assert.ok(b.requests()[0]?.aborted))
  assert.deepEqual(whys(), [
    ['chosen', undefined],
    ['speculation', 'hedge_lost'],
  ])
})

test('speculate: nobody is asked twice where the classifier is sure', async (t) => {
  for (const acceptable of [0.9, 0.1]) {
    const { b, asking, learn } = await pair(t, acceptable, { latency: '200ms' }, {})
    await learn()
    assert.equal((await asking()).by, 'ai/a')
    assert.equal(b.stats().requests, 0)
  }
})

test('speculate: the strong target is asked while it can still be in time', async (t) => {
  const { asking, path } = await pair(t, 0.5, { latency: '30s' }, { latency: '100ms' }, {}, 1200)
  // Of the cheap one nothing is known yet, of the strong one that it takes up to half a second.
  path.configuration.runtime?.endpoints.get('ai/b')?.models.get('b-model')?.state.ewma.observe(500)
  assert.equal((await asking()).by, 'ai/b')
})

test('speculate: what nobody has learnt says nothing of need, and nobody is asked twice', async (t) => {
  const { b, asking, learn } = await pair(t, 0.5, { latency: '200ms' }, {}, { strategy: { type: 'Weighted' } })
  await learn()
  await asking()
  assert.equal(b.requests().filter(({ aborted }) => aborted).length, 0)
})

test('speculate: a caller that leaves ends both', async (t) => {
  const { a, b, asking, learn, telemetry } = await pair(t, 0.5, { latency: '5s' }, { latency: '5s' })
  await learn()
  const leaving = new AbortController()
  const asked = asking(false, leaving.signal).catch(() => undefined)
  await eventually(() => assert.equal(b.stats().requests, 1))
  leaving.abort()
  await asked
  await eventually(() => assert.ok(a.requests()[0]?.aborted && b.requests()[0]?.aborted))
  await eventually(() => assert.equal(telemetry.exchanges.at(-1)?.code, 'client_closed'))
})

/** A rule whose answers must not be refusals. */
const refusalGate = {
  gate: {
    mode: 'Buffer',
    prefix: { tokens: 40, within: 800 },
    checks: [{ type: 'Refusal' }],
    maxEscalations: 1,
  },
} as const

test('speculate: behind a gate, the strong target that lost to a wanting answer is asked again', async (t) => {
  const { asking, learn, a, b, whys } = await pair(t, 0.5, { latency: '800ms' }, { latency: '30s' }, refusalGate)
  await learn()
  await a.setFaults([REFUSAL])
  const asked = asking()
  await eventually(() => assert.equal(b.stats().requests, 1))
  b.setPace({ latency: '0' })
  assert.equal((await asked).by, 'ai/b')
  assert.deepEqual(whys(), [
    ['chosen', undefined],
    ['speculation', 'hedge_lost'],
    ['escalation', undefined],
  ])
})

test('speculate: behind a gate, a cheap answer that comes first is still examined', async (t) => {
  const { asking, learn, a, whys } = await pair(t, 0.5, { latency: '150ms' }, {}, refusalGate)
  await learn()
  await a.setFaults([REFUSAL])
  a.setPace({ latency: '0' })
  assert.equal((await asking()).by, 'ai/b')
  assert.equal(whys()?.at(-1)?.[0], 'escalation')
})
