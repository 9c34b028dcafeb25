import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { which } from '../../tool/packages.ts'
import { servers, serversDirectory } from '../../tool/servers.ts'

/**
 * Why a test that needs these programs cannot run here; false when it can. For a test's `skip` option, so that the reason is reported:
 * `test('…', { skip: needs('kube-apiserver', 'etcd') }, …)`. The runner makes a failure of such a skip under CI.
 *
 * A need is one of the servers that `make servers` builds, a command, or `cluster`: what the whole one-node cluster takes.
 */
export function needs(...names: readonly string[]): string | false {
  const wanted = names.flatMap((name) => (name === 'cluster' ? clusterPrograms : name))
  const unbuilt = wanted.filter((name) => isServer(name) && !existsSync(serverPath(name)))
  const absent = wanted.filter((name) => !isServer(name) && !which(name))
  const reasons = [
    ...(names.includes('cluster') && process.platform !== 'linux' ? ['a cluster of its own needs Linux'] : []),
    ...(names.includes('cluster') && process.getuid?.() !== 0 ? ['a cluster of its own needs root'] : []),
    ...(unbuilt.length > 0 ? [`not built: ${unbuilt.join(', ')} (\`make servers\` builds them, with Go)`] : []),
    ...(absent.length > 0 ? [`not installed: ${absent.join(', ')}`] : []),
  ]
  return reasons.length > 0 && reasons.join('; ')
}

const isServer = (name: string) => servers.some((server) => server.name === name)

/** What the one-node cluster runs, and what its scripts call. */
const clusterPrograms = [
  ...servers.map(({ name }) => name),
  ...['runc', 'nft', 'ip', 'sysctl', 'openssl', 'unshare', 'nsenter', '/usr/lib/cni/bridge'],
]

/** Where a server that `make servers` builds is, or would be. */
export function serverPath(name: string): string {
  return join(serversDirectory, name)
}
