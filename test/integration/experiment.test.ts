import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Agent, request } from 'undici'
import type { ExperimentStatus } from '../../api/experiment.ts'
import type { ModelRouteStatus } from '../../api/model-route.ts'
import { eventually } from '../helpers/eventually.ts'
import { type FleetLab, NAMESPACE, startFleetLab } from '../helpers/lab.ts'
import { needs } from '../helpers/needs.ts'
import { trustedRoots } from '../helpers/operators.ts'

const price = (usd: string) => ({ models: [{ name: 'm', price: { input: usd, output: usd } }] })

function routeOf(name: string, experiment: object) {
  return {
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      models: [name],
      rules: [
        {
          name: 'all',
          targets: [{ endpoint: { name: 'dear', model: 'm' } }, { endpoint: { name: 'cheap', model: 'm' } }],
          experiment: {
            name,
            unit: { header: 'x-user' },
            arms: [
              { name: 'dear', endpoint: { name: 'dear', model: 'm' } },
              { name: 'cheap', endpoint: { name: 'cheap', model: 'm' } },
            ],
            metrics: [{ metric: 'Cost', primary: true, minimumEffect: '0.1' }],
            samples: 400,
            ...experiment,
          },
        },
      ],
    },
  }
}

describe('experiment', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  let lab: FleetLab
  const agent = new Agent({ connections: 8 })
  before(
    async () => {
      lab = await startFleetLab({
        operators: 2,
        sidecars: 3,
        models: [
          { name: 'dear', tokens: 2 },
          { name: 'cheap', tokens: 2 },
        ],
        endpoints: { dear: price('2.00'), cheap: price('1.00') },
      })
    },
    { timeout: 120_000 },
  )
  after(async () => {
    await agent.close()
    await lab?.stop()
  })

  const path = (name: string) => `/apis/tradewind.dev/v1alpha1/namespaces/${NAMESPACE}/modelroutes/${name}`
  const status = async (name: string) =>
    (await lab.api.call<{ status?: ModelRouteStatus }>('GET', path(name))).status ?? {}
  const until = (name: string, holds: (it: ExperimentStatus, whole: ModelRouteStatus) => boolean) =>
    eventually(
      async () => {
        const whole = await status(name)
        const it = whole.experiments?.[0]
        if (!it || !holds(it, whole)) throw new Error(`not yet: ${JSON.stringify(it)}`)
        return it
      },
      { within: 60_000, every: 100 },
    )
  let next = 0
  /** So many requests of as many users, over all sidecars; who answered each, and of which arm it was. */
  const ask = async (model: string, count: number) => {
    const answers: { readonly endpoint: string; readonly arm: string }[] = []
    for (let i = 0; i < count; i++) {
      const user = next++
      const { url = '' } = lab.sidecars[user % lab.sidecars.length] ?? {}
      const { statusCode, headers, body } = await request(`${url}/v1/chat/completions`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'x-user': `user-${user}` },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'word '.repeat(1 + (user % 9)) }] }),
      })
      await body.dump()
      assert.equal(statusCode, 200)
      const said = (name: string) => String(headers[`x-tradewind-${name}`] ?? '')
      answers.push({ endpoint: said('endpoint'), arm: said('experiment') })
    }
    return answers
  }
  const reached = (name: string) =>
    eventually(
      async () => {
        const { sidecars } = await status(name)
        if (sidecars?.acknowledged !== lab.sidecars.length) throw new Error(`not yet: ${JSON.stringify(sidecars)}`)
      },
      { within: 30_000, every: 100 },
    )

  test('what sidecars count is decided upon by whoever leads, though the leader is killed on the way, and is then in force everywhere', async () => {
    await lab.apply(routeOf('price', { onDecision: 'Ship' }))
    await reached('price')
    await ask('price', 300)
    const running = await until('price', ({ arms }) => arms.reduce((sum, { requests }) => sum + requests, 0) === 300)
    assert.equal(running.phase, 'Running')
    await lab.killLeader()
    await ask('price', 900)
    const decided = await until('price', ({ phase }) => phase === 'Decided')
    assert.deepEqual([decided.decision, decided.winner, decided.started], ['Ship', 'cheap', running.started])
    assert.ok(decided.arms.every(({ requests }) => requests >= 400 && requests <= 1200))
    const { conditions = [] } = await status('price')
    const condition = conditions.find(({ type }) => type === 'Decided')
    assert.deepEqual([condition?.status, condition?.reason], ['True', 'Better'])
    assert.ok(
      conditions.some(({ type }) => type === 'Programmed'),
      'what others write stays',
    )
    await eventually(
      async () => {
        const answers = await ask('price', 2 * lab.sidecars.length)
        assert.ok(answers.every(({ endpoint, arm }) => endpoint === `${NAMESPACE}/cheap` && arm === ''))
      },
      { within: 30_000, every: 200 },
    )
    const events = await eventually(async () => {
      const found = await lab.server.kubectl(['get', 'events', '-n', NAMESPACE, '-o', 'json'])
      const { items } = JSON.parse(found) as { items: readonly { reason: string; message: string }[] } // what kubectl prints
      const shipped = items.filter(({ reason }) => reason === 'ExperimentShip')
      assert.ok(shipped.length > 0)
      return shipped
    })
    assert.match(events[0]?.message ?? '', /Experiment price of rule all: cheap\. Cost of cheap differs from dear by -/)
  })

  test('any replica tells of experiments those who may list rollouts', async () => {
    const { server } = lab
    await server.kubectl(['create', 'serviceaccount', 'reader', '-n', NAMESPACE])
    const token = await server.token(NAMESPACE, 'reader')
    const ca = await trustedRoots(server, NAMESPACE)
    const secure = new Agent({ connect: { ca, servername: 'localhost' } })
    const told = async (port: number) => {
      const { statusCode, body } = await request(`https://127.0.0.1:${port}/v1/experiments?namespace=${NAMESPACE}`, {
        dispatcher: secure,
        headers: { authorization: `Bearer ${token}` },
      })
      const { experiments } = (await body.json()) as { experiments?: readonly { name: string; route: string }[] } // what the page is
      return { statusCode, names: experiments?.map(({ route, name }) => `${route} ${name}`) }
    }
    try {
      const [first] = lab.operators
      assert.equal((await told(first?.ports.push ?? 0)).statusCode, 403)
      await lab.apply(
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'Role',
          metadata: { name: 'reader', namespace: NAMESPACE },
          rules: [{ apiGroups: ['tradewind.dev'], resources: ['rollouts'], verbs: ['list'] }],
        },
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'RoleBinding',
          metadata: { name: 'reader', namespace: NAMESPACE },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
          subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: NAMESPACE }],
        },
      )
      for (const { ports } of lab.operators)
        await eventually(async () =>
          assert.deepEqual(await told(ports.push), { statusCode: 200, names: [`${NAMESPACE}/price price`] }),
        )
    } finally {
      await secure.close()
    }
  })

  test('an experiment that is taken out leaves nothing behind', async () => {
    await lab.apply(routeOf('gone', {}))
    await until('gone', ({ phase }, { conditions = [] }) => {
      return phase === 'Running' && conditions.some(({ type }) => type === 'Decided')
    })
    await lab.server.kubectl([
      'patch',
      'mroute',
      'gone',
      '-n',
      NAMESPACE,
      '--type=json',
      '-p',
      JSON.stringify([{ op: 'remove', path: '/spec/rules/0/experiment' }]),
    ])
    await eventually(async () => {
      const { experiments, conditions = [] } = await status('gone')
      assert.equal(experiments, undefined)
      assert.equal(
        conditions.find(({ type }) => type === 'Decided'),
        undefined,
      )
      assert.ok(conditions.some(({ type }) => type === 'Accepted'))
    })
  })
})
