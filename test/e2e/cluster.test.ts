import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { type Cluster, startCluster } from '../helpers/cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'
import { runProgram } from '../helpers/program.ts'

describe('the one-node cluster', { skip: needs('cluster') }, () => {
  let cluster: Cluster
  before(async () => {
    cluster = await startCluster()
  })
  after(() => cluster.stop())

  test('runs a pod, and brings it back when it ends', async () => {
    await cluster.kubectl(['run', 'pause', '--image=localhost/pause:1'])
    await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/pause', '--timeout=60s'])
    const restarts = () =>
      cluster.kubectl(['get', 'pod', 'pause', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'])
    assert.equal(await restarts(), '0')
    const id = await cluster.run('ctr', ['-n', 'k8s.io', 'tasks', 'ls', '-q'])
    for (const task of id.trim().split('\n'))
      await cluster.run('ctr', ['-n', 'k8s.io', 'tasks', 'kill', '-s', 'KILL', task])
    await eventually(async () => assert.notEqual(await restarts(), '0'), { within: 60_000, every: 500 })
    await cluster.kubectl(['delete', 'pod', 'pause', '--now'])
  })

  test('finds a service by its name, and its address leads there', async () => {
    const lookup =
      "const r = new (require('node:dns').Resolver)(); r.setServers(['198.18.0.1']); r.resolve4(process.argv[1], (e, a) => console.log(e?.message ?? a[0]))"
    const name = 'kubernetes.default.svc.cluster.local'
    const address = await eventually(
      async () => {
        const found = (await cluster.run(process.execPath, ['-e', lookup, name])).trim()
        assert.equal(found, '198.19.0.1')
        return found
      },
      { within: 20_000, every: 200 },
    )
    await eventually(() => cluster.kubectl(['get', '--raw', '/readyz', '--server', `https://${address}`]), {
      within: 20_000,
      every: 200,
    })
  })

  test('ends what is started in its network, and is not seen from outside', async () => {
    const proxy = cluster.start('proxy', 'kubectl', ['proxy', '--port', '18001'])
    const get = "fetch('http://127.0.0.1:18001/version').then((r) => console.log(r.status))"
    await eventually(async () => assert.equal((await cluster.run(process.execPath, ['-e', get])).trim(), '200'), {
      every: 100,
    })
    await assert.rejects(fetch('http://127.0.0.1:18001/version'))
    await proxy.stop()
    assert.equal(proxy.hasEnded(), true)
  })
})

test('a cluster that has ended leaves nothing behind', { skip: needs('cluster') }, async () => {
  const groups = () => globSync('/sys/fs/cgroup/{,*/}tradewind-*').sort()
  const before = groups()
  const cluster = await startCluster()
  const processes = (await cluster.run('ps', ['-eo', 'pid,args']))
    .split('\n')
    .filter((line) => line.includes(cluster.directory))
  assert.ok(processes.length > 0)
  assert.notDeepEqual(groups(), before)
  await cluster.stop()
  assert.deepEqual(groups(), before)
  assert.equal(existsSync(cluster.directory), false)
  assert.doesNotMatch(await runProgram('ps', ['-eo', 'args']), new RegExp(cluster.directory))
})
