// Brings up (`up`) or ends (`down`) a one-node cluster that stays when this program has ended.
import { join } from 'node:path'
import { cacheRoot } from '../../tool/servers.ts'
import { clusterProcess, startCluster, stopCluster } from '../helpers/cluster.ts'
import { needs } from '../helpers/needs.ts'

const directory = process.env['TRADEWIND_CLUSTER'] || join(cacheRoot, 'cluster')
const usage = `The cluster is up. Its network is its own: test/cluster/in.sh runs a command in it.
  test/cluster/in.sh kubectl get pods -A
  test/cluster/in.sh helm list -A
  make images && test/cluster/in.sh ctr -n k8s.io images import dist/images/tradewind-sidecar.tar
Logs: ${join(directory, 'log')}
make cluster-down ends it.`

async function up(): Promise<void> {
  const reason = needs('cluster')
  if (reason) throw new Error(reason)
  if (!clusterProcess(directory)) {
    // What a cluster left that ended in another way than `down`.
    await stopCluster(directory)
    await startCluster({ directory, detached: true })
  }
  console.log(usage)
}

const commands: Readonly<Record<string, () => Promise<void>>> = { up, down: () => stopCluster(directory) }
const command = commands[process.argv[2] ?? '']
if (!command) throw new Error(`usage: main.ts ${Object.keys(commands).join('|')}`)
await command()
