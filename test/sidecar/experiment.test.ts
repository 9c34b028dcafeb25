import assert from 'node:assert/strict'
import { Agent, request } from 'undici'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledRule } from '../../api/compiled.ts'
import { replay } from '../../core/decide/decision.ts'
import { decisionLine, readLine } from '../../core/decisions/line.ts'
import { explain } from '../../core/explain.ts'
import { requestLine } from '../../sidecar/request-log.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstreams } from '../helpers/upstream.ts'

const VERSION = 'experiment.1'
const gathering = { route: 'ai/chat', rule: 'all', version: VERSION }

/** A sidecar with two targets and an experiment over them. */
async function lab(
  t: TestContext,
  experiment: Partial<NonNullable<CompiledRule['experiment']>> = {},
  more: Partial<CompiledRule> = {},
) {
  const [a, b] = await upstreams(t, { keep: 0 }, { keep: 0 })
  const arms = [
    { name: 'control', endpoint: 'ai/a', model: 'a-model', weight: 1 },
    { name: 'treatment', endpoint: 'ai/b', model: 'b-model', weight: 1 },
  ]
  const config = {
    endpoints: [endpoint('a', `${a.url}/v1`), endpoint('b', `${b.url}/v1`)],
    routes: [
      route('chat', [
        rule([target('a'), target('b', { weight: 0 })], {
          experiment: { name: 'test', unit: 'x-user', salt: 'test', arms, ...experiment },
          evidence: { version: VERSION },
          ...more,
        }),
      ]),
    ],
  }
  const { path, port, telemetry } = await dataPath(t, config)
  path.evidence.keep([gathering])
  const agent = new Agent()
  t.after(() => agent.close())
  const ask = async (user?: string, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await request(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      dispatcher: agent,
      headers: { ...headers, ...(user === undefined ? {} : { 'X-User': user }) },
      body: '{"model":"chat","messages":[{"role":"user","content":"Hi"}]}',
    })
    await answer.body.dump()
    const said = (name: string) => String(answer.headers[`x-tradewind-${name}`] ?? '')
    return { status: answer.statusCode, arm: said('experiment'), endpoint: said('endpoint'), reason: said('reason') }
  }
  /** What was counted, by arm; clusters put together. */
  const counted = () => {
    const sums = new Map<string, { n: number; errors: number; clusters: number; size: number }>()
    for (const [name, tally] of path.evidence.find(gathering)?.arms ?? []) {
      const [arm = ''] = name.split('#')
      const { n, errors, clusters, size } = sums.get(arm) ?? { n: 0, errors: 0, clusters: 0, size: 0 }
      sums.set(arm, {
        n: n + tally.n,
        errors: errors + tally.errors,
        clusters: clusters + 1,
        size: size + tally.size.sum,
      })
    }
    return sums
  }
  return { a, b, ask, counted, telemetry, path }
}

test('experiment: a unit stays with its arm, whose target is asked first, whatever the weights of targets', async (t) => {
  const { ask, counted } = await lab(t)
  const arms = new Map<string, string>()
  for (let round = 0; round < 2; round++)
    for (let user = 0; user < 60; user++) {
      const { arm, endpoint: by, reason } = await ask(`user-${user}`)
      assert.equal(by, arm === 'test/control' ? 'ai/a' : 'ai/b')
      assert.equal(reason, 'experiment')
      assert.equal(arms.get(`${user}`) ?? arm, arm)
      arms.set(`${user}`, arm)
    }
  const treated = [...arms.values()].filter((arm) => arm === 'test/treatment').length
  assert.ok(treated > 12 && treated < 48, String(treated))
  const sums = counted()
  assert.equal(sums.get('treatment')?.n, 2 * treated)
  assert.equal(sums.get('control')?.n, 2 * (60 - treated))
  assert.ok((sums.get('control')?.clusters ?? 0) > 8)
  assert.ok((sums.get('control')?.size ?? 0) > 0)
})

test('experiment: requests without the unit, or outside its part of the layer, are split as usual and not counted', async (t) => {
  const { ask, counted } = await lab(t)
  assert.deepEqual(await ask(), { status: 200, arm: '', endpoint: 'ai/a', reason: 'only_target' })
  assert.equal(counted().size, 0)
  const other = await lab(t, { layer: { name: 'ai/answers', from: 0, to: 30 } })
  let own = 0
  for (let user = 0; user < 100; user++) {
    const { arm, endpoint: by } = await other.ask(`user-${user}`)
    if (arm !== '') own++
    else assert.equal(by, 'ai/a')
  }
  assert.ok(own > 12 && own < 50, String(own))
  assert.equal(
    [...other.counted().values()].reduce((sum, { n }) => sum + n, 0),
    own,
  )
})

