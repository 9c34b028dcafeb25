import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import {
  AuthenticationV1Api,
  CoreV1Api,
  makeInformer,
  RbacAuthorizationV1Api,
  type V1ConfigMap,
} from '@kubernetes/client-node'
import { startApiServer, useApiServer } from '../helpers/envtest.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'

describe('the API server of the tests', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  const server = useApiServer()

  test('takes a server-side apply, and tells its managers apart', async () => {
    const { kubectl, namespace } = server()
    await namespace('applied')
    const apply = (manager: string, data: object) =>
      kubectl(['apply', '--server-side', '--field-manager', manager, '-f', '-'], {
        input: JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'a', namespace: 'applied' },
          data,
        }),
      })
    await apply('one', { x: '1' })
    await apply('two', { y: '2' })
    await assert.rejects(apply('two', { x: '2' }), /conflict with "one"/)
    const read = server().config.makeApiClient(CoreV1Api)
    assert.deepEqual((await read.readNamespacedConfigMap({ name: 'a', namespace: 'applied' })).data, { x: '1', y: '2' })
  })

  test('knows the token of a ServiceAccount for its audience, and refuses an expired, a foreign and a forged one', async () => {
    const { config, key, namespace, token } = server()
    await namespace('tokens')
    const review = async (token: string, audiences = ['tradewind']) => {
      const { status } = await config
        .makeApiClient(AuthenticationV1Api)
        .createTokenReview({ body: { spec: { token, audiences } } })
      return status?.authenticated ? status.user?.username : status?.error
    }
    const real = await token('tokens', 'default', { audience: 'tradewind' })
    assert.equal(await review(real), 'system:serviceaccount:tokens:default')
    assert.match((await review(real, ['another'])) ?? '', /audience/)

    // What differs between the two signed here is the time alone, so that the refusal is for the time.
    const claims: Record<string, unknown> = JSON.parse(Buffer.from(real.split('.')[1] ?? '', 'base64url').toString())
    const now = Math.floor(Date.now() / 1000)
    assert.equal(await review(key.sign({ ...claims, exp: now + 60 })), 'system:serviceaccount:tokens:default')
    assert.match(
      (await review(key.sign({ ...claims, iat: now - 120, nbf: now - 120, exp: now - 60 }))) ?? '',
      /expired/,
    )
    assert.match((await review(`${real.slice(0, -8)}AAAAAAAA`)) ?? '', /.+/)
  })

  test('holds a ServiceAccount to its rules, and says so in the audit log', async () => {
    const { as, auditLog, config, namespace, token } = server()
    await namespace('rules')
    const rbac = config.makeApiClient(RbacAuthorizationV1Api)
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }]
    const meta = { namespace: 'rules', name: 'reader' }
    await rbac.createNamespacedRole({ namespace: 'rules', body: { metadata: meta, rules } })
    await rbac.createNamespacedRoleBinding({
      namespace: 'rules',
      body: {
        metadata: meta,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
        subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'rules' }],
      },
    })
    const core = as(await token('rules', 'default')).config.makeApiClient(CoreV1Api)
    await eventually(() => core.listNamespacedConfigMap({ namespace: 'rules' }))
    await assert.rejects(core.listNamespacedSecret({ namespace: 'rules' }), /403/)
    await eventually(() => {
      const mine = auditLog().filter(({ user }) => user.username === 'system:serviceaccount:rules:default')
      const code = (resource: string) =>
        mine.findLast(({ objectRef }) => objectRef?.resource === resource)?.responseStatus?.code
      assert.deepEqual([code('configmaps'), code('secrets')], [200, 403])
      assert.equal(mine.at(-1)?.annotations?.['authorization.k8s.io/decision'], 'forbid')
    })
  })

  test('restarts with what it held; an informer that starts again sees what came after', async () => {
    const { config, kubectl, namespace, restart } = server()
    await namespace('restarted')
    const core = config.makeApiClient(CoreV1Api)
    const create = (name: string) =>
      core.createNamespacedConfigMap({ namespace: 'restarted', body: { metadata: { name } } })
    const list = () => core.listNamespacedConfigMap({ namespace: 'restarted' })
    const informer = makeInformer(config, '/api/v1/namespaces/restarted/configmaps', list)
    const seen = new Set<string>()
    let errors = 0
    let stopped = false
    informer.on('add', ({ metadata }: V1ConfigMap) => seen.add(metadata?.name ?? ''))
    informer.on('error', () => {
      errors++
      if (!stopped) setTimeout(() => void informer.start().catch(() => {}), 200)
    })
    await informer.start()
    try {
      await create('before')
      await eventually(() => assert.ok(seen.has('before')))
      let down = ''
      await restart(async () => {
        down = await kubectl(['get', 'ns']).catch(String)
      })
      assert.match(down, /refused/)
      await create('after')
      await eventually(() => assert.ok(seen.has('after'), `seen: ${[...seen].join()}, errors: ${errors}`), {
        within: 20_000,
      })
    } finally {
      stopped = true
      await informer.stop()
    }
  })

  test('takes more flags, and leaves nothing behind', async () => {
    const other = await startApiServer({ flags: ['--runtime-config', 'autoscaling/v1=false'] })
    const served = await other.kubectl(['api-versions'])
    await other.stop()
    assert.doesNotMatch(served, /^autoscaling\/v1$/m)
    assert.equal(existsSync(other.directory), false)
    await assert.rejects(fetch(other.url), (error: Error) => /ECONNREFUSED/.test(String(error.cause)))
  })
})
