import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { request } from 'undici'
import type { CompiledEndpoint, CompiledRule } from '../../api/compiled.ts'
import type { MockOptions } from '../../cli/mock/server.ts'
import type { Tally } from '../../core/evidence/tally.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { gate, REFUSAL } from '../helpers/ladder.ts'
import { upstreams } from '../helpers/upstream.ts'

const VERSION = 'h.0.0'
const OF = { route: 'ai/chat', rule: 'all', version: VERSION }
const [STABLE, CANARY] = ['ai/stable stable-model', 'ai/canary canary-model']
const messages = [{ role: 'user', content: 'Hello' }]
const PRICE = [{ price: { input: '1000', output: '1000' } }]

interface Shape {
  readonly ruled?: Partial<CompiledRule>
  readonly stable?: MockOptions
  readonly models?: Partial<Record<'stable' | 'canary', Partial<CompiledEndpoint['models'][number]>>>
  readonly canary?: Partial<CompiledEndpoint>
}

interface Asked {
  readonly stream?: boolean
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
  readonly body?: object
}

/** Two targets of equal weight. */
async function pair(t: TestContext, mock: MockOptions, { ruled, stable = {}, models = {}, canary }: Shape = {}) {
  const [s, c] = await upstreams(t, stable, mock)
  const model = (name: 'stable' | 'canary') => ({
    models: [{ name: `${name}-model`, rank: 0, defaults: {}, force: {}, prices: PRICE, ...models[name] }],
  })
  const { path, url, apply } = await dataPath(t)
  const parts = (version: string | undefined) => ({
    routes: [
      route('chat', [
        rule([target('stable'), target('canary')], { ...(version ? { evidence: { version } } : {}), ...ruled }),
      ]),
    ],
    endpoints: [
      endpoint('stable', `${s.url}/v1`, model('stable')),
      endpoint('canary', `${c.url}/v1`, { ...model('canary'), ...canary }),
    ],
  })
  assert.deepEqual(apply(parts(VERSION)), [])
  path.evidence.keep([OF])
  const ask = async ({ stream = false, headers = {}, signal, body = {} }: Asked = {}) => {
    const answer = await request(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'chat', stream, messages, ...body }),
      ...(signal ? { signal } : {}),
    })
    return {
      status: answer.statusCode,
      by: String(answer.headers['x-tradewind-endpoint']),
      text: await answer.body.text(),
    }
  }
  const tallies = () => {
    const arms = path.evidence.find(OF)?.arms
    return { stable: arms?.get(STABLE), canary: arms?.get(CANARY) }
  }
  /** Asks until each arm has had a request. */
  const askBoth = async (asked: Asked = {}) => {
    for (let i = 0; i < 12; i++) {
      await ask(asked)
      await eventually(() => assert.equal((tallies().stable?.n ?? 0) + (tallies().canary?.n ?? 0), i + 1))
      if (tallies().stable && tallies().canary) return
    }
    assert.fail('the targets do not take turns')
  }
  return { path, url, apply, parts, ask, askBoth, tallies }
}

/** Shares of an arm's requests. */
const shares = (tally: Tally | undefined) => {
  const { n = 0, errors = 0, truncations = 0, refusals = 0, escalations = 0, latency, firstToken } = tally ?? {}
  return {
    errors: errors / n,
    truncations: truncations / n,
    refusals: refusals / n,
    escalations: escalations / n,
    latencies: (latency?.count ?? 0) / n,
    firsts: (firstToken?.count ?? 0) / n,
  }
}
const good = (stream = false) => ({
  errors: 0,
  truncations: 0,
  refusals: 0,
  escalations: 0,
  latencies: 1,
  firsts: stream ? 1 : 0,
})

for (const stream of [false, true])
  test(`evidence: ${stream ? 'streamed' : 'unary'}: what became of each request is counted for the target that was drawn`, async (t) => {
    const { askBoth, tallies } = await pair(t, { latency: '60ms' })
    await askBoth({ stream })
    const { stable, canary } = tallies()
    assert.deepEqual(shares(stable), good(stream))
    assert.deepEqual(shares(canary), good(stream))
    assert.ok((canary?.latency.quantile(0) ?? 0) >= 59)
    if (stream) assert.ok((canary?.firstToken.quantile(0) ?? 0) >= 59)
    assert.equal(canary?.cost.n, canary?.n)
    const cost = (canary?.cost.sum ?? 0) / (canary?.n ?? 1)
    assert.ok(cost > 0.003 && cost < 3, `dollars: ${cost}`)
  })

