import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from 'undici'
import type { Decision } from '../../core/decide/decision.ts'
import type { DecisionLine } from '../../core/decisions/line.ts'
import { replayed } from '../../core/decisions/replayed.ts'
import { explain } from '../../core/explain.ts'
import type { Explanation } from '../../core/explain.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { observed } from '../helpers/observed.ts'
import { upstreams } from '../helpers/upstream.ts'

const names = ['a', 'b', 'c'] as const
type Headers = Readonly<Record<string, string>>

/** A sidecar with three endpoints, and what it says it would do beside what it does. */
async function sidecar(
  t: Parameters<typeof dataPath>[0],
  rules: Parameters<typeof route>[1],
  faults: readonly string[] = [],
) {
  const mocks = await upstreams(t, { faults }, {}, {})
  const { path, port } = await dataPath(t, {
    routes: [route('chat', rules)],
    endpoints: mocks.map(({ url }, index) =>
      endpoint(names[index] ?? '', `${url}/v1`, {
        breaker: {
          consecutive: 1,
          percent: 50,
          minimum: 20,
          within: 30_000,
          openFor: 60_000,
          probes: 1,
          rampUp: [100],
        },
      }),
    ),
  })
  const said = (model = 'chat', headers: Headers = {}, at = '/v1/chat/completions'): Explanation => {
    const { runtime } = path.configuration
    assert.ok(runtime)
    return explain(
      runtime.table,
      { model, path: at, header: (name) => headers[name] },
      path.deps.now(),
      path.deps.wall(),
    )
  }
  const done = async (model = 'chat', headers: Headers = {}, at = '/v1/chat/completions') => {
    const answer = await request(`http://127.0.0.1:${port}${at}`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }),
    })
    const text = await answer.body.text()
    const code = /"code":"(\w+)"/.exec(text)?.[1]
    const header = (name: string) => String(answer.headers[`x-tradewind-${name}`] ?? '')
    return { status: answer.statusCode, code, rule: header('rule'), endpoint: header('endpoint') }
  }
  return { said, done }
}

test('explain: the shares that it names are those that requests get', async (t) => {
  const { said, done } = await sidecar(t, [
    rule([target('a', { weight: 5 }), target('b', { weight: 3 }), target('c', { weight: 0 })]),
  ])
  const counts = new Map<string, number>()
  for (let i = 0; i < 200; i++) {
    const { endpoint } = await done()
    counts.set(
      `${endpoint} ${endpoint.slice(3)}-model`,
      (counts.get(`${endpoint} ${endpoint.slice(3)}-model`) ?? 0) + 1,
    )
  }
  const { targets } = said()
  assert.deepEqual(
    targets.map(({ share }) => share),
    [5 / 8, 3 / 8, 0],
  )
  for (const { target, share } of targets) {
    const observed = (counts.get(target) ?? 0) / 200
    assert.ok(Math.abs(observed - share) < 0.02, `${target}: ${observed} observed, ${share} explained`)
  }
})

test('explain: the rule is the one that answers, and those before it say what they miss', async (t) => {
  const gold = { name: 'x-tier', type: 'Exact', value: 'gold' } as const
  const { said, done } = await sidecar(t, [
    rule([target('b')], { name: 'gold', matches: [{ headers: [gold] }] }),
    rule([target('c')], { name: 'small', matches: [{ model: { value: 'mini-', prefix: true }, headers: [] }] }),
    rule([target('a')], { name: 'rest' }),
  ])
  const asked: readonly Headers[] = [{}, { 'x-tier': 'gold' }, { 'x-tier': 'silver' }]
  for (const headers of asked) {
    const [explained, happened] = [said('chat', headers), await done('chat', headers)]
    assert.equal(explained.rule, happened.rule)
    assert.equal(explained.targets.find(({ share }) => share === 1)?.target.split(' ')[0], happened.endpoint)
  }
  assert.deepEqual(said().passed, [
    { rule: 'gold', why: 'header x-tier is not gold' },
    { rule: 'small', why: 'the model is not mini-*' },
  ])
})

test('explain: a sticky key has one target, the one that it gets', async (t) => {
  const { said, done } = await sidecar(t, [
    rule([target('a'), target('b'), target('c')], { sticky: { header: 'x-user' } }),
  ])
  for (const user of ['ann', 'bob', 'cem', 'dora', 'eve']) {
    const headers = { 'x-user': user }
    const { targets, sticky } = said('chat', headers)
    assert.deepEqual(sticky, { header: 'x-user', key: user })
    assert.deepEqual(
      targets.map(({ share }) => share).sort((a, b) => a - b),
      [0, 0, 1],
    )
    assert.equal(targets.find(({ share }) => share === 1)?.target.split(' ')[0], (await done('chat', headers)).endpoint)
  }
  assert.deepEqual(said().sticky, { header: 'x-user' })
})

test('explain: a target that is out gives its share to the others, and says why', async (t) => {
  const { said, done } = await sidecar(
    t,
    [rule([target('a'), target('b'), target('c', { priority: 1 })])],
    ['status=500'],
  )
  // Half of the requests begin at the one that fails, and a first failure opens its breaker.
  for (let i = 0; i < 4; i++) await done()
  const [a, b, c] = said().targets
  assert.deepEqual([a?.state, a?.share, a?.why], ['circuit_open', 0, 'The others take its share.'])
  assert.deepEqual([b?.state, b?.share], ['available', 1])
  assert.deepEqual([c?.state, c?.share], ['available', 0])
})

