import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { load } from 'js-yaml'
import type { CompiledConfig, ResourceKey } from '../../api/compiled.ts'
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
} from '../helpers/operators.ts'

const definition = join(import.meta.dirname, '../../crds/modelendpoints.tradewind.dev.yaml')

describe('following the API server', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  const server = useApiServer()
  let operator: OperatorProcess

  before(async () => {
    await prepare(server())
    operator = await startOperator(server())
  })
  after(async () => operator?.stop())

  const to = (...names: string[]) => ({ rules: [{ targets: names.map((name) => ({ endpoint: { name } })) }] })
  const body = (sidecar: SidecarClient, key: ResourceKey) => sidecar.applied.at(-1)?.get(key)?.body
  const addresses = (sidecar: SidecarClient, key: ResourceKey) => {
    const found = body(sidecar, key)
    return found && 'addresses' in found ? found.addresses.map(({ host, port }) => `${host}:${port}`) : undefined
  }
  const joined = async (namespace: string) => {
    await runningPod(server(), namespace, 'app')
    return connectSidecar(server(), operator.ports.push, namespace, 'app')
  }

  test('a Service’s addresses are its ready ones, and follow its EndpointSlices', async (t) => {
    await server().namespace('services')
    const slice = (name: string, ips: readonly string[], ready = true) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace: 'services', labels: { 'kubernetes.io/service-name': 'models' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8000 }],
      endpoints: ips.map((ip) => ({ addresses: [ip], conditions: { ready } })),
    })
    await apply(
      server(),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'models', namespace: 'services' },
        spec: { ports: [{ name: 'http', port: 80, targetPort: 8000 }] },
      },
      slice('one', ['10.1.0.1', '10.1.0.2']),
      slice('two', ['10.1.0.3'], false),
      endpoint('services', 'models', { address: { type: 'Service', service: { name: 'models', port: 80 } } }),
      route('services', 'chat', to('models')),
    )
    const sidecar = await joined('services')
    t.after(() => sidecar.stop())
    const are = (...expected: string[]) =>
      eventually(() => assert.deepEqual(addresses(sidecar, 'addresses/services/models'), expected))
    await are('10.1.0.1:8000', '10.1.0.2:8000')
    assert.ok(
      sidecar.applied.every((config) => !config.has('route/services/chat') || config.has('addresses/services/models')),
      'the endpoint was never there without its addresses',
    )
    await apply(server(), slice('two', ['10.1.0.3']))
    await are('10.1.0.1:8000', '10.1.0.2:8000', '10.1.0.3:8000')
    await server().kubectl(['delete', 'endpointslice', 'one', '-n', 'services'])
    await are('10.1.0.3:8000')
    await server().kubectl(['delete', 'endpointslice', 'two', '-n', 'services'])
    await are()
    await eventually(async () =>
      assert.equal((await seen(server(), 'mep', 'services', 'models')).condition('ResolvedRefs'), 'False/NoAddresses'),
    )
    await server().kubectl(['delete', 'service', 'models', '-n', 'services'])
    await eventually(async () =>
      assert.equal(
        (await seen(server(), 'mep', 'services', 'models')).condition('ResolvedRefs'),
        'False/ServiceNotFound',
      ),
    )
  })

  test('pods are followed by the selector of the endpoint, as it is now', async (t) => {
    await server().namespace('pods')
    const selecting = (color: string) =>
      endpoint('pods', 'models', {
        address: {
          type: 'Pods',
          pods: { selector: { matchExpressions: [{ key: 'color', operator: 'In', values: [color] }] }, port: 8000 },
        },
      })
    const plain = { 'tradewind.dev/injected': 'no' }
    await runningPod(server(), 'pods', 'blue-1', { labels: { ...plain, color: 'blue' }, ip: '10.2.0.1' })
    await runningPod(server(), 'pods', 'blue-2', { labels: { ...plain, color: 'blue' }, ip: '10.2.0.2', ready: false })
    await runningPod(server(), 'pods', 'red', { labels: { ...plain, color: 'red' }, ip: '10.2.0.3' })
    await apply(server(), selecting('blue'), route('pods', 'chat', to('models')))
    const sidecar = await joined('pods')
    t.after(() => sidecar.stop())
    const are = (...expected: string[]) =>
      eventually(() => assert.deepEqual(addresses(sidecar, 'addresses/pods/models'), expected))
    await are('10.2.0.1:8000')
    const isReady = JSON.stringify({ status: { conditions: [{ type: 'Ready', status: 'True' }] } })
    await server().kubectl([
      ...['patch', 'pod', 'blue-2', '-n', 'pods', '--subresource', 'status', '--type', 'merge', '-p', isReady],
    ])
    await are('10.2.0.1:8000', '10.2.0.2:8000')
    await server().kubectl(['delete', 'pod', 'blue-1', '-n', 'pods', '--force', '--grace-period=0'])
    await are('10.2.0.2:8000')
    await apply(server(), selecting('red'))
    await are('10.2.0.3:8000')
  })

  test('a Secret is read while it has its label, and what is in it is in no log', async (t) => {
    await server().namespace('secrets')
    const secret = 'sk-very-secret-0815'
    await apply(
      server(),
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'key', namespace: 'secrets', labels: { 'tradewind.dev/use': 'credentials' } },
        stringData: { 'api-key': secret, other: 'sk-not-asked-for' },
      },
      endpoint('secrets', 'models', { credentials: { type: 'Secret', secret: { name: 'key' } } }),
      route('secrets', 'chat', to('models')),
    )
    const sidecar = await joined('secrets')
    t.after(() => sidecar.stop())
    const given = () => body(sidecar, 'secret/secrets/key:api-key')
    await eventually(() => assert.deepEqual(given(), { data: { 'api-key': secret } }))
    await server().kubectl(['label', 'secret', 'key', '-n', 'secrets', 'tradewind.dev/use-'])
    await eventually(() => assert.equal(given(), undefined))
    await eventually(async () =>
      assert.equal(
        (await seen(server(), 'mep', 'secrets', 'models')).condition('ResolvedRefs'),
        'False/SecretNotFound',
      ),
    )
    await server().kubectl(['label', 'secret', 'key', '-n', 'secrets', 'tradewind.dev/use=credentials'])
    await eventually(() => assert.deepEqual(given(), { data: { 'api-key': secret } }))
    assert.doesNotMatch(operator.child.log(100_000), /sk-/)
    const metrics = await (await fetch(`http://127.0.0.1:${operator.ports.metrics}/metrics`)).text()
    assert.doesNotMatch(metrics, /sk-/)
    assert.doesNotMatch(await server().kubectl(['get', 'mroute,mep,events', '-n', 'secrets', '-o', 'yaml']), /sk-/)
  })

  test('namespaces’ labels decide who may refer across them, as they are now', async (t) => {
    await server().namespace('lender')
    await server().namespace('borrower')
    const selector = { matchLabels: { trusted: 'yes' } }
    await apply(
      server(),
      endpoint('lender', 'models', { allowedRoutes: { namespaces: { from: 'Selector', selector } } }),
      route('borrower', 'chat', { rules: [{ targets: [{ endpoint: { name: 'models', namespace: 'lender' } }] }] }),
    )
    const sidecar = await joined('borrower')
    t.after(() => sidecar.stop())
    const resolved = (expected: string) =>
      eventually(async () =>
        assert.equal((await seen(server(), 'mroute', 'borrower', 'chat')).condition('ResolvedRefs'), expected),
      )
    await resolved('False/RefNotPermitted')
    await server().kubectl(['label', 'namespace', 'borrower', 'trusted=yes'])
    await resolved('True/ResolvedRefs')
    await eventually(() => assert.ok(sidecar.applied.at(-1)?.has('endpoint/lender/models')))
    await server().kubectl(['label', 'namespace', 'borrower', 'trusted-'])
    await resolved('False/RefNotPermitted')
  })

  test('the API server restarts: nothing is taken away meanwhile, and what is edited after it arrives', async (t) => {
    await server().namespace('restart')
    await apply(
      server(),
      endpoint('restart', 'models'),
      route('restart', 'one', to('models')),
      route('restart', 'two', to('models')),
    )
    const sidecar = await joined('restart')
    t.after(() => sidecar.stop())
    const keys = (config: CompiledConfig | undefined) => [...(config?.keys() ?? [])].sort()
    await eventually(() => assert.equal(keys(sidecar.applied.at(-1)).length, 3))
    const before = sidecar.applied.length
    await server().restart()
    await apply(server(), route('restart', 'three', to('models')))
    await eventually(() => assert.ok(sidecar.applied.at(-1)?.has('route/restart/three')), { within: 20_000 })
    assert.ok(
      sidecar.applied
        .slice(before)
        .every((config) => config.has('route/restart/one') && config.has('route/restart/two')),
      'no configuration in between lacked anything',
    )
    assert.deepEqual(sidecar.history, [{ connected: true, why: 'connected' }])
    await eventually(
      async () =>
        assert.equal((await seen(server(), 'mroute', 'restart', 'three')).condition('Programmed'), 'True/Programmed'),
      { within: 20_000 },
    )
  })

  test('an operator that sleeps through changes and a restart of the API server comes to what is', async (t) => {
    await server().namespace('behind')
    await apply(
      server(),
      endpoint('behind', 'models'),
      route('behind', 'old', to('models')),
      route('behind', 'stays', to('models')),
    )
    const sidecar = await joined('behind')
    t.after(() => sidecar.stop())
    await eventually(() => assert.ok(sidecar.applied.at(-1)?.has('route/behind/old')))
    process.kill(operator.child.pid, 'SIGSTOP')
    try {
      await server().kubectl(['delete', 'mroute', 'old', '-n', 'behind'])
      await apply(server(), route('behind', 'new', to('models')))
      await server().restart()
    } finally {
      process.kill(operator.child.pid, 'SIGCONT')
    }
    await eventually(
      () => {
        const now = sidecar.applied.at(-1)
        assert.deepEqual(
          ['old', 'stays', 'new'].map((name) => now?.has(`route/behind/${name}`)),
          [false, true, true],
        )
      },
      { within: 30_000 },
    )
  })

  test('an object that was stored under laxer rules stops no other: it says what is wrong, and is not in force', async (t) => {
    await server().namespace('legacy')
    const define = (content: object) =>
      server().kubectl(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(content) })
    const whole = load(readFileSync(definition, 'utf8')) as object // a CustomResourceDefinition
    const lax = JSON.stringify(whole, (key, value: unknown) => (key === 'x-kubernetes-validations' ? undefined : value))
    await define(JSON.parse(lax) as object) // the same
    const nowhere = {
      ...endpoint('legacy', 'nowhere'),
      spec: { provider: { type: 'OpenAICompatible' }, models: [{ name: 'm' }] },
    }
    await eventually(() => apply(server(), nowhere))
    await define(whole)
    await apply(server(), endpoint('legacy', 'models'), route('legacy', 'chat', to('models', 'nowhere')))
    const check = async () => {
      const { condition, status } = await seen(server(), 'mep', 'legacy', 'nowhere')
      assert.equal(condition('Accepted'), 'False/Invalid')
      assert.match(status.conditions?.[0]?.message ?? '', /address is needed for this provider/)
      assert.equal((await seen(server(), 'mep', 'legacy', 'models')).condition('Accepted'), 'True/Accepted')
      assert.equal(
        (await seen(server(), 'mroute', 'legacy', 'chat')).condition('ResolvedRefs'),
        'False/EndpointNotFound',
      )
    }
    await eventually(check)
    // One that starts with it does as well.
    await operator.stop()
    await server().kubectl(['annotate', 'mep', 'nowhere', '-n', 'legacy', 'seen=before'])
    operator = await startOperator(server())
    const sidecar = await joined('legacy')
    t.after(() => sidecar.stop())
    await eventually(() => assert.ok(sidecar.applied.at(-1)?.has('route/legacy/chat')))
    await eventually(check)
  })
})