const unwell: readonly (readonly [fault: string, stream: boolean, found: Partial<ReturnType<typeof shares>>])[] = [
  ['status=500', false, { errors: 1 }],
  ['status=503', true, { errors: 1 }],
  ['reset', false, { errors: 1 }],
  ['html', false, { errors: 1 }],
  ['malformed', true, { errors: 1, truncations: 1 }],
  ['no-finish', true, { errors: 1, truncations: 1 }],
  ['error-middle', true, { errors: 1, truncations: 1 }],
  ['rate-limit', false, { errors: 1 }],
  ['quota', false, { errors: 1 }],
  ['empty', false, { errors: 1 }],
  ['status=404', false, { errors: 1 }],
  ['status=401', false, { errors: 1 }],
  ['status=422', false, {}],
  ['context-length', false, {}],
  ['content-refused', false, { refusals: 1 }],
]
for (const [fault, stream, found] of unwell)
  test(`evidence: ${fault}${stream ? ', streamed' : ''}: it is the canary's, whoever answered in the end`, async (t) => {
    const { askBoth, tallies } = await pair(t, { faults: [fault], tokens: 40 })
    await askBoth({ stream })
    const { canary, stable } = tallies()
    assert.deepEqual(shares(canary), { ...good(), latencies: 0, ...found })
    assert.deepEqual(shares(stable), good(stream))
  })

for (const stream of [false, true])
  test(`evidence: ${stream ? 'streamed' : 'unary'}: an answer that a filter ended is a refusal`, async (t) => {
    const { askBoth, tallies } = await pair(t, { faults: ['content-filter'] }, { ruled: { fallback: { when: [] } } })
    await askBoth({ stream })
    assert.deepEqual(shares(tallies().canary), { ...good(stream), refusals: 1 })
    assert.equal(tallies().stable?.refusals, 0)
  })

test('evidence: a retry that helps makes it no error', async (t) => {
  const ruled = { retry: { attempts: 1, when: ['Status5xx'] } } satisfies Partial<CompiledRule>
  const { askBoth, tallies } = await pair(t, { faults: ['status=500,times=1'] }, { ruled })
  await askBoth()
  assert.deepEqual(shares(tallies().canary), good())
})

test('evidence: what gates escalate is counted, and what they find of its answer is the quality of the one that was drawn', async (t) => {
  const shape = { ruled: { gate: gate() }, models: { stable: { rank: 1 } } }
  const { askBoth, tallies } = await pair(t, { faults: [REFUSAL] }, shape)
  await askBoth()
  const { stable, canary } = tallies()
  assert.deepEqual(shares(canary), { ...good(), escalations: 1, latencies: 0 })
  assert.deepEqual([canary?.quality.n, canary?.quality.sum], [canary?.n, 0])
  assert.deepEqual([stable?.escalations, stable?.quality.n], [0, 0], 'nobody is stronger: it is not examined')
})

test('evidence: feedback is the quality of the arm that the request was drawn for, though another one answered', async (t) => {
  const { url, ask, tallies } = await pair(t, { faults: ['status=500'] })
  for (let i = 0; i < 8; i++) await ask({ headers: { 'x-request-id': `${i}` } })
  const say = async (request_id: string, score: number) => {
    const answer = await request(`${url}/v1/feedback`, { method: 'POST', body: JSON.stringify({ request_id, score }) })
    return { status: answer.statusCode, said: (await answer.body.json()) as Record<string, unknown> }
  }
  for (let i = 0; i < 8; i++) {
    const { status, said } = await say(`${i}`, 0.5)
    assert.deepEqual([status, said['counted'], said['target']], [200, true, STABLE])
    await say(`${i}`, 0.25)
  }
  assert.equal((await say('unknown', 1)).status, 404)
  for (const tally of Object.values(tallies())) {
    assert.ok((tally?.n ?? 0) > 1)
    assert.deepEqual([tally?.quality.n, tally?.quality.sum], [tally?.n, (tally?.n ?? 0) / 4])
  }
})

test('evidence: whoever leaves is no error of the target, and has waited so long at least', async (t) => {
  const { ask, tallies } = await pair(t, { latency: '5s' }, { stable: { latency: '5s' } })
  await assert.rejects(ask({ signal: AbortSignal.timeout(300) }))
  await eventually(() => assert.equal((tallies().stable?.n ?? 0) + (tallies().canary?.n ?? 0), 1))
  const found = tallies().stable ?? tallies().canary
  assert.deepEqual(shares(found), good())
  assert.ok((found?.latency.quantile(0) ?? 0) > 200)
})