test('explain: what does not resolve, or has no weight, has no share, or fails', async (t) => {
  const unavailable = { reason: 'EndpointNotFound', message: 'ModelEndpoint ai/x does not exist.' }
  const gap = target('x', { unavailable })
  const { said, done } = await sidecar(t, [
    rule([target('a'), gap], {
      name: 'others',
      matches: [{ headers: [{ name: 'x-case', type: 'Exact', value: '1' }] }],
    }),
    rule([target('a'), gap], {
      name: 'fail',
      matches: [{ headers: [{ name: 'x-case', type: 'Exact', value: '2' }] }],
      onUnavailable: 'Fail',
    }),
    rule([gap], { name: 'none', matches: [{ headers: [{ name: 'x-case', type: 'Exact', value: '3' }] }] }),
    rule([target('a', { weight: 0 })], { name: 'zero' }),
  ])
  const shares = (headers: Headers) => said('chat', headers).targets.map(({ share }) => share)
  assert.deepEqual(shares({ 'x-case': '1' }), [1, 0])
  assert.deepEqual(shares({ 'x-case': '2' }), [0.5, 0.5])
  const failing: readonly Headers[] = [{ 'x-case': '3' }, {}]
  for (const headers of failing) {
    const [{ error }, { status, code }] = [said('chat', headers), await done('chat', headers)]
    assert.deepEqual([error?.status, error?.code], [status, code])
  }
})

test('explain: what no route or rule answers has the error that a caller gets', async (t) => {
  const { said, done } = await sidecar(t, [
    rule([target('a')], { matches: [{ path: { type: 'Exact', value: '/v1/chat/completions' }, headers: [] }] }),
  ])
  for (const [model, path] of [
    ['other', '/v1/chat/completions'],
    ['chat', '/v1/embeddings'],
    ['', '/v1/chat/completions'],
    ['chat', '/v2/nowhere'],
  ] as const) {
    const [{ error }, { status, code }] = [said(model, {}, path), await done(model, {}, path)]
    assert.deepEqual([error?.status, error?.code], [status, code], `${model} at ${path}`)
  }
})

test('explain: of a choice that is weighed it says what is then done, and why', async (t) => {
  const mocks = await upstreams(t, {}, {}, {})
  const rungs = [
    { quality: '0.6', price: '1' },
    { quality: '0.8', price: '3' },
    { quality: '0.95', price: '10' },
  ]
  const { url, admin } = await observed(
    t,
    {
      endpoints: mocks.map(({ url: base }, rank) => {
        const { quality, price } = rungs[rank] ?? { quality: '0', price: '0' }
        const name = names[rank] ?? ''
        return endpoint(name, `${base}/v1`, {
          models: [
            {
              name: `${name}-model`,
              rank,
              quality: { default: quality, tasks: rank === 0 ? { math: '0.9' } : {} },
              capabilities: rank === 1 ? { input: ['Text'] } : {},
              prices: [{ price: { input: price, output: price } }],
              defaults: {},
              force: {},
            },
          ],
        })
      }),
      routes: [
        route('chat', [
          rule(
            names.map((name) => target(name)),
            {
              strategy: { type: 'LeastCost', settings: { floor: '0.7' } },
              adjust: [
                { when: { headers: [{ name: 'x-tier', type: 'Exact', value: 'gold' }] }, minRank: 2 },
                { when: { headers: [{ name: 'x-pin', type: 'Present', value: '' }] }, pin: { endpoint: 'ai/b' } },
                {
                  when: { headers: [{ name: 'x-none', type: 'Present', value: '' }] },
                  allow: [{ endpoint: 'ai/none' }],
                },
              ],
            },
          ),
        ]),
      ],
    },
    Math.random,
    { to: ['memory'], file: undefined },
  )
  const picture = [
    { type: 'text', text: 'What is it?' },
    { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
  ]
  const cases: readonly (readonly [Headers, unknown, string])[] = [
    [{}, 'Hello there', 'ai/b'],
    [{ 'x-tradewind-task': 'math' }, 'Hello there', 'ai/a'],
    [{ 'x-tier': 'gold' }, 'Hello there', 'ai/c'],
    [{}, picture, 'ai/c'],
    [{ 'x-pin': 'yes', 'x-tradewind-task': 'math' }, 'Hello', 'ai/b'],
  ]
  for (const [headers, content, chosen] of cases) {
    const body = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content }] })
    const query = new URLSearchParams({ model: 'chat' })
    for (const [name, value] of Object.entries(headers)) query.append('header', `${name}: ${value}`)
    const said = (await (
      await fetch(`${admin}/explain?${query.toString()}`, { method: 'POST', body })
    ).json()) as Explanation
    const done = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body, headers })
    await done.text()
    assert.equal(done.headers.get('x-tradewind-endpoint'), chosen)
    assert.equal(said.targets[0]?.target, `${chosen} ${chosen.slice(3)}-model`)
    assert.deepEqual([said.targets[0].share, said.reason], [1, done.headers.get('x-tradewind-reason')])
    for (const it of said.targets) assert.ok(it.why.endsWith('.') && it.cost && it.quality, JSON.stringify(it))
    const recorded = (await (
      await fetch(`${admin}/decisions?id=${done.headers.get('x-request-id')}`)
    ).json()) as DecisionLine
    assert.deepEqual(
      said.targets.map((it) => [it.target, it.quality, it.cost]),
      replayed(recorded.decision as Decision).targets.map((it) => [it.target, it.quality, (it.cost ?? 0) / 1e12]),
    )
  }
  const none = (await (await fetch(`${admin}/explain?model=chat&header=x-none:%20yes`)).json()) as Explanation
  assert.equal(none.error?.code, 'target_not_allowed')
  assert.match(none.targets[0]?.why ?? '', /is not among those that an adjustment allows: it is not asked/)
})
