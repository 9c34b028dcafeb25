import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { request } from 'undici'
import type { MirrorStatus } from '../../api/mirror.ts'
import { eventually } from '../helpers/eventually.ts'
import { type FleetLab, NAMESPACE, startFleetLab } from '../helpers/lab.ts'
import { needs } from '../helpers/needs.ts'
import { route, seen } from '../helpers/operators.ts'

const SIDECARS = 3
/** USD for a million tokens. */
const prices = { own: 2, candidate: 5 }
const priced = (usd: number) => ({ models: [{ name: 'm', price: { input: `${usd}`, output: `${usd}` } }] })

describe('mirrors of a fleet', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  let lab: FleetLab
  before(
    async () => {
      lab = await startFleetLab({
        operators: 2,
        sidecars: SIDECARS,
        models: [{ name: 'own' }, { name: 'candidate' }, { name: 'free' }],
        endpoints: { own: priced(prices.own), candidate: priced(prices.candidate), free: priced(0) },
      })
    },
    { timeout: 120_000 },
  )
  after(() => lab?.stop())

  const mirror = async (name: string): Promise<MirrorStatus | undefined> => {
    const { status } = await seen(lab.server, 'mroute', NAMESPACE, name)
    return (status as { mirrors?: readonly MirrorStatus[] }).mirrors?.[0] // as the CRD's schema has it
  }
  const mirroring = (name: string, target: string, more: object = {}) =>
    route(NAMESPACE, name, {
      models: [name],
      rules: [
        {
          name: 'all',
          targets: [{ endpoint: { name: 'own' } }],
          mirror: { target: { name: target }, percent: 100, maxConcurrent: 16, ...more },
        },
      ],
    })
  const serves = (name: string) =>
    eventually(
      async () => {
        const { status } = await seen(lab.server, 'mroute', NAMESPACE, name)
        assert.deepEqual(status.sidecars?.acknowledged, SIDECARS)
      },
      { within: 30_000 },
    )
  const ask = async (url: string, model: string, words: number) => {
    const messages = [{ role: 'user', content: 'word '.repeat(words) }]
    const body = JSON.stringify({ model, messages, max_tokens: 50 })
    const answer = await request(`${url}/v1/chat/completions`, { method: 'POST', body })
    assert.equal(answer.statusCode, 200, await answer.body.text())
    assert.equal(answer.headers['x-tradewind-attempts'], '1')
  }
  const skipped = (it: MirrorStatus | undefined) => (it?.skipped ?? []).reduce((sum, { count }) => sum + count, 0)

  test('the status adds up what all sidecars have found, to the last request, and a new leader loses none of it', async () => {
    const name = 'adds-up'
    await lab.apply(mirroring(name, 'free', { budget: { spendPercent: 10 } }))
    await serves(name)
    let sent = 0
    const some = async () => {
      for (const { url } of lab.sidecars)
        for (let i = 0; i < 10; i++) {
          await ask(url, name, 5)
          sent++
        }
    }
    const counted = () =>
      eventually(
        async () => {
          const found = await mirror(name)
          assert.equal((found?.requests ?? 0) + skipped(found), sent)
          assert.equal(found?.target, 'free/m')
        },
        { within: 40_000, every: 250 },
      )
    await some()
    await counted()
    await lab.killLeader()
    await eventually(async () => assert.ok(await lab.leader()), { within: 20_000 })
    await some()
    await counted()
    const { requests: n = 0, candidate, current, spent } = (await mirror(name)) ?? {}
    assert.ok(n > sent / 2, String(n))
    assert.deepEqual([candidate?.errors, current?.errors, spent], [0, 0, '0'])
    assert.ok(Number(candidate?.p95) > 0 && Number(current?.p95) > 0)

    await lab.apply(
      route(NAMESPACE, name, { models: [name], rules: [{ name: 'all', targets: [{ endpoint: { name: 'own' } }] }] }),
    )
    await eventually(async () => assert.equal(await mirror(name), undefined), { within: 20_000, every: 250 })
  })

  test('the bill of all sidecars together is never above the part of what the requests have cost', async () => {
    const name = 'bounded'
    const spendPercent = 40
    await lab.apply(
      mirroring(name, 'candidate', {
        budget: { spendPercent },
        judge: { endpoint: { name: 'candidate' }, percent: 50 },
      }),
    )
    await serves(name)
    await Promise.all(
      lab.sidecars.flatMap(({ url }) =>
        Array.from({ length: 4 }, async () => {
          for (let i = 0; i < 40; i++) await ask(url, name, 300)
        }),
      ),
    )
    await eventually(
      async () => {
        const found = await mirror(name)
        assert.equal((found?.requests ?? 0) + skipped(found), SIDECARS * 4 * 40)
      },
      { within: 40_000, every: 250 },
    )
    const found = await mirror(name)
    assert.ok(
      (found?.requests ?? 0) > 5 && found?.skipped.some(({ reason }) => reason === 'unaffordable'),
      JSON.stringify(found),
    )
    const cost = async (endpoint: string) => {
      const all = await Promise.all(lab.sidecars.map(({ admin }) => costOf(admin, name, endpoint)))
      return all.reduce((sum, each) => sum + each, 0)
    }
    const [earned, billed] = [await cost('own'), await cost('candidate')]
    assert.ok(billed > 0 && billed <= (earned * spendPercent) / 100, `${billed} of ${earned}`)
    assert.ok(Number(found?.spent) >= billed - 1e-9)
  })
})

/** What calls of an endpoint have cost for a route, USD, as a sidecar's metrics have it. */
async function costOf(admin: string, name: string, endpoint: string): Promise<number> {
  const metrics = await (await request(`${admin}/metrics`)).body.text()
  const line = new RegExp(
    `^tradewind_cost_usd_total\\{route="${NAMESPACE}/${name}",[^}]*endpoint="${NAMESPACE}/${endpoint}"[^}]*\\} (.*)$`,
    'm',
  )
  return Number(line.exec(metrics)?.[1] ?? 0)
}