test('evidence: where a hedge is faster, the slow one was at least as slow', async (t) => {
  const { askBoth, tallies } = await pair(t, { latency: '5s' }, { ruled: { hedge: { after: 150, percent: 100 } } })
  await askBoth()
  assert.deepEqual(shares(tallies().canary), good())
  assert.ok((tallies().canary?.latency.quantile(0) ?? 0) >= 145)
})

test('evidence: a share that fails with its target counts, though the target is not asked', async (t) => {
  const ruled = { onUnavailable: 'Fail', fallback: { when: [] } } satisfies Partial<CompiledRule>
  const { ask, tallies } = await pair(t, { faults: ['status=500'] }, { ruled })
  for (let i = 0; i < 20; i++) await ask()
  const { errors = 0, n = 0 } = tallies().canary ?? {}
  assert.equal(errors, n)
  assert.ok(n > 7, `${n}: five until the breaker opens, and those after`)
  assert.equal(tallies().stable?.errors, 0)
})

test('evidence: what others answer for a target that is out is a failure of its share, and nothing of theirs', async (t) => {
  for (const sticky of [false, true]) {
    const { ask, tallies } = await pair(
      t,
      { faults: ['status=500'] },
      sticky ? { ruled: { sticky: { header: 'x-user' } } } : {},
    )
    for (let i = 0; i < 40; i++) {
      const { status, by } = await ask(sticky ? { headers: { 'x-user': `user ${i}` } } : {})
      assert.deepEqual([status, by], [200, 'ai/stable'])
    }
    const { canary, stable } = tallies()
    assert.equal(canary?.errors, canary?.n, 'five or so until the breaker opens, and those after')
    assert.equal((canary?.n ?? 0) + (stable?.n ?? 0), 40)
    assert.equal(stable?.errors, 0)
    assert.ok(Math.abs((canary?.n ?? 0) - 20) <= (sticky ? 12 : 2), `${canary?.n} of 40`)
  }
})

test('evidence: a target that has no room for its share fails it, whoever takes it over', async (t) => {
  const { ask, tallies } = await pair(t, { latency: '2s' }, { canary: { maxInFlight: 1 } })
  const all = Array.from({ length: 12 }, () => ask())
  for (const { status } of await Promise.all(all)) assert.equal(status, 200)
  const { canary, stable } = tallies()
  assert.equal((canary?.n ?? 0) + (stable?.n ?? 0), 12)
  assert.equal(canary?.errors, (canary?.n ?? 0) - 1, 'it had room for one')
  assert.equal(stable?.errors, 0)
  assert.equal(canary?.latency.count, 1)
})

test('evidence: what is not drawn is not counted: pinned requests, and those that not every target can take; those of a sticky key are', async (t) => {
  const pin = { endpoint: 'ai/canary', model: 'canary-model' }
  const when = { headers: [{ name: 'x-team', type: 'Exact' as const, value: 'ours' }] }
  const { ask, tallies } = await pair(
    t,
    {},
    {
      ruled: { adjust: [{ when, pin }], sticky: { header: 'x-user' } },
      models: { canary: { capabilities: { tools: false } } },
    },
  )
  for (let i = 0; i < 4; i++) assert.equal((await ask({ headers: { 'x-team': 'ours' } })).by, 'ai/canary')
  const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]
  for (let i = 0; i < 4; i++) assert.equal((await ask({ body: { tools } })).by, 'ai/stable')
  assert.deepEqual([tallies().stable, tallies().canary], [undefined, undefined])
  for (let i = 0; i < 4; i++) await ask({ headers: { 'x-user': 'one and the same' } })
  assert.equal((tallies().stable ?? tallies().canary)?.n, 4)
})

test('evidence: a new version begins with nothing, and a rule without counts nothing', async (t) => {
  const { ask, apply, parts, path } = await pair(t, {})
  await ask()
  const next = { ...OF, version: 'h.1.0' }
  apply(parts('h.1.0'))
  path.evidence.keep([next])
  await ask()
  assert.equal(path.evidence.find(OF), undefined)
  const sum = [...(path.evidence.find(next)?.arms.values() ?? [])].reduce((all, { n }) => all + n, 0)
  assert.equal(sum, 1)
  apply(parts(undefined))
  path.evidence.keep([])
  await ask()
  assert.deepEqual([...path.evidence.all()], [])
})
