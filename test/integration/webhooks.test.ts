import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { render } from '../chart/chart.ts'
import { runProgram } from '../helpers/command.ts'
import { useApiServer } from '../helpers/envtest.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs, serverPath } from '../helpers/needs.ts'
import {
  apply,
  endpoint,
  type OperatorProcess,
  prepare,
  route,
  seen,
  startOperator,
  SYSTEM,
} from '../helpers/operators.ts'

/** What is looked at of a pod. */
interface Pod {
  readonly metadata: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> }
  readonly spec: {
    readonly initContainers?: readonly { readonly name: string; readonly restartPolicy?: string }[]
    readonly containers: readonly { readonly env?: readonly { readonly name: string }[] }[]
    readonly volumes?: readonly { readonly name: string }[]
  }
}

const restricted = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

describe(
  'the admission webhooks, as the API server calls them',
  { skip: needs('kube-apiserver', 'etcd', 'kubectl', 'helm') },
  () => {
    const server = useApiServer()
    let operator: OperatorProcess

    before(async () => {
      await prepare(server())
      const rendered = (await render()).filter(({ kind }) => kind.endsWith('WebhookConfiguration'))
      const [name = ''] = rendered.map(({ metadata }) => metadata.name)
      operator = await startOperator(server(), { flags: ['--webhooks', name] })
      // The chart's own entries; only the way there is another, since no Service leads out of this API server.
      const reachable = rendered.map((it) => ({
        ...it,
        webhooks: (it['webhooks'] as { clientConfig: { service: { path: string } } }[]).map((webhook) => ({
          // a webhook configuration
          ...webhook,
          clientConfig: { url: `https://127.0.0.1:${operator.ports.webhooks}${webhook.clientConfig.service.path}` },
        })),
      }))
      await apply(server(), ...reachable)
      await eventually(async () => {
        const bundles = await server().kubectl([
          ...['get', 'mutatingwebhookconfiguration,validatingwebhookconfiguration'],
          ...['-o', 'jsonpath={range .items[*].webhooks[*]}{.clientConfig.caBundle}{"\\n"}{end}'],
        ])
        assert.equal(bundles.split('\n').filter(Boolean).length, 4)
      })
      await server().namespace('asks', {
        'tradewind.dev/inject': 'true',
        'pod-security.kubernetes.io/enforce': 'restricted',
      })
      await server().namespace('silent')
    })
    after(async () => operator?.stop())

    const manifest = (name: string, labels: Record<string, string> = {}, spec: object = {}) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels },
      spec: { containers: [{ name: 'app', image: 'example.test/app', securityContext: restricted }], ...spec },
    })
    /** The pod as the API server stored it. It takes a moment for it to know of a new webhook or a new caBundle. */
    const create = async (namespace: string, pod: object, ...flags: string[]): Promise<Pod> =>
      JSON.parse(
        await server().kubectl(['create', '-n', namespace, '-f', '-', '-o', 'json', ...flags], {
          input: JSON.stringify(pod),
        }),
      ) as Pod // a pod
    const sidecars = ({ spec }: Pod) =>
      (spec.initContainers ?? []).filter(({ name }) => name === 'tradewind-sidecar').length

    test('a pod of a namespace that asks gets the sidecar, under the restricted Pod Security Standard', async () => {
      const pod = await eventually(() => create('asks', manifest('one')))
      assert.equal(sidecars(pod), 1)
      assert.equal(pod.spec.initContainers?.[0]?.restartPolicy, 'Always')
      assert.equal(pod.metadata.labels?.['tradewind.dev/injected'], 'true')
      assert.ok(pod.spec.containers[0]?.env?.some(({ name }) => name === 'OPENAI_BASE_URL'))
      assert.deepEqual(
        pod.spec.volumes?.map(({ name }) => name).filter((name) => name.startsWith('tradewind')),
        ['tradewind-identity', 'tradewind-state'],
      )
      // The root that it mounts was there before it.
      await server().kubectl(['get', 'configmap', 'tradewind-ca', '-n', 'asks'])
    })

    test('a pod that asks gets it in any namespace, just once, and its service account token is its own', async () => {
      const pod = await create(
        'silent',
        manifest('one', { 'tradewind.dev/inject': 'true' }, { automountServiceAccountToken: false }),
      )
      assert.equal(sidecars(pod), 1)
      assert.equal(sidecars(await create('asks', manifest('both', { 'tradewind.dev/inject': 'true' }))), 1)
    })

    for (const [what, namespace, labels] of [
      ['a pod that declines in a namespace that asks', 'asks', { 'tradewind.dev/inject': 'false' }],
      ['a pod where nobody asks', 'silent', {}],
      ['a pod of kube-system that asks', 'kube-system', { 'tradewind.dev/inject': 'true' }],
      ['a pod of the operator’s own namespace that asks', SYSTEM, { 'tradewind.dev/inject': 'true' }],
    ] as const)
      test(`${what} gets none`, async () => {
        await server()
          .kubectl(['create', 'serviceaccount', 'default', '-n', namespace])
          .catch(() => {}) // most have one
        const pod = await create(namespace, manifest('none', labels))
        assert.equal(sidecars(pod), 0)
        assert.equal(pod.metadata.annotations?.['tradewind.dev/injection'], undefined)
      })

    test('a pod on the node’s network is refused, with the reason and the way out', async () => {
      await assert.rejects(
        create('silent', manifest('host', { 'tradewind.dev/inject': 'true' }, { hostNetwork: true })),
        /hostNetwork: the sidecar's ports would be the node's.*tradewind\.dev\/inject: "false"/,
      )
    })

    test('a dry run changes nothing but its own answer', async () => {
      await server().namespace('dry')
      const pod = await create('dry', manifest('one', { 'tradewind.dev/inject': 'true' }), '--dry-run=server')
      assert.equal(sidecars(pod), 1)
      await assert.rejects(server().kubectl(['get', 'configmap', 'tradewind-ca', '-n', 'dry']), /not found/)
    })

    /** What kubectl said on the way, of manifests that were taken. */
    const warnings = async (...objects: object[]): Promise<string> => {
      const { code, stderr } = await runProgram(serverPath('kubectl'), ['apply', '-f', '-'], {
        env: { KUBECONFIG: server().kubeconfig },
        input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
      })
      assert.equal(code, 0, stderr)
      return stderr
    }

    test('validate: a loopback address is refused, as a sentence, and --allow-loopback lets it in', async (t) => {
      const loopback = endpoint('silent', 'mine', { address: { type: 'URL', url: 'http://127.0.0.1:8000/v1' } })
      await assert.rejects(
        apply(server(), loopback),
        /spec\.address\.url is http:\/\/127\.0\.0\.1:8000\/v1, which in a cluster is the caller's own pod/,
      )
      await operator.stop()
      operator = await startOperator(server(), {
        flags: ['--allow-loopback', 'true', '--webhook-port', String(operator.ports.webhooks)],
      })
      t.diagnostic('the operator came back on the same port')
      await eventually(() => apply(server(), loopback))
      await eventually(async () =>
        assert.equal((await seen(server(), 'mep', 'silent', 'mine')).condition('Accepted'), 'True/Accepted'),
      )
    })

    test('validate: a time zone that there is not is refused, as is a pattern that RE2 does not take', async () => {
      const having = (match: object) =>
        route('silent', 'matching', { rules: [{ matches: [match], targets: [{ endpoint: { name: 'later' } }] }] })
      await assert.rejects(
        apply(server(), having({ schedule: { timeZone: 'Mars/Base' } })),
        /spec\.rules\[0\]\.matches\[0\]\.schedule\.timeZone: It must be an IANA time zone/,
      )
      await assert.rejects(
        apply(server(), having({ text: { pattern: 'a(?!b)' } })),
        /It must be a regular expression of RE2/,
      )
      await apply(server(), having({ schedule: { timeZone: 'Europe/Vienna' }, text: { pattern: 'a+b' } }))
    })

    test('validate: faults that end more than a day ahead are refused, and those that have ended are warned of', async () => {
      const ending = (ms: number) =>
        route('silent', 'drill', {
          rules: [
            {
              targets: [{ endpoint: { name: 'later' } }],
              faults: [{ type: 'Cut', until: new Date(Date.now() + ms).toISOString() }],
            },
          ],
        })
      const day = 86_400_000
      await assert.rejects(
        apply(server(), ending(day + 60_000)),
        /spec\.rules\[0\]\.faults\[0\]\.until: It must be at most 24 hours ahead\./,
      )
      await apply(server(), ending(day - 60_000))
      assert.match(await warnings(ending(-1000)), /faults\[0\]\.until: It has passed: nothing is injected/)
    })

    test('validate: what does not resolve yet, a Secret without its label and a contested model are warnings', async () => {
      assert.match(
        await warnings(endpoint('silent', 'keyed', { credentials: { type: 'Secret', secret: { name: 'nowhere' } } })),
        /Warning: Secret silent\/nowhere of spec\.credentials\.secret does not exist, or does not carry the label tradewind\.dev\/use: credentials/,
      )
      assert.match(
        await warnings(
          route('silent', 'first', { models: ['x'], rules: [{ targets: [{ endpoint: { name: 'later' } }] }] }),
        ),
        /Warning: spec\.rules\[0\]\.targets\[0\]\.endpoint: ModelEndpoint silent\/later does not exist/,
      )
      await eventually(async () =>
        assert.equal((await seen(server(), 'mroute', 'silent', 'first')).condition('Accepted'), 'True/Accepted'),
      )
      assert.match(
        await warnings(
          route('silent', 'second', { models: ['x'], rules: [{ targets: [{ endpoint: { name: 'mine' } }] }] }),
        ),
        /Warning: spec\.models: ModelRoute silent\/first asks for "x" too; on a pod that both select, it gets it/,
      )
      assert.doesNotMatch(
        await warnings(
          route('silent', 'third', { models: ['y'], rules: [{ targets: [{ endpoint: { name: 'mine' } }] }] }),
        ),
        /Warning/,
      )
    })
  },
)
