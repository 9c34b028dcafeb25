import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { upstreams } from '../helpers/upstream.ts'
import type { Coverage } from './coverage.ts'
import { at, chat, sidecar, to } from './setting.ts'

/** A path that a simulated server answers with 200. */
const GOOD = '/v1/models'

/**
 * Two targets: `a` with such checks, and faults that strike only those; `b` for when `a` is out. What the checks come to is awaited: on a
 * busy machine one may fail that would not have.
 */
async function checked(t: TestContext, active: object, ...faults: readonly string[]) {
  const only = faults.map((fault) => `${fault},path=${GOOD}`)
  const [a, b] = await upstreams(t, { faults: only }, {})
  const health = { active: { path: GOOD, interval: '300ms', timeout: '300ms', unhealthyAfter: 1, ...active } }
  const { ask } = await sidecar(t, {
    endpoints: { a: at(a.url, { health }), b: at(b.url) },
    routes: { chat: chat([to('a'), to('b', { priority: 1 })]) },
  })
  const checks = () => a.requests().filter(({ method, ended }) => method === 'GET' && ended !== undefined).length
  return {
    checks,
    afterChecks: (count: number) => eventually(() => assert.ok(checks() >= count, `${checks()} checks`)),
    answers: async () => (await ask()).endpoint,
    becomes: (endpoint: string) => eventually(async () => assert.equal((await ask()).endpoint, endpoint)),
  }
}

export const health: Coverage = {
  'ModelEndpoint spec.health.active.path': async (t) => {
    await (await checked(t, { path: '/nowhere' })).becomes('b')
    const good = await checked(t, {})
    await good.afterChecks(3)
    await good.becomes('a')
  },
  'ModelEndpoint spec.health.active.interval': async (t) => {
    const [often, seldom] = [await checked(t, {}), await checked(t, { interval: '24h' })]
    await often.afterChecks(4)
    assert.equal(seldom.checks(), 0)
  },
  'ModelEndpoint spec.health.active.timeout': async (t) => {
    await (await checked(t, { timeout: '50ms', interval: '400ms' }, 'delay=200')).becomes('b')
    const patient = await checked(t, { timeout: '400ms', interval: '400ms' }, 'delay=200')
    await patient.afterChecks(2)
    await patient.becomes('a')
  },
  'ModelEndpoint spec.health.active.unhealthyAfter': async (t) => {
    // Once out it stays out, so that the two failures cannot be missed.
    await (await checked(t, { unhealthyAfter: 2, healthyAfter: 100 }, 'status=500,times=2')).becomes('b')
    const lenient = await checked(t, { unhealthyAfter: 3, healthyAfter: 100 }, 'status=500,times=2')
    await lenient.afterChecks(4)
    assert.equal(await lenient.answers(), 'a')
  },
  'ModelEndpoint spec.health.active.healthyAfter': async (t) => {
    const quick = await checked(t, { healthyAfter: 1 }, 'status=500,times=1')
    await quick.afterChecks(3)
    await quick.becomes('a')
    const slow = await checked(t, { healthyAfter: 100 }, 'status=500,times=1')
    await slow.afterChecks(3)
    assert.equal(await slow.answers(), 'b')
  },
}
