import { modelRoute } from '../../api/model-route.ts'
import { API_VERSION } from '../../api/resource.ts'
import { ApiError, type ApiServer } from '../api-server.ts'
import type { Rate } from '../rate.ts'
import { settle } from '../settle.ts'
import type { Stored } from '../source/kubernetes.ts'
import { recordOf } from './record.ts'
import type { Record } from './record.ts'
import type { RolloutStore, Writing, Written } from './store.ts'

/** Its own, so that what it does not write is left alone, and what it writes no more is taken away. */
const MANAGER = 'tradewind-rollouts'

/**
 * Rollouts in the status of their route, by server-side apply. A write names the version that it was decided upon (`resourceVersion`), which
 * no other object of that name has ever had: one who has not heard of what another has written is refused.
 */
export class KubernetesStore implements RolloutStore {
  readonly #api: ApiServer
  readonly #stored: (key: string) => Stored | undefined
  readonly #rate: Rate

  /** `stored`: an object's status as the watch has brought it; `rate` bounds all writes together. */
  constructor(api: ApiServer, stored: (key: string) => Stored | undefined, rate: Rate) {
    this.#api = api
    this.#stored = stored
    this.#rate = rate
  }

  read(route: string): { readonly uid: string; readonly record: Record } | undefined {
    const stored = this.#stored(`${modelRoute.kind} ${route}`)
    return stored && { uid: stored.uid, record: recordOf(stored.status) }
  }

  async write(route: string, uid: string, { items, short, condition }: Writing): Promise<Written> {
    const stored = this.#stored(`${modelRoute.kind} ${route}`)
    if (!stored || stored.uid !== uid) return 'gone'
    const [namespace = '', name = ''] = route.split('/')
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const { conditions } = settle(condition ? { conditions: [condition] } : {}, stored.status, now)
    // Of rollouts that are no more nothing is left: fields that are not applied again are removed.
    const status = items.length > 0 ? { rollout: short, rollouts: items, conditions } : {}
    await this.#rate.take()
    try {
      await this.#api.apply(
        `/apis/${API_VERSION}/namespaces/${namespace}/${modelRoute.plural}/${name}/status`,
        {
          apiVersion: API_VERSION,
          kind: modelRoute.kind,
          metadata: { name, namespace, resourceVersion: stored.resourceVersion },
          status,
        },
        MANAGER,
      )
      return 'written'
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return 'gone'
      if (error instanceof ApiError && error.status === 409) return 'conflict'
      throw error
    }
  }
}
