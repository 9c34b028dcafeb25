import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Agent, request } from 'undici'
import { issue, makeRoot } from '../../operator/certificates.ts'
import { type Rendered, render } from '../chart/chart.ts'
import { type ApiServer, useApiServer } from '../helpers/envtest.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'
import {
  apply,
  connectSidecar,
  endpoint,
  type OperatorProcess,
  podToken,
  prepare,
  route,
  runningPod,
  seen,
  startOperator,
  SYSTEM,
} from '../helpers/operators.ts'

const USER = `system:serviceaccount:${SYSTEM}:tradewind-operator`

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

/** The operator's roles and bindings of the chart; those of its hook are another account's, and those that nothing binds are for people. */
async function rightsOf(values: object): Promise<readonly Rendered[]> {
  const objects = await render({ ...values, roles: { create: false } })
  return objects.filter(
    ({ kind, metadata }) => /^(Cluster)?Role(Binding)?$/.test(kind) && !metadata.annotations?.['helm.sh/hook'],
  )
}

/** Every right that the roles give, `verb group/resource`. */
function granted(rights: readonly Rendered[]): readonly string[] {
  const rules = rights.flatMap((it) => (it['rules'] as Rule[] | undefined) ?? []) // roles have rules, bindings none
  return [
    ...new Set(
      rules.flatMap(({ apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
        ),
      ),
    ),
  ].sort()
}

/** What the operator did, by the API server's audit log. */
function done(server: ApiServer) {
  const own = server.auditLog().filter(({ user }) => user.username === USER)
  return {
    refused: own
      .filter(
        ({ annotations, responseStatus }) =>
          annotations?.['authorization.k8s.io/decision'] === 'forbid' || responseStatus?.code === 403,
      )
      .map(({ verb, requestURI }) => `${verb} ${requestURI}`),
    used: new Set(
      own.flatMap(({ verb, objectRef }) => {
        if (!objectRef?.resource) return []
        const resource = objectRef.subresource ? `${objectRef.resource}/${objectRef.subresource}` : objectRef.resource
        const right = `${objectRef.apiGroup ?? ''}/${resource}`
        // To apply what is not there takes the right to create it as well; the log has the one request.
        const created =
          verb === 'patch' && own.some((it) => it.objectRef === objectRef && it.responseStatus?.code === 201)
        return created ? [`${verb} ${right}`, `create ${right}`] : [`${verb} ${right}`]
      }),
    ),
  }
}

/** Asks the webhook as the API server would, for which no way leads to it here: somebody annotates a route. */
async function askToPromote(operator: OperatorProcess, namespace: string): Promise<void> {
  const metadata = { name: 'chat', namespace, annotations: { 'tradewind.dev/rollout': 'promote' } }
  const { body } = await request(`https://127.0.0.1:${operator.ports.webhooks}/rollout`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    dispatcher: new Agent({ connect: { rejectUnauthorized: false } }),
    body: JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        uid: '1',
        namespace,
        name: 'chat',
        userInfo: { username: 'somebody', groups: ['system:authenticated'] },
        object: { metadata, spec: { rules: [{ rollout: {} }] } },
      },
    }),
  })
  assert.match(await body.text(), /somebody may not promote rollouts\.tradewind\.dev chat in namespace/)
}

/** Has the operator do all that it does, in one namespace. */
async function exercise(server: ApiServer, operator: OperatorProcess, namespace: string): Promise<void> {
  const label = { 'tradewind.dev/use': 'credentials' }
  await apply(
    server,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'key', namespace, labels: label },
      stringData: { 'api-key': 'sk-1' },
    },
    endpoint(namespace, 'keyed', { credentials: { type: 'Secret', secret: { name: 'key' } } }),
    endpoint(namespace, 'service', { address: { type: 'Service', service: { name: 'models', port: 80 } } }),
    endpoint(namespace, 'pods', {
      address: { type: 'Pods', pods: { selector: { matchLabels: { app: 'models' } }, port: 80 } },
    }),
    route(namespace, 'chat', {
      rules: [{ targets: ['keyed', 'service', 'pods'].map((name) => ({ endpoint: { name } })) }],
    }),
  )
  await runningPod(server, namespace, 'app')
  const sidecar = await connectSidecar(server, operator.ports.push, namespace, 'app')
  await askToPromote(operator, namespace)
  try {
    await eventually(async () =>
      assert.equal((await seen(server, 'mroute', namespace, 'chat')).condition('Programmed'), 'True/Programmed'),
    )
    // The same Event a second time is counted on the first one, ten seconds later.
    for (const state of ['open', 'closed', 'open', 'closed'] as const) {
      sidecar.report({
        window: 1,
        age: 1,
        targets: [],
        models: [{ endpoint: `${namespace}/keyed`, model: 'm', state, healthy: state === 'closed' }],
      })
      const expected = state === 'open' ? 'False/Unhealthy' : 'True/Healthy'
      await eventually(async () =>
        assert.equal((await seen(server, 'mep', namespace, 'keyed')).condition('Healthy'), expected),
      )
    }
    await eventually(
      async () => {
        const counts = await server.kubectl([
          'get',
          'events.events.k8s.io',
          '-n',
          namespace,
          '-o',
          'jsonpath={.items[*].series.count}',
        ])
        assert.match(counts, /2/)
      },
      { within: 20_000, every: 500 },
    )
  } finally {
    sidecar.stop()
  }
}

