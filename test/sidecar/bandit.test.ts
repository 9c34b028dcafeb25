import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { defaultsOf } from '../../core/schema.ts'
import { bandit } from '../../core/strategies/bandit.ts'
import { compiled, dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'

/** A route that learns over a cheap and a dear model, of whose quality nothing is said unless it is. */
async function scene(t: TestContext, quality?: Readonly<Record<'cheap' | 'dear', string>>) {
  const [cheap, dear] = await upstreams(t, { name: 'cheap' }, { name: 'dear' })
  const settings = { ...defaultsOf(bandit.settings.schema), algorithm: 'Thompson', lambda: '0.5' }
  const parts = ({ price = '2', lambda = '0.5' } = {}) => {
    const of = (name: 'cheap' | 'dear', url: string, rank: number, input: string) =>
      endpoint(name, `${url}/v1`, {
        models: [
          {
            ...{ name: `${name}-model`, rank, defaults: {}, force: {}, prices: [{ price: { input, output: input } }] },
            ...(quality ? { quality: { default: quality[name], tasks: {} } } : {}),
          },
        ],
      })
    const strategy = { type: 'Bandit' as const, settings: { ...settings, lambda } }
    return {
      endpoints: [of('cheap', cheap.url, 0, '1'), of('dear', dear.url, 1, price)],
      routes: [route('chat', [rule([target('cheap'), target('dear')], { strategy })])],
    }
  }
  const { path, port, telemetry } = await dataPath(t, parts())
  let asked = 0
  const post = (to: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}${to}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const ask = async (rest: object = {}) => {
    const id = `r${asked++}`
    const messages = [{ role: 'user', content: 'Hello' }]
    const answer = await post('/v1/chat/completions', { model: 'chat', messages, ...rest }, { 'x-request-id': id })
    assert.equal(answer.status, 200, await answer.text())
    const by = answer.headers.get('x-tradewind-endpoint') === 'ai/cheap' ? ('cheap' as const) : ('dear' as const)
    return { id, by }
  }
  const score = async (id: string, value: number) => {
    const said = await post('/v1/feedback', { request_id: id, score: value })
    return said.status === 200 && ((await said.json()) as { learnt: boolean }).learnt // of our own words
  }
  const rewards = () => [...path.memories.all()].map(({ memory }) => memory.learner.seen)
  const edit = (change: { price?: string; lambda?: string }) => {
    assert.deepEqual(path.configuration.apply(compiled(parts(change))), [])
  }
  return { cheap, dear, ask, score, rewards, edit, exchanges: telemetry.exchanges }
}

test('bandit: what was learnt outlives edits of prices and weights, which count at once', async (t) => {
  const { ask, score, rewards, edit } = await scene(t, { cheap: '0.8', dear: '0.95' })
  for (let i = 0; i < 80; i++) {
    const { id, by } = await ask()
    assert.ok(await score(id, by === 'cheap' ? 0.7 : 1))
  }
  assert.deepEqual(rewards(), [80])
  const share = async () => {
    let count = 0
    for (let i = 0; i < 20; i++) if ((await ask()).by === 'cheap') count++
    return count / 20
  }
  // 0.7 − 0.5 · ½ for the cheap one, 1 − 0.5 for the dear one: as good; at a tenth of the price it is better, at equal prices worse.
  edit({ price: '10' })
  assert.ok((await share()) > 0.6)
  edit({ price: '1' })
  assert.ok((await share()) < 0.4)
  edit({ price: '10', lambda: '0.01' })
  assert.ok((await share()) < 0.4)
  assert.deepEqual(rewards(), [80])
})

test('bandit: every decision has propensities that add up to 1, and its version tells how much was known', async (t) => {
  const { ask, score, exchanges } = await scene(t)
  for (let i = 0; i < 30; i++) await score((await ask()).id, 1)
  await eventually(() => assert.equal(exchanges.length >= 30, true))
  for (const { decision } of exchanges.filter((it) => it.decision)) {
    const propensities = decision?.targets.map(({ propensity = Number.NaN }) => propensity) ?? []
    assert.ok(Math.abs(propensities.reduce((sum, it) => sum + it, 0) - 1) < 1e-9, propensities.join(' '))
    const chosen = decision?.targets.find(({ target: id }) => id === decision.order[0])
    assert.ok((chosen?.propensity ?? 0) > 0)
    assert.match(decision?.version ?? '', /^[-0-9a-f]{36}\.\d+$/)
  }
  const versions = exchanges.flatMap(({ decision }) => decision?.version?.split('.')[1] ?? [])
  assert.ok(Number(versions.at(-1)) > Number(versions[0]))
})

test('bandit: a streamed answer is learnt from, a failed one is not, and the reward is of the one that answered', async (t) => {
  const { ask, score, rewards, cheap, dear, exchanges } = await scene(t)
  const { id } = await ask({ stream: true })
  assert.ok(await score(id, 1))
  assert.deepEqual(rewards(), [1])
  assert.equal(await score('somebody-elses', 1), false)

  // Whoever is chosen first, only the other one answers.
  await dear.setFaults(['status=500'])
  const saved = await ask()
  assert.equal(saved.by, 'cheap')
  assert.ok(await score(saved.id, 0))
  await dear.setFaults([])
  await cheap.setFaults(['status=500'])
  const other = await ask()
  assert.equal(other.by, 'dear')
  assert.ok(await score(other.id, 1))
  assert.deepEqual(rewards(), [3])
  await eventually(() => assert.equal(exchanges.filter(({ decision }) => decision).length, 3))
})