test('experiment: each request is a unit of its own where no header is named', async (t) => {
  const { ask, counted } = await lab(t, { unit: undefined })
  for (let i = 0; i < 80; i++) await ask()
  const { n = 0 } = counted().get('treatment') ?? {}
  assert.ok(n > 18 && n < 62, String(n))
  assert.equal(counted().get('control')?.n, 80 - n)
})

test('experiment: what becomes of the units of an arm counts for it, whoever answers', async (t) => {
  const { b, ask, counted } = await lab(t)
  await b.setFaults(['status=500'])
  let treated = 0
  // Far more than its breaker waits for: from then on it is not even asked.
  for (let user = 0; user < 80; user++) {
    const { arm, status, endpoint: by } = await ask(`user-${user}`)
    assert.deepEqual([status, by], [200, 'ai/a'])
    if (arm === 'test/treatment') treated++
  }
  assert.ok(b.stats().requests < treated)
  assert.deepEqual(
    [counted().get('treatment')?.n, counted().get('treatment')?.errors, counted().get('control')?.errors],
    [treated, treated, 0],
  )
})

test('experiment: a request that some arm may not be asked of is of none', async (t) => {
  const when = { headers: [{ name: 'x-topic', type: 'Exact' as const, value: 'medical' }] }
  const denied = await lab(t, {}, { adjust: [{ when, deny: [{ endpoint: 'ai/b' }] }] })
  const pinned = await lab(t, {}, { adjust: [{ when, pin: { endpoint: 'ai/a' } }] })
  for (const { ask, counted } of [denied, pinned]) {
    for (let user = 0; user < 10; user++) {
      const { arm, endpoint: by } = await ask(`user-${user}`, { 'x-topic': 'medical' })
      assert.deepEqual([arm, by], ['', 'ai/a'])
    }
    assert.equal(counted().size, 0)
    assert.notEqual((await ask('user-1')).arm, '')
  }
})

test('experiment: the arm stands in the line of the request and of its decision, which can be made again', async (t) => {
  const { ask, telemetry } = await lab(t)
  for (let user = 0; user < 10; user++) await ask(`user-${user}`)
  for (const facts of telemetry.exchanges) {
    const { arm } = { arm: facts.experiment ?? '' }
    assert.match(arm, /^test\/(control|treatment)$/)
    assert.ok(requestLine(facts, 'info', undefined).includes(`"experiment":"${arm}"`))
    const record = {
      facts,
      trace: undefined,
      generation: 1,
      tier: '',
      task: '',
      tokens: undefined,
      features: undefined,
    }
    const line = readLine(
      decisionLine({ ...record, asked: undefined, strongest: undefined, quality: undefined, content: undefined }),
    )
    assert.equal(line?.experiment, arm)
    assert.ok(line.decision)
    assert.deepEqual(replay(line.decision), line.decision.order)
    assert.equal(line.decision.order[0], arm === 'test/control' ? 'ai/a a-model' : 'ai/b b-model')
  }
})

test('experiment: explain says which arm a request is of', async (t) => {
  const { path, ask } = await lab(t)
  const said = (headers: Readonly<Record<string, string>>) => {
    const { runtime } = path.configuration
    assert.ok(runtime)
    const request = { model: 'chat', path: '/v1/chat/completions', header: (name: string) => headers[name] }
    return explain(runtime.table, request, path.deps.now(), path.deps.wall())
  }
  for (let user = 0; user < 8; user++) {
    const { arm, endpoint: by } = await ask(`user-${user}`)
    const { experiment, targets, reason } = said({ 'x-user': `user-${user}` })
    assert.equal(
      experiment,
      `Experiment test assigns units by header x-user (control 50 %, treatment 50 %): this one is of ${arm.slice('test/'.length)}.`,
    )
    assert.equal(reason, 'experiment')
    const [first] = targets.filter(({ share }) => share === 1)
    assert.equal(first?.target.split(' ')[0], by)
    assert.match(first?.why ?? '', /arm that the unit belongs to/)
  }
  assert.match(said({}).experiment ?? '', /this request is of none/)
  const each = await lab(t, { unit: undefined, layer: { name: 'ai/l', from: 0, to: 50 } })
  const { runtime } = each.path.configuration
  assert.ok(runtime)
  const { experiment } = explain(
    runtime.table,
    { model: 'chat', path: '/v1/chat/completions', header: () => undefined },
    0,
    0,
  )
  assert.equal(
    experiment,
    'Experiment test assigns each request of 0 to 50 % of layer ai/l by itself: control 50 %, treatment 50 %.',
  )
})
