import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { formOf } from '../../core/bandits/form.ts'
import { useApiServer } from '../helpers/envtest.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'
import {
  apply,
  connectSidecar,
  endpoint,
  type OperatorProcess,
  prepare,
  route,
  runningPod,
  seen,
  type SidecarClient,
  startOperator,
  SYSTEM,
} from '../helpers/operators.ts'

describe('several replicas', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  const server = useApiServer()
  const operators: OperatorProcess[] = []
  const sidecars: SidecarClient[] = []
  let weight = 1

  before(async () => {
    await prepare(server())
    for (let i = 0; i < 3; i++) operators.push(await startOperator(server()))
    await server().namespace('ai')
    await apply(server(), endpoint('ai', 'models'), chat())
    // Two sidecars at each replica.
    for (let i = 0; i < 6; i++) {
      await runningPod(server(), 'ai', `app-${i}`)
      sidecars.push(await connectSidecar(server(), operators[i % 3]?.ports.push ?? 0, 'ai', `app-${i}`))
    }
  })
  after(async () => {
    for (const it of sidecars) it.stop()
    await Promise.all(operators.map((it) => it.stop()))
  })

  function chat(): object {
    return route('ai', 'chat', {
      rules: [{ name: 'all', targets: [{ endpoint: { name: 'models' }, weight: weight++ }] }],
    })
  }
  const lease = async () => {
    const text = await server().kubectl(['get', 'lease', 'tradewind-operator', '-n', SYSTEM, '-o', 'json'])
    // coordination.k8s.io/v1
    return (JSON.parse(text) as { spec: { holderIdentity: string; leaseTransitions: number } }).spec
  }
  const leaders = async () => {
    const now = operators.filter(({ child }) => !child.hasEnded())
    const leading = await Promise.all(now.map((it) => it.metric('tradewind_operator_leader')))
    return now.filter((_, i) => leading[i] === 1)
  }
  const leader = () =>
    eventually(
      async () => {
        const all = await leaders()
        const [first] = all
        assert.equal(all.length, 1)
        assert.ok(first)
        return first
      },
      { within: 15_000, every: 50 },
    )
  /** All connected sidecars, wherever they are connected, have acknowledged the newest generation, and the status says so. */
  const programmed = (count: number, within = 10_000) =>
    eventually(
      async () => {
        const { status, generation } = await seen(server(), 'mroute', 'ai', 'chat')
        const condition = status.conditions?.find(({ type }) => type === 'Programmed')
        assert.equal(condition?.observedGeneration, generation)
        assert.equal(condition?.status, 'True')
        assert.deepEqual(status.sidecars, { targeted: 6, connected: count, acknowledged: count, rejected: 0 })
      },
      { within },
    )

  test('one of them leads, and its status counts the acknowledgements of all', async () => {
    await leader()
    await programmed(6)
    await apply(server(), chat())
    await programmed(6)
  })

  test('a refusal at a follower, and what its sidecars observe, show in the leader’s status', async () => {
    const lead = await leader()
    const i = operators.findIndex((it) => it !== lead)
    const sidecar = sidecars[i]
    assert.ok(sidecar)
    sidecar.refuse = () => [{ resource: 'route/ai/chat', path: '', message: 'no' }]
    await apply(server(), chat())
    await eventually(async () => {
      const { status } = await seen(server(), 'mroute', 'ai', 'chat')
      const condition = status.conditions?.find(({ type }) => type === 'Programmed')
      assert.equal(condition?.reason, 'Rejected')
      assert.match(condition?.message ?? '', new RegExp(`ai/app-${i}\\.`))
    })
    sidecar.refuse = () => []
    sidecar.report({
      window: 1000,
      age: 1,
      targets: [{ route: 'ai/chat', rule: 'all', endpoint: 'ai/models', model: 'm', requests: 42, errors: 0 }],
      models: [{ endpoint: 'ai/models', model: 'm', state: 'open', healthy: false }],
    })
    await apply(server(), chat())
    await programmed(6)
    await eventually(
      async () => {
        assert.equal((await seen(server(), 'mroute', 'ai', 'chat')).status.rules?.[0]?.targets[0]?.requests, 42)
        assert.equal((await seen(server(), 'mep', 'ai', 'models')).status.sidecars?.open, 1)
      },
      { within: 10_000 },
    )
  })

  test('a leader that stops hands over at once: another leads in a new epoch, and no sidecar misses an edit', async () => {
    const old = await leader()
    const { leaseTransitions } = await lease()
    const at = operators.indexOf(old)
    const edited = apply(server(), chat())
    const stopped = performance.now()
    await old.stop()
    const next = await leader()
    const took = performance.now() - stopped
    assert.notEqual(next, old)
    // Left to expire, the lease would have held for 3 s more.
    assert.ok(took < 3000, `${took} ms without a leader`)
    assert.equal((await lease()).leaseTransitions, leaseTransitions + 1)
    await edited
    await programmed(4)
    const again = await startOperator(server(), { flags: ['--push-port', String(old.ports.push)] })
    operators[at] = again
    await programmed(6)
  })

  test('a leader that is killed is followed by another when its lease has expired; pushing goes on meanwhile', async () => {
    const old = await leader()
    const at = operators.indexOf(old)
    const others = sidecars.filter((_, i) => i % 3 !== at)
    await old.child.stop(0)
    await apply(server(), chat())
    const expected = weight - 1
    const served = (it: SidecarClient) => {
      const body = it.applied.at(-1)?.get('route/ai/chat')?.body
      return body && 'rules' in body ? body.rules[0]?.targets[0]?.weight : undefined
    }
    await eventually(() => assert.deepEqual(others.map(served), Array(4).fill(expected)), { within: 2000 })
    await leader()
    await programmed(4)
    operators[at] = await startOperator(server(), { flags: ['--push-port', String(old.ports.push)] })
    await programmed(6)
  })

  test('an operator that comes back sends only what differs', async () => {
    const lead = await leader()
    const at = operators.findIndex((it) => it !== lead)
    const old = operators[at]
    assert.ok(old)
    const mine = sidecars.filter((_, i) => i % 3 === at)
    await apply(server(), endpoint('ai', 'unused'), chat())
    await programmed(6)
    const before = mine.map(({ applied }) => applied.length)
    await old.child.stop(0)
    operators[at] = await startOperator(server(), { flags: ['--push-port', String(old.ports.push)] })
    await eventually(() => assert.ok(mine.every(({ client }) => client.connected)))
    await programmed(6)
    assert.deepEqual(
      mine.map(({ applied }) => applied.length),
      before,
      'nothing differs, so nothing is applied',
    )
    const bytes = await operators[at]?.metric('tradewind_operator_push_bytes_total')
    assert.ok(bytes !== undefined && bytes < 500, `${bytes} bytes for two sidecars that had it all`)
  })

  test('two that think they lead do not both write: the epoch tells them apart', async () => {
    const { holderIdentity, leaseTransitions } = await lease()
    const patch = { spec: { holderIdentity: 'somebody-else', leaseTransitions: leaseTransitions + 1 } }
    await server().kubectl([
      ...['patch', 'lease', 'tradewind-operator', '-n', SYSTEM, '--type', 'merge', '-p', JSON.stringify(patch)],
    ])
    await eventually(async () => assert.equal((await leaders()).length, 0))
    await apply(server(), chat())
    // Nobody renews that lease; when it has expired, one of them takes it.
    await leader()
    const now = await lease()
    assert.ok(now.leaseTransitions >= leaseTransitions + 2)
    assert.notEqual(now.holderIdentity, 'somebody-else')
    assert.match(holderIdentity, /_/)
    await programmed(6)
  })

  test('any replica answers for the whole fleet', async () => {
    const { Agent, request } = await import('undici')
    const roots = await server().kubectl(['get', 'cm', 'tradewind-ca', '-n', 'ai', '-o', 'jsonpath={.data.ca\\.crt}'])
    const dispatcher = new Agent({ connect: { ca: roots } })
    const token = await server().token(SYSTEM, 'tradewind-operator')
    for (const { ports } of operators) {
      const { statusCode, body } = await request(`https://localhost:${ports.push}/v1/status`, {
        dispatcher,
        headers: { authorization: `Bearer ${token}` },
      })
      // The operator's own words.
      const { sidecars } = (await body.json()) as { sidecars: { pod: string; connected: boolean; routes: object[] }[] }
      assert.equal(statusCode, 200)
      assert.deepEqual(
        sidecars.map(({ pod, connected, routes }) => ({ pod, connected, routes })),
        Array.from({ length: 6 }, (_, i) => ({
          pod: `ai/app-${i}`,
          connected: true,
          routes: [{ name: 'ai/chat', serves: 'Current' }],
        })),
      )
    }
    await dispatcher.close()
  })

  test('what the sidecars of one replica learn, those of all know; a leader that is killed takes none of it along', async () => {
    const form = formOf('Thompson', 500)
    const strategy = { type: 'Bandit', bandit: { algorithm: 'Thompson', lambda: '0.5', halfLife: 500 } }
    const rules = [{ name: 'all', targets: [{ endpoint: { name: 'models' } }], strategy }]
    await apply(server(), route('ai', 'learns', { rules }))
    const learners = sidecars.map(({ memories }) => memories.of({ route: 'ai/learns', rule: 'all', form }))
    const see = (at: number, times: number) => {
      for (let i = 0; i < times; i++) learners[at]?.observe('ai/models m', Float64Array.of(1), Number.NaN, 1)
    }
    const all = (count: number) =>
      eventually(
        () =>
          assert.deepEqual(
            learners.map(({ learner }) => learner.seen),
            learners.map(() => count),
          ),
        { within: 60_000, every: 200 },
      )
    for (let at = 0; at < 6; at++) see(at, at + 1)
    await all(21)

    const old = await leader()
    const at = operators.indexOf(old)
    await old.child.stop(0)
    see((at + 1) % 3, 4)
    await leader()
    operators[at] = await startOperator(server(), { flags: ['--push-port', String(old.ports.push)] })
    await all(25)
  })
})
