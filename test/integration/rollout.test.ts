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
  /** In force, as the status has them. */
  const weights = async (name: string) => (await status(name)).rules?.[0]?.targets.map(({ weight }) => weight)
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

  test('an annotation pauses it, a weight set by hand is in force, and without a rollout the weights of the manifest are', async () => {
    const slow = { dwell: '10m' }
    await lab.apply(routeOf('held', 'good', slow))
    await until('held', ({ weight, reason }) => weight === 20 && reason !== 'WaitingForSidecars')
    const annotate = (value: string) =>
      lab.server.kubectl([
        'annotate',
        '--overwrite',
        'mroute',
        'held',
        '-n',
        NAMESPACE,
        `tradewind.dev/rollout=${value}`,
      ])
    await annotate('pause@lunch')
    const paused = await until('held', ({ phase }) => phase === 'Paused')
    assert.deepEqual([paused.reason, paused.by, paused.weight], ['PausedByHand', 'annotation (lunch)', 20])
    await annotate('resume')
    await until('held', ({ phase }) => phase === 'Progressing')

    const edited = routeOf('held', 'good', slow)
    for (const { targets } of edited.spec.rules)
      for (const target of targets) target.weight = target.weight === 1 ? 11 : 99
    await lab.apply(edited)
    const byHand = await until('held', ({ reason }) => reason === 'WeightSetByHand')
    assert.deepEqual([byHand.phase, byHand.weight], ['Paused', 10])
    await eventually(async () => assert.deepEqual(await weights('held'), [99, 11]), { within: 10_000, every: 100 })
    await annotate('resume@2')
    await until('held', ({ weight, phase }) => weight === 20 && phase === 'Progressing')
    await annotate('abort')
    const back = await until('held', ({ phase }) => phase === 'RolledBack')
    assert.equal(back.reason, 'Aborted')
    await eventually(async () => assert.deepEqual(await weights('held'), [99, 0]), { within: 10_000, every: 100 })
    assert.equal((await status('held')).conditions?.find(({ type }) => type === 'Promoted')?.status, 'False')

    const plain = routeOf('held', 'good', slow)
    for (const rule of plain.spec.rules) Reflect.deleteProperty(rule, 'rollout')
    for (const { targets } of plain.spec.rules)
      for (const target of targets) target.weight = target.weight === 1 ? 11 : 99
    await lab.apply(plain)
    await eventually(
      async () => {
        const { rollouts, rollout: eye, conditions = [] } = await status('held')
        assert.deepEqual([rollouts, eye], [undefined, undefined])
        assert.ok(conditions.every(({ type }) => type !== 'Promoted'))
        assert.deepEqual(await weights('held'), [99, 11])
      },
      { within: 10_000, every: 100 },
    )
  })

  test('another canary begins anew, and Events tell of each step with the evidence', async () => {
    await lab.apply(routeOf('again', 'bad', { dwell: '10m' }))
    const first = await until('again', ({ weight }) => weight === 20)
    await lab.apply(routeOf('again', 'good', { dwell: '10m' }))
    const second = await until('again', (it) => it.canary === 'good/m' && it.weight === 20)
    assert.notEqual(second.version.split('.')[0], first.version.split('.')[0])
    const { items } = await lab.api.call<{ items: { regarding: { name: string }; reason: string; note: string }[] }>(
      'GET',
      `/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`,
    )
    const of = (name: string) => items.filter(({ regarding }) => regarding.name === name)
    assert.ok(of('again').some(({ reason, note }) => reason === 'RolloutStep' && note.startsWith('Step 1 of 3, 20 %')))
    assert.ok(of('good').some(({ reason, note }) => reason === 'RolloutStep' && /ErrorRate .* E-value/.test(note)))
    assert.deepEqual(
      of('bad')
        .flatMap(({ reason }) => (reason.startsWith('RolloutRo') ? [reason] : []))
        .toSorted(),
      ['RolloutRolledBack', 'RolloutRollingBack'],
    )
  })

  test('it holds while a sidecar does not acknowledge, and names its pod', async () => {
    const [slow, ...rest] = lab.sidecars
    assert.ok(slow)
    await lab.apply(routeOf('waits', 'good'))
    await until('waits', ({ weight, reason }) => weight === 20 && reason !== 'WaitingForSidecars')
    process.kill(slow.child.pid, 'SIGSTOP')
    try {
      const end = new AbortController()
      const running = load({ urls: rest.map(({ url }) => url), model: 'waits', perSecond: 100, signal: end.signal })
      const held = await until('waits', ({ reason, waiting }) => reason === 'WaitingForSidecars' && waiting > 0)
      assert.deepEqual(held.waitsFor, [slow.pod])
      assert.match(held.message, new RegExp(slow.pod))
      assert.equal(held.weight, 50)
      process.kill(slow.child.pid, 'SIGCONT')
      await until('waits', ({ phase }) => phase === 'Promoted')
      end.abort()
      assert.deepEqual((await running).failures, [])
    } finally {
      process.kill(slow.child.pid, 'SIGCONT')
    }
  })
})
