import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ModelRouteStatus } from '../../api/model-route.ts'
import type { RolloutStatus } from '../../api/rollout.ts'
import { eventually } from '../helpers/eventually.ts'
import { type FleetLab, NAMESPACE, startFleetLab } from '../helpers/lab.ts'
import { load } from '../helpers/load.ts'
import type { Loaded } from '../helpers/load.ts'
import { needs } from '../helpers/needs.ts'

/** A route to a canary and a stable target, with steps short enough for a test. */
function routeOf(name: string, canary: string, rollout: object = {}, rest: object = {}) {
  return {
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      models: [name],
      rules: [
        {
          name: 'all',
          targets: [
            { endpoint: { name: 'stable', model: 'm' }, weight: 99 },
            { endpoint: { name: canary, model: 'm' }, weight: 1 },
          ],
          retry: { attempts: 0 },
          rollout: {
            canary: { name: canary, model: 'm' },
            steps: [{ weight: 20 }, { weight: 50 }, { weight: 100 }],
            dwell: '500ms',
            samples: 20,
            guardrails: [{ metric: 'ErrorRate', margin: '0.1' }],
            cooldown: '1s',
            ...rollout,
          },
          ...rest,
        },
      ],
    },
  }
}

describe('rollout', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  let lab: FleetLab
  before(
    async () => {
      lab = await startFleetLab({
        operators: 1,
        sidecars: 3,
        models: [
          { name: 'stable', tokens: 2 },
          { name: 'good', tokens: 2 },
          { name: 'bad', tokens: 2, faults: ['status=500,percent=40'] },
        ],
      })
    },
    { timeout: 120_000 },
  )
  after(() => lab?.stop())

  const path = (name: string) => `/apis/tradewind.dev/v1alpha1/namespaces/${NAMESPACE}/modelroutes/${name}`
  const status = async (name: string) =>
    (await lab.api.call<{ status?: ModelRouteStatus }>('GET', path(name))).status ?? {}
  const rollout = async (name: string): Promise<RolloutStatus | undefined> => (await status(name)).rollouts?.[0]
  const until = (name: string, holds: (it: RolloutStatus) => boolean, within = 60_000) =>
    eventually(
      async () => {
        const it = await rollout(name)
        if (!it || !holds(it)) throw new Error(`not yet: ${JSON.stringify(it)}`)
        return it
      },
      { within, every: 100 },
    )
  /** Every sidecar has the route. */
  const reached = (name: string) =>
    eventually(
      async () => {
        const { sidecars } = await status(name)
        if (sidecars?.acknowledged !== lab.sidecars.length) throw new Error(`not yet: ${JSON.stringify(sidecars)}`)
      },
      { within: 30_000, every: 100 },
    )
  /** Runs something under load, and gives what became of the requests. */
  const underLoad = async (model: string, work: () => Promise<unknown>, perSecond = 100): Promise<Loaded> => {
    const end = new AbortController()
    const running = load({ urls: lab.sidecars.map(({ url }) => url), model, perSecond, signal: end.signal })
    try {
      await work()
    } finally {
      end.abort()
    }
    return running
  }

  test('a good canary goes from its first step to all requests by itself, and no request fails', async () => {
    await lab.apply(routeOf('good', 'good'))
    await reached('good')
    const seen: RolloutStatus[] = []
    const loaded = await underLoad('good', () =>
      until('good', (it) => {
        seen.push(it)
        return it.phase === 'Promoted'
      }),
    )
    assert.deepEqual(loaded.failures, [])
    const weights = [...new Set(seen.map(({ weight }) => weight))]
    assert.deepEqual(
      weights.filter((weight) => weight > 0),
      [20, 50, 100],
    )
    const { conditions = [], rollout: eye } = await status('good')
    assert.equal(conditions.find(({ type }) => type === 'Promoted')?.status, 'True')
    assert.equal(eye, 'Promoted')
  })

  test('a bad one is back at no requests, and the evidence is told', async () => {
    await lab.apply(routeOf('bad', 'bad', {}, { fallback: { when: [] } }))
    await reached('bad')
    const loaded = await underLoad('bad', () => until('bad', (it) => it.phase === 'RolledBack'))
    const it = await rollout('bad')
    assert.equal(it?.reason, 'GuardrailBroken')
    assert.equal(it?.weight, 0)
    assert.ok((it?.harmed ?? 0) > 0 && (it?.harmed ?? 0) <= loaded.failed, `${it?.harmed} of ${loaded.failed}`)
    assert.match(it?.message ?? '', /ErrorRate .* E-value/)
    const after = await underLoad('bad', () => new Promise((resolve) => setTimeout(resolve, 500)))
    assert.equal(after.by.get(`${NAMESPACE}/bad`), undefined)
    assert.equal(after.failed, 0)
  })
})
