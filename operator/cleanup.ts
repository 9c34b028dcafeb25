import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { ApiError, type ApiServer } from './api-server.ts'
import { CA_NAME } from './authority.ts'
import type { KubeObject } from './reflector.ts'
import type { Settings } from './settings.ts'

/** How long the operator's own pods may take to end, ms. */
const PATIENCE = 60_000

/**
 * Removes what the operator made and no release knows of: the roots' Secret and ConfigMaps, and the Lease. Waits until no operator runs
 * any more, which would make them again. The release's hook calls it after an uninstall.
 */
export async function cleanup(
  api: ApiServer,
  settings: Pick<Settings, 'namespace' | 'watchNamespaces' | 'caSecret' | 'lease' | 'service'>,
  log: Logger,
): Promise<void> {
  const { namespace, watchNamespaces, caSecret, lease, service } = settings
  const until = Date.now() + PATIENCE
  const selector = 'app.kubernetes.io/name=tradewind,app.kubernetes.io/component=operator'
  for (;;) {
    const { items } = await api.call<{ items: readonly KubeObject[] }>('GET', `/api/v1/namespaces/${namespace}/pods`, {
      query: { labelSelector: selector },
    })
    const running = items.filter(({ metadata }) => metadata.name.startsWith(`${service}-`))
    if (running.length === 0) break
    if (Date.now() > until) {
      log.warn(
        { running: running.map(({ metadata }) => metadata.name) },
        'operators still run: what they make may come back',
      )
      break
    }
    await sleep(500)
  }
  const scopes = watchNamespaces.length ? watchNamespaces.map((it) => `/namespaces/${it}`) : ['']
  for (const scope of scopes) {
    const { items } = await api.call<{ items: readonly KubeObject[] }>('GET', `/api/v1${scope}/configmaps`, {
      query: { fieldSelector: `metadata.name=${CA_NAME}` },
    })
    for (const { metadata } of items)
      await remove(api, `/api/v1/namespaces/${metadata.namespace}/configmaps/${CA_NAME}`, log)
  }
  await remove(api, `/api/v1/namespaces/${namespace}/secrets/${caSecret}`, log)
  await remove(api, `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${lease}`, log)
}

async function remove(api: ApiServer, path: string, log: Logger): Promise<void> {
  try {
    await api.call('DELETE', path)
    log.info({ path }, 'removed')
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error
  }
}
