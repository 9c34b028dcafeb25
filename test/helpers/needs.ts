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
  const reasons = names.flatMap((name) => (name === 'cluster' ? clusterNeeds() : need(name)))
  return reasons.length > 0 && reasons.join('; ')
}

function need(name: string): string[] {
  if (servers.some((server) => server.name === name)) {
    return existsSync(serverPath(name)) ? [] : [`${name} is not built (\`make servers\` builds it, with Go)`]
  }
  return which(name) ? [] : [`${name} is not installed`]
}

/** Where a server that `make servers` builds is, or would be. */
export function serverPath(name: string): string {
  return join(serversDirectory, name)
}

function clusterNeeds(): string[] {
  if (process.platform !== 'linux') return ['a cluster of its own needs Linux']
  if (process.getuid?.() !== 0) return ['a cluster of its own needs root']
  const programs = ['runc', 'nft', 'ip', 'sysctl', 'openssl', 'unshare', 'nsenter', '/usr/lib/cni/bridge']
  return [...servers.map(({ name }) => name), ...programs].flatMap(need)
}
