import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
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
  startOperator,
} from '../helpers/operators.ts'

describe('the status that the operator writes', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  const server = useApiServer()
  let operator: OperatorProcess

  before(async () => {
    await prepare(server())
    operator = await startOperator(server())
  })
  after(async () => operator?.stop())

  const writes = (name: string) =>
    server()
      .auditLog()
      .filter(
        ({ verb, objectRef }) => verb === 'patch' && objectRef?.subresource === 'status' && objectRef.name === name,
      )

  test('status: an applied route is compiled, pushed, acknowledged and Programmed 1/1', async (t) => {
    await server().namespace('walk')
    await apply(
      server(),
      endpoint('walk', 'models'),
      route('walk', 'chat', { rules: [{ targets: [{ endpoint: { name: 'models' } }] }] }),
    )
    await eventually(async () =>
      assert.equal((await seen(server(), 'mroute', 'walk', 'chat')).condition('Programmed'), 'False/NoSidecars'),
    )
    await runningPod(server(), 'walk', 'app')
    await eventually(async () => {
      const { condition, status } = await seen(server(), 'mroute', 'walk', 'chat')
      assert.equal(condition('Programmed'), 'False/Pending')
      assert.match(status.conditions?.find((it) => it.type === 'Programmed')?.message ?? '', /walk\/app/)
    })
    const sidecar = await connectSidecar(server(), operator.ports.push, 'walk', 'app')
    t.after(() => sidecar.stop())
    const found = await eventually(async () => {
      const it = await seen(server(), 'mroute', 'walk', 'chat')
      assert.equal(it.condition('Programmed'), 'True/Programmed')
      return it
    })
    assert.equal(found.condition('Accepted'), 'True/Accepted')
    assert.equal(found.condition('ResolvedRefs'), 'True/ResolvedRefs')
    assert.deepEqual(found.status.sidecars, { targeted: 1, connected: 1, acknowledged: 1, rejected: 0 })
    assert.deepEqual([...(sidecar.applied.at(-1)?.keys() ?? [])].sort(), ['endpoint/walk/models', 'route/walk/chat'])

    // kubectl shows it.
    const table = await server().kubectl(['get', 'mroute', 'chat', '-n', 'walk'])
    assert.match(
      table,
      /^NAME\s+MODELS\s+ACCEPTED\s+PROGRAMMED\s+SPLIT\s+FAULTS\s+ROLLOUT\s+AGE\nchat\s+\["chat"\]\s+True\s+1\/1\s/,
    )
    assert.match(
      await server().kubectl(['get', 'tradewind', '-n', 'walk']),
      /modelendpoint\.tradewind\.dev\/models\s+OpenAICompatible\s+True/,
    )
  })

  test('status: each edit is Programmed at its own generation, and a condition that holds keeps its time', async (t) => {
    await server().namespace('edits')
    const weighted = (weight: number) =>
      route('edits', 'chat', {
        rules: [
          {
            targets: [
              { endpoint: { name: 'one' }, weight },
              { endpoint: { name: 'two' }, weight: 100 - weight },
            ],
          },
        ],
      })
    await apply(server(), endpoint('edits', 'one'), endpoint('edits', 'two'), weighted(90))
    await runningPod(server(), 'edits', 'app')
    const sidecar = await connectSidecar(server(), operator.ports.push, 'edits', 'app')
    t.after(() => sidecar.stop())
    const programmed = (generation: number) =>
      eventually(async () => {
        const it = await seen(server(), 'mroute', 'edits', 'chat')
        const condition = it.status.conditions?.find(({ type }) => type === 'Programmed')
        assert.equal(condition?.observedGeneration, generation)
        assert.equal(condition?.status, 'True')
        return it
      })
    const first = await programmed(1)
    for (const [i, weight] of [50, 0, 100, 10].entries()) {
      await apply(server(), weighted(weight))
      const { status } = await programmed(i + 2)
      assert.equal(status.programmed, '1/1')
      assert.match(status.split ?? '', weight === 0 ? /two/ : new RegExp(`${weight}% one`))
      const accepted = (all: typeof status) =>
        all.conditions?.find(({ type }) => type === 'Accepted')?.lastTransitionTime
      assert.equal(accepted(status), accepted(first.status), 'Accepted has held all the time')
    }
    const body = sidecar.applied.at(-1)?.get('route/edits/chat')?.body
    assert.ok(body && 'rules' in body)
    assert.deepEqual(
      body.rules[0]?.targets.map(({ weight }) => weight),
      [10, 90],
      'what is served is what was applied last',
    )
  })

  test('status: nothing is written where nothing has changed, and counts alone at most every 5 s', async (t) => {
    await server().namespace('calm')
    await apply(
      server(),
      endpoint('calm', 'models'),
      route('calm', 'calm', { rules: [{ name: 'all', targets: [{ endpoint: { name: 'models' } }] }] }),
    )
    await runningPod(server(), 'calm', 'app')
    const sidecar = await connectSidecar(server(), operator.ports.push, 'calm', 'app')
    t.after(() => sidecar.stop())
    await eventually(async () =>
      assert.equal((await seen(server(), 'mroute', 'calm', 'calm')).condition('Programmed'), 'True/Programmed'),
    )
    const before = writes('calm').length
    // Annotations change no generation and no status; 20 reports change counts 20 times.
    for (let i = 1; i <= 20; i++) {
      await server().kubectl(['annotate', 'mroute', 'calm', '-n', 'calm', '--overwrite', `note=${i}`])
      sidecar.report({
        window: 100,
        age: 1,
        targets: [{ route: 'calm/calm', rule: 'all', endpoint: 'calm/models', model: 'm', requests: 5, errors: 0 }],
        models: [{ endpoint: 'calm/models', model: 'm', state: 'closed', healthy: true }],
      })
    }
    await eventually(
      async () =>
        assert.equal((await seen(server(), 'mroute', 'calm', 'calm')).status.rules?.[0]?.targets[0]?.requests, 100),
      { within: 12_000, every: 250 },
    )
    const counted = writes('calm').length - before
    assert.ok(counted <= 4, `${counted} writes for 20 reports`)
  })

  test('status: a refused configuration says which sidecar, which resource and why, and the others go on', async (t) => {
    await server().namespace('refusal')
    const weighted = (weight: number) =>
      route('refusal', 'chat', { rules: [{ targets: [{ endpoint: { name: 'models' }, weight }] }] })
    await apply(server(), endpoint('refusal', 'models'), weighted(1))
    await runningPod(server(), 'refusal', 'good')
    await runningPod(server(), 'refusal', 'bad')
    const good = await connectSidecar(server(), operator.ports.push, 'refusal', 'good')
    const bad = await connectSidecar(server(), operator.ports.push, 'refusal', 'bad')
    t.after(() => [good, bad].forEach((it) => it.stop()))
    await eventually(async () =>
      assert.equal((await seen(server(), 'mroute', 'refusal', 'chat')).status.programmed, '2/2'),
    )
    bad.refuse = () => [{ resource: 'route/refusal/chat', path: 'rules[0]', message: 'not to my taste' }]
    await apply(server(), weighted(2))
    await eventually(async () => {
      const { condition, status } = await seen(server(), 'mroute', 'refusal', 'chat')
      assert.equal(condition('Programmed'), 'False/Rejected')
      assert.match(
        status.conditions?.find((it) => it.type === 'Programmed')?.message ?? '',
        /refusal\/bad\..*route\/refusal\/chat rules\[0\]: not to my taste/,
      )
      assert.deepEqual(status.sidecars, { targeted: 2, connected: 2, acknowledged: 1, rejected: 1 })
    })
    bad.refuse = () => []
    await apply(server(), weighted(3))
    await eventually(async () =>
      assert.equal((await seen(server(), 'mroute', 'refusal', 'chat')).condition('Programmed'), 'True/Programmed'),
    )
  })

  test('status: an open breaker shows on the endpoint, and becomes an Event', async (t) => {
    await server().namespace('breaker')
    await apply(
      server(),
      endpoint('breaker', 'models'),
      route('breaker', 'chat', { rules: [{ targets: [{ endpoint: { name: 'models' } }] }] }),
    )
    await runningPod(server(), 'breaker', 'app')
    const sidecar = await connectSidecar(server(), operator.ports.push, 'breaker', 'app')
    t.after(() => sidecar.stop())
    await eventually(() => assert.ok(sidecar.applied.length))
    const say = (state: 'open' | 'closed') =>
      sidecar.report({
        window: 1000,
        age: 1,
        targets: [],
        models: [{ endpoint: 'breaker/models', model: 'm', state, healthy: state === 'closed' }],
      })
    say('open')
    await eventually(async () => {
      const { status, condition } = await seen(server(), 'mep', 'breaker', 'models')
      assert.deepEqual(status.sidecars, { using: 1, healthy: 0, open: 1 })
      assert.equal(condition('Healthy'), 'False/Unhealthy')
    })
    assert.match(await server().kubectl(['get', 'mep', 'models', '-n', 'breaker']), /False\s+1\s+1\s/)
    say('closed')
    await eventually(async () =>
      assert.equal((await seen(server(), 'mep', 'breaker', 'models')).condition('Healthy'), 'True/Healthy'),
    )
    await eventually(async () => {
      const events = await server().kubectl(['get', 'events.events.k8s.io', '-n', 'breaker', '-o', 'json'])
      // Events as kubectl prints them.
      const { items } = JSON.parse(events) as {
        items: { reason: string; type: string; regarding: { name: string; kind: string } }[]
      }
      const of = (kind: string) => items.filter(({ regarding }) => regarding.kind === kind).map(({ reason }) => reason)
      assert.deepEqual(
        ['Accepted', 'BreakerClosed', 'BreakerOpen', 'Healthy', 'Programmed', 'Unhealthy'].filter(
          (it) => !of('ModelEndpoint').includes(it),
        ),
        [],
      )
      assert.deepEqual(of('ModelRoute').sort(), ['Accepted', 'Programmed'])
    })
  })

  test('status: injected faults are told while they last, with an Event when they begin and when they end', async () => {
    await server().namespace('drill')
    const until = new Date(Date.now() + 6000)
    const targets = [{ endpoint: { name: 'models' } }]
    const faults = [{ type: 'Abort', status: 503, until: until.toISOString() }]
    await apply(server(), endpoint('drill', 'models'), route('drill', 'chat', { rules: [{ targets, faults }] }))
    await eventually(async () => {
      const { status, condition } = await seen(server(), 'mroute', 'drill', 'chat')
      assert.equal(condition('FaultsInjected'), 'True/FaultsInjected')
      const { message = '' } = status.conditions?.find(({ type }) => type === 'FaultsInjected') ?? {}
      assert.match(message, new RegExp(`Abort with 503 of 100 % of the calls until ${until.toISOString()}`))
    })
    assert.match(await server().kubectl(['get', 'mroute', 'chat', '-n', 'drill']), /100% models\s+True\s/)
    await eventually(
      async () => {
        const { status } = await seen(server(), 'mroute', 'drill', 'chat')
        assert.ok(status.conditions?.every(({ type }) => type !== 'FaultsInjected'))
      },
      { within: 15_000, every: 100 },
    )
    assert.ok(Date.now() >= until.getTime(), 'not before they end')
    await eventually(async () => {
      const events = await server().kubectl(['get', 'events.events.k8s.io', '-n', 'drill', '-o', 'json'])
      // Events as kubectl prints them.
      const { items } = JSON.parse(events) as { items: { reason: string; type: string }[] }
      const told = items
        .filter(({ reason }) => reason.startsWith('Faults'))
        .map(({ type, reason }) => `${type} ${reason}`)
      assert.deepEqual(told.sort(), ['Normal FaultsEnded', 'Warning FaultsInjected'])
    })
  })

  test('status: a reference that does not resolve, and a conflict, are told on the route', async () => {
    await server().namespace('wrong')
    await apply(server(), endpoint('wrong', 'models'))
    await apply(
      server(),
      route('wrong', 'lost', {
        rules: [{ targets: [{ endpoint: { name: 'missing' } }, { endpoint: { name: 'models', model: 'other' } }] }],
      }),
    )
    await runningPod(server(), 'wrong', 'app')
    await apply(
      server(),
      route('wrong', 'older', { models: ['same'], rules: [{ targets: [{ endpoint: { name: 'models' } }] }] }),
    )
    await new Promise((resolve) => setTimeout(resolve, 1100)) // creation times have whole seconds
    await apply(
      server(),
      route('wrong', 'younger', { models: ['same'], rules: [{ targets: [{ endpoint: { name: 'models' } }] }] }),
    )
    await eventually(async () => {
      const { condition } = await seen(server(), 'mroute', 'wrong', 'lost')
      assert.equal(condition('Accepted'), 'True/Accepted')
      assert.equal(condition('ResolvedRefs'), 'False/EndpointNotFound')
      assert.equal((await seen(server(), 'mroute', 'wrong', 'older')).condition('Accepted'), 'True/Accepted')
      assert.equal((await seen(server(), 'mroute', 'wrong', 'younger')).condition('Accepted'), 'False/Conflicted')
    })
  })

  test('status: fields that others manage are theirs, and the operator writes by server-side apply only', async () => {
    const managers = await server().kubectl([
      ...['get', 'mroute', 'chat', '-n', 'walk', '--show-managed-fields', '-o', 'json'],
    ])
    // managedFields, as the API server has them.
    const { metadata } = JSON.parse(managers) as {
      metadata: { managedFields: { manager: string; operation: string; subresource?: string }[] }
    }
    const ours = metadata.managedFields.filter(({ manager }) => manager === 'tradewind-operator')
    assert.deepEqual(
      ours.map(({ operation, subresource }) => `${operation} ${subresource}`),
      ['Apply status'],
    )
  })
})
