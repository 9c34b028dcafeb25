import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
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
  SYSTEM,
  trustedRoots,
} from '../helpers/operators.ts'

const SECRET = 'tradewind-operator-ca'

describe('trust and its rotation', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  const server = useApiServer()
  let operators: readonly OperatorProcess[]

  before(async () => {
    await prepare(server())
    const webhook = (kind: string) => ({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind,
      metadata: { name: 'tradewind-test' },
      webhooks: ['one', 'two'].map((name) => ({
        name: `${name}.tradewind.dev`,
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Ignore',
        clientConfig: { service: { name: 'tradewind-operator', namespace: SYSTEM, path: '/x' } },
        rules: [],
      })),
    })
    await apply(server(), webhook('MutatingWebhookConfiguration'), webhook('ValidatingWebhookConfiguration'))
    // The overlap is of seconds here and of an hour by default.
    const flags = ['--webhooks', 'tradewind-test', '--ca-validity', '1h', '--ca-overlap', '2s']
    operators = [await startOperator(server(), { flags }), await startOperator(server(), { flags })]
    await server().namespace('ai')
    await apply(
      server(),
      endpoint('ai', 'models'),
      route('ai', 'chat', { rules: [{ targets: [{ endpoint: { name: 'models' } }] }] }),
    )
    await runningPod(server(), 'ai', 'app')
  })
  after(async () => {
    await Promise.all(operators?.map((it) => it.stop()) ?? [])
  })

  const certificates = (pem: string) => pem.match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g) ?? []
  const signing = async () =>
    atob(await server().kubectl(['get', 'secret', SECRET, '-n', SYSTEM, '-o', 'jsonpath={.data.tls\\.crt}']))
  const caBundles = async () => {
    const kinds = ['mutatingwebhookconfiguration', 'validatingwebhookconfiguration']
    const all = await Promise.all(
      kinds.map((kind) =>
        server().kubectl(['get', kind, 'tradewind-test', '-o', 'jsonpath={.webhooks[*].clientConfig.caBundle}']),
      ),
    )
    return all.flatMap((it) => it.split(' ')).map(atob)
  }
  /** The certificate that a port serves at the moment, if these roots vouch for it. */
  const served = (port: number, ca: string) =>
    new Promise<X509Certificate>((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', servername: `tradewind-operator.${SYSTEM}.svc`, ca }, () => {
        const certificate = socket.getPeerX509Certificate()
        socket.destroy()
        if (certificate) resolve(certificate)
        else reject(new Error('no certificate'))
      })
      socket.on('error', reject)
    })

  test('one root, whoever was first: both replicas serve what it signed, on both ports', async () => {
    const roots = await trustedRoots(server(), 'ai')
    assert.equal(certificates(roots).length, 1)
    for (const { ports } of operators)
      for (const port of [ports.push, ports.webhooks]) {
        const certificate = await served(port, roots)
        assert.match(certificate.subjectAltName ?? '', /DNS:tradewind-operator\.tradewind-system\.svc/)
        assert.ok(certificate.verify(new X509Certificate(roots).publicKey))
      }
    assert.equal(new X509Certificate(roots).ca, true)
  })

  test('the webhook configurations of both kinds have the root as caBundle, and get it back when it is lost', async () => {
    const roots = await trustedRoots(server(), 'ai')
    await eventually(async () => assert.deepEqual(await caBundles(), Array(4).fill(roots)))
    const lost = [{ op: 'remove', path: '/webhooks/0/clientConfig/caBundle' }]
    await server().kubectl([
      ...['patch', 'mutatingwebhookconfiguration', 'tradewind-test', '--type', 'json'],
      ...['-p', JSON.stringify(lost)],
    ])
    await eventually(async () => assert.deepEqual(await caBundles(), Array(4).fill(roots)))
  })

  test('a ConfigMap or a Secret that is deleted comes back as it was', async () => {
    const roots = await trustedRoots(server(), 'ai')
    await server().kubectl(['delete', 'configmap', 'tradewind-ca', '-n', 'ai'])
    assert.equal(await trustedRoots(server(), 'ai'), roots)
    await server().kubectl(['delete', 'secret', SECRET, '-n', SYSTEM])
    await eventually(async () => assert.equal(await signing(), roots))
  })

  test('rotation: published before it signs, both trusted meanwhile, and open connections stay', async (t) => {
    const [operator] = operators
    assert.ok(operator)
    const before = await trustedRoots(server(), 'ai')
    const sidecar = await connectSidecar(server(), operator.ports.push, 'ai', 'app')
    t.after(() => sidecar.stop())
    await eventually(() => assert.ok(sidecar.applied.length))

    await server().kubectl(['annotate', 'secret', SECRET, '-n', SYSTEM, 'tradewind.dev/rotate=now'])
    const both = await eventually(async () => {
      const roots = await trustedRoots(server(), 'ai')
      assert.equal(certificates(roots).length, 2)
      return roots
    })
    assert.equal(await signing(), before, 'the new root does not sign yet')
    for (const { ports } of operators) await served(ports.push, before)
    const [, next = ''] = certificates(both)
    assert.ok(both.startsWith(before))

    // Then it signs, in every replica, and those who know only it can check what is served.
    await eventually(async () => assert.equal((await signing()).trim(), next), { within: 10_000 })
    for (const { ports } of operators)
      for (const port of [ports.push, ports.webhooks]) await eventually(() => served(port, next))
    assert.equal(certificates(await trustedRoots(server(), 'ai')).length, 2, 'the old root is trusted for a while')
    // In the end the old one goes.
    await eventually(async () => assert.equal((await trustedRoots(server(), 'ai')).trim(), next), { within: 10_000 })
    await eventually(async () => assert.deepEqual(new Set(await caBundles()), new Set([`${next}\n`])))
    await assert.rejects(served(operator.ports.push, before))

    assert.deepEqual(sidecar.history, [{ connected: true, why: 'connected' }], 'the connection outlived its root')
    await apply(server(), route('ai', 'chat', { rules: [{ targets: [{ endpoint: { name: 'models' }, weight: 7 }] }] }))
    await eventually(async () => {
      const { status, generation } = await seen(server(), 'mroute', 'ai', 'chat')
      assert.equal(generation, 2)
      assert.equal(status.programmed, '1/1')
      assert.equal(status.conditions?.find(({ type }) => type === 'Programmed')?.observedGeneration, 2)
    })
    const annotations = await server().kubectl([
      'get',
      'secret',
      SECRET,
      '-n',
      SYSTEM,
      '-o',
      'jsonpath={.metadata.annotations}',
    ])
    assert.doesNotMatch(annotations, /rotate/, 'the wish is granted once')
  })

  test('a serving certificate is renewed long before it ends, with connections open', async (t) => {
    const short = await startOperator(server(), { flags: ['--certificate-validity', '6s'] })
    t.after(() => short.stop())
    const sidecar = await connectSidecar(server(), short.ports.push, 'ai', 'app')
    t.after(() => sidecar.stop())
    const roots = await trustedRoots(server(), 'ai')
    const first = await served(short.ports.push, roots)
    const later = await eventually(
      async () => {
        const it = await served(short.ports.push, roots)
        assert.notEqual(it.serialNumber, first.serialNumber)
        return it
      },
      { within: 10_000, every: 100 },
    )
    assert.ok(later.validToDate > first.validToDate)
    assert.ok(sidecar.client.connected)
    assert.deepEqual(
      sidecar.history.map(({ connected }) => connected),
      [true],
    )
  })

  test('the operator’s own token is renewed under its watches', async (t) => {
    const good = await server().token(SYSTEM, 'tradewind-operator')
    const claims = JSON.parse(Buffer.from(good.split('.')[1] ?? '', 'base64url').toString()) as object // a JWT's claims
    const ends = Math.floor(Date.now() / 1000) + 20
    await Promise.all(operators.map((it) => it.stop()))
    const alone = await startOperator(server(), { token: server().key.sign({ ...claims, exp: ends }) })
    t.after(() => alone.stop())
    writeFileSync(join(alone.serviceAccount, 'token'), good)
    await eventually(() => assert.ok(Date.now() / 1000 > ends + 1), { within: 30_000, every: 100 })
    await apply(server(), endpoint('ai', 'afterwards'))
    await eventually(async () =>
      assert.equal((await seen(server(), 'mep', 'ai', 'afterwards')).condition('Accepted'), 'True/Accepted'),
    )
  })
})