describe(
  'the rights of the chart, over the whole cluster',
  { skip: needs('kube-apiserver', 'etcd', 'kubectl', 'helm') },
  () => {
    const server = useApiServer()
    let rights: readonly Rendered[]

    before(async () => {
      rights = await rightsOf({})
      await prepare(server(), rights)
      // No Service leads out of this API server.
      const ignored = (webhooks: unknown) => (webhooks as object[]).map((it) => ({ ...it, failurePolicy: 'Ignore' })) // a list of webhooks
      const configurations = (await render()).filter(({ kind }) => kind.endsWith('WebhookConfiguration'))
      await apply(server(), ...configurations.map((it) => ({ ...it, webhooks: ignored(it['webhooks']) })))
    })

    test('nothing that the operator does is refused, and every right is used', async () => {
      await server().namespace('ai')
      const [webhooks = ''] = rights.filter(({ kind }) => kind === 'ClusterRole').map(({ metadata }) => metadata.name)
      const operator = await startOperator(server(), { flags: ['--webhooks', webhooks, '--ca-overlap', '1s'] })
      try {
        await exercise(server(), operator, 'ai')
        await server().kubectl([
          'annotate',
          'secret',
          'tradewind-operator-ca',
          '-n',
          SYSTEM,
          'tradewind.dev/rotate=now',
        ])
        await eventually(() => assert.ok(operator.log().some(({ step }) => step === 'promote')), { within: 15_000 })
      } finally {
        await operator.stop()
      }
      await eventually(() => {
        const { refused, used } = done(server())
        assert.deepEqual(refused, [])
        assert.deepEqual(
          granted(rights).filter((right) => !used.has(right)),
          [],
          'rights that are given and not used',
        )
      })
    })
  },
)

describe(
  'the rights of the chart, with watchNamespaces',
  { skip: needs('kube-apiserver', 'etcd', 'kubectl', 'helm') },
  () => {
    const server = useApiServer()
    let rights: readonly Rendered[]
    let operator: OperatorProcess
    let directory: string

    before(async () => {
      rights = await rightsOf({ watchNamespaces: ['team'] })
      directory = mkdtempSync(join(server().directory, 'webhooks-'))
      const root = await makeRoot(3_600_000, Date.now())
      const pair = await issue(root, ['localhost'], 3_600_000, Date.now())
      writeFileSync(join(directory, 'tls.crt'), pair.certificate)
      writeFileSync(join(directory, 'tls.key'), pair.key)
      await server().namespace('team')
      await server().namespace('strangers')
      await prepare(server(), rights)
      operator = await startOperator(server(), {
        flags: ['--watch-namespaces', 'team', '--webhook-cert-dir', directory],
      })
    })
    after(async () => {
      await operator?.stop()
      if (directory) rmSync(directory, { recursive: true, force: true })
    })

    test('there is none over the cluster', () => {
      assert.deepEqual(
        rights.filter(({ kind }) => kind.startsWith('Cluster')).map(({ metadata }) => metadata.name),
        [],
      )
    })

    test('sidecars are let in by the cluster’s published keys: their own tokens, and no others', async (t) => {
      await apply(server(), endpoint('team', 'models'))
      await runningPod(server(), 'team', 'member')
      await runningPod(server(), 'strangers', 'stranger')
      const good = await podToken(server(), 'team', 'member')
      const claims = JSON.parse(Buffer.from(good.split('.')[1] ?? '', 'base64url').toString()) as Record<
        string,
        unknown
      > // a JWT's claims
      const past = Math.floor(Date.now() / 1000) - 3600
      const { makeServiceAccountKey } = await import('../helpers/service-account-key.ts')
      const tokens = {
        expired: server().key.sign({ ...claims, iat: past - 60, nbf: past - 60, exp: past }),
        foreign: makeServiceAccountKey().sign(claims),
        'other issuer': server().key.sign({ ...claims, iss: 'https://elsewhere.test' }),
        'other audience': await podToken(server(), 'team', 'member', 'vault'),
        'other pod’s uid': server().key.sign({
          ...claims,
          'kubernetes.io': { namespace: 'team', pod: { name: 'member', uid: 'else' } },
        }),
        unsigned: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${good.split('.')[1]}.`,
        'other namespace': await podToken(server(), 'strangers', 'stranger'),
      }
      for (const [what, token] of Object.entries(tokens)) {
        const sidecar = await connectSidecar(server(), operator.ports.push, 'team', 'member', { token })
        t.after(() => sidecar.stop())
        await eventually(() => assert.match(JSON.stringify(sidecar.history), /response: 401/, what))
        assert.equal(sidecar.client.connected, false, what)
        sidecar.stop()
      }
      const sidecar = await connectSidecar(server(), operator.ports.push, 'team', 'member', { token: good })
      t.after(() => sidecar.stop())
      await eventually(() => assert.ok(sidecar.client.connected))
    })

    test('other namespaces are not seen, nothing that the operator does is refused, and every right is used', async () => {
      await apply(server(), endpoint('strangers', 'models'))
      await exercise(server(), operator, 'team')
      assert.equal((await seen(server(), 'mep', 'strangers', 'models')).status.conditions, undefined)
      await server().kubectl(['annotate', 'secret', 'tradewind-operator-ca', '-n', SYSTEM, 'tradewind.dev/rotate=now'])
      await eventually(() => assert.ok(operator.log().some(({ step }) => step === 'announce')), { within: 15_000 })
      await operator.stop()
      await eventually(() => {
        const { refused, used } = done(server())
        assert.deepEqual(refused, [])
        assert.deepEqual(
          granted(rights).filter((right) => !used.has(right)),
          [],
          'rights that are given and not used',
        )
      })
    })
  },
)
