import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { load } from 'js-yaml'
import type { Overview } from '../../operator/overview.ts'
import { runProgram } from '../helpers/command.ts'
import { useApiServer } from '../helpers/envtest.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'
import { apply, connectSidecar, endpoint, prepare, route, runningPod, startOperator } from '../helpers/operators.ts'
import type { OperatorProcess, SidecarClient } from '../helpers/operators.ts'

const root = join(import.meta.dirname, '../..')

describe('tradewind status, of a cluster', { skip: needs('kube-apiserver', 'etcd', 'kubectl') }, () => {
  const server = useApiServer()
  let operator: OperatorProcess
  let sidecar: SidecarClient

  before(async () => {
    await prepare(server())
    await server().namespace('ai')
    await apply(
      server(),
      endpoint('ai', 'models'),
      route('ai', 'chat', { rules: [{ name: 'all', targets: [{ endpoint: { name: 'models' } }] }] }),
    )
    operator = await startOperator(server())
    await runningPod(server(), 'ai', 'app')
    await runningPod(server(), 'ai', 'late')
    sidecar = await connectSidecar(server(), operator.ports.push, 'ai', 'app')
    await eventually(() => assert.ok(sidecar.applied.length > 0))
  })
  after(async () => {
    sidecar?.stop()
    await operator?.stop()
  })

  const status = (kubeconfig: string, ...args: readonly string[]) =>
    runProgram(process.execPath, ['cli/main.ts', 'status', '--kubeconfig', kubeconfig, ...args], { cwd: root })
  const asked = (...args: readonly string[]) =>
    status(server().kubeconfig, '--operator', `localhost:${operator.ports.push}`, ...args)

  test('asks the operator, as the user, what each sidecar serves and which is not there', async () => {
    await eventually(async () => {
      const { code, stdout, stderr } = await asked('-o', 'json')
      assert.equal(stderr, '')
      const { sidecars, routes }: Overview = JSON.parse(stdout)
      assert.deepEqual(
        sidecars.map(({ pod, connected, routes }) => [pod, connected, routes]),
        [
          ['ai/app', true, [{ name: 'ai/chat', serves: 'Current' }]],
          ['ai/late', false, [{ name: 'ai/chat', serves: 'None' }]],
        ],
      )
      assert.equal(routes[0]?.status.programmed, '1/2')
      assert.equal(code, 1, 'a pod that is targeted is not connected')
    })
    const { stdout } = await asked('-n', 'ai')
    assert.match(stdout, /^ai\/app +\S+ +1\/1 +acknowledged$/m)
    assert.match(stdout, /^ai\/late +0\/1 +not connected$/m)
  })

  test('says which sidecar refused, and why', async () => {
    sidecar.refuse = () => [{ resource: 'route/ai/chat', path: '/rules/0', message: 'It cannot be.' }]
    await apply(
      server(),
      route('ai', 'chat', { rules: [{ name: 'new', targets: [{ endpoint: { name: 'models' } }] }] }),
    )
    await eventually(async () => {
      const { code, stdout } = await asked()
      assert.match(stdout, /^ai\/app .* refused: route\/ai\/chat\/rules\/0: It cannot be\.$/m)
      assert.match(stdout, /ai\/chat: Programmed Rejected: /)
      assert.equal(code, 1)
    })
  })

  test('where the operator cannot be asked, shows what the resources say, and why', async () => {
    const forwarded = await status(server().kubeconfig)
    assert.match(forwarded.stderr, /^note: the operator was not asked, .*: No pod of the operator is ready/)
    assert.match(forwarded.stdout, /^ai\/chat +\d+ +True +True +/m)

    // With a certificate in the place of a token there is nothing that can be passed on.
    const config = load(readFileSync(server().kubeconfig, 'utf8')) as { users: { user: object }[] } // a kubeconfig
    const proxy = join(server().directory, 'no-token.conf')
    writeFileSync(proxy, JSON.stringify({ ...config, users: config.users.map((user) => ({ ...user, user: {} })) }))
    assert.match((await status(proxy)).stderr, /^error: The model(endpoints|routes) cannot be listed: 40[13] /)
    assert.match((await asked('--context', 'nobody')).stderr, /it has no context nobody/)
  })

  test('a user who may not list sidecars is told so', async () => {
    const { kubectl, token, as } = server()
    await kubectl(['create', 'serviceaccount', 'viewer', '-n', 'ai'])
    const rules = ['--verb=list', '--resource=modelroutes.tradewind.dev,modelendpoints.tradewind.dev,configmaps']
    await kubectl(['create', 'role', 'viewer', '-n', 'ai', ...rules])
    await kubectl(['create', 'rolebinding', 'viewer', '-n', 'ai', '--role=viewer', '--serviceaccount=ai:viewer'])
    const { kubeconfig } = as(await token('ai', 'viewer'))
    const { stderr, stdout } = await status(kubeconfig, '-n', 'ai', '--operator', `localhost:${operator.ports.push}`)
    assert.match(stderr, /it answered 403: .*You may not list sidecars\.tradewind\.dev in namespace ai/)
    assert.match(stdout, /^ai\/chat /m)
  })

  test('rollout plan: the steps of a route of the cluster, by the rate that is given', async () => {
    const canary = { name: 'models', model: 'next' }
    await apply(
      server(),
      route('ai', 'canary', {
        models: ['canary'],
        rules: [
          {
            targets: [{ endpoint: { name: 'models', model: 'now' } }, { endpoint: canary }],
            rollout: {
              canary,
              steps: [{ weight: 20 }, { weight: 100 }],
              guardrails: [{ metric: 'Cost', margin: '0.1' }],
            },
          },
        ],
      }),
    )
    const place = ['--kubeconfig', server().kubeconfig, '--operator', `localhost:${operator.ports.push}`]
    const plan = (...args: readonly string[]) =>
      runProgram(process.execPath, ['cli/main.ts', 'rollout', 'plan', ...args, ...place], { cwd: root })
    const { code, stdout, stderr } = await plan('ai/canary', '--rate', '10')
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^ai\/canary, rule 0: canary models\/next, at 10 requests a second \(given\)$/m)
    assert.match(stdout, /^1 +20 % +5m +Cost +25 % +\d+\/\d+ +\d+m$/m)
    // Nothing goes through it, so that nobody knows how long it takes.
    assert.match((await plan('canary', '-n', 'ai')).stdout, /^1 +20 % +- +Cost +25 % +\d+\/\d+ +-$/m)
    const missing = await plan('ai/chat')
    assert.match(missing.stderr, /There is no rollout of route ai\/chat\. There are: ai\/canary \(rule 0\)\./)
    assert.equal(missing.code, 1)
  })
})
