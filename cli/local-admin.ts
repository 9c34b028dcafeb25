import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * The admin port of a local run, where nothing tells of a cluster: neither flags, nor KUBECONFIG, nor a kubeconfig in the home directory, nor
 * a pod's own account. Undefined where something does.
 */
export function localAdmin(environment: NodeJS.ProcessEnv): string | undefined {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST, TRADEWIND_ADMIN = '127.0.0.1:4142' } = environment
  if (KUBECONFIG || KUBERNETES_SERVICE_HOST || existsSync(join(homedir(), '.kube/config'))) return undefined
  return `http://${TRADEWIND_ADMIN}`
}
