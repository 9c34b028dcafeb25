import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { render } from '../chart/chart.ts'
import { runProgram } from '../helpers/command.ts'
import { useApiServer } from '../helpers/envtest.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'
import { apply, prepare, runningPod, startOperator, SYSTEM, trustedRoots } from '../helpers/operators.ts'

const main = join(import.meta.dirname, '../../operator/main.ts')

describe('the cleanup after an uninstall', { skip: needs('kube-apiserver', 'etcd', 'kubectl', 'helm') }, () => {
  const server = useApiServer()

  test('removes what the operator made, with the rights that the chart gives its hook, and can be run again', async () => {
    await prepare(server())
    const operator = await startOperator(server())
    await server().namespace('ai')
    await runningPod(server(), 'ai', 'app')
    await trustedRoots(server(), 'ai')
    await operator.stop()
    const made = async () => {
      const [all, own] = await Promise.all([
        server().kubectl(['get', 'configmaps', '-A', '--field-selector', 'metadata.name=tradewind-ca', '-o', 'name']),
        server().kubectl(['get', 'secrets,leases', '-n', SYSTEM, '-o', 'name']),
      ])
      return `${all}${own}`.split('\n').filter(Boolean)
    }
    assert.deepEqual(await made(), [
      'configmap/tradewind-ca',
      'secret/tradewind-operator-ca',
      'lease.coordination.k8s.io/tradewind-operator',
    ])

    const hook = (await render()).filter(
      ({ kind, metadata }) =>
        metadata.annotations?.['helm.sh/hook'] && /^(ServiceAccount|(Cluster)?Role(Binding)?)$/.test(kind),
    )
    await apply(server(), ...hook)
    const [account = ''] = hook.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name)
    const user = `system:serviceaccount:${SYSTEM}:${account}`
    const { kubeconfig } = server().as(await server().token(SYSTEM, account))
    const env = { TRADEWIND_NAMESPACE: SYSTEM, TRADEWIND_POD: 'hook' }
    for (let i = 0; i < 2; i++) {
      const { code, stderr } = await runProgram(process.execPath, [main, 'cleanup', '--kubeconfig', kubeconfig], {
        env,
      })
      assert.equal(code, 0, stderr)
    }
    assert.deepEqual(await made(), [])
    await eventually(() => {
      const own = server()
        .auditLog()
        .filter((it) => it.user.username === user)
      assert.ok(own.length > 0)
      assert.deepEqual(
        own
          .filter(({ responseStatus }) => responseStatus?.code === 403)
          .map(({ verb, requestURI }) => `${verb} ${requestURI}`),
        [],
      )
    })
  })

  test('says what is wrong with its settings, and ends', async () => {
    const { code, stderr } = await runProgram(process.execPath, [main, 'run'], { env: { TRADEWIND_NAMESPACE: 'x' } })
    assert.equal(code, 2)
    assert.match(stderr, /--pod or TRADEWIND_POD must be set/)
    const help = await runProgram(process.execPath, [main, '--help'])
    assert.equal(help.code, 0)
    assert.match(help.stdout, /--watch-namespaces/)
    assert.equal((await runProgram(process.execPath, [main, 'frobnicate'])).code, 2)
  })
})
