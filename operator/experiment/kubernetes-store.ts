import type { ExperimentStatus } from '../../api/experiment.ts'
import { modelRoute } from '../../api/model-route.ts'
import { API_VERSION } from '../../api/resource.ts'
import { ApiError, type ApiServer } from '../api-server.ts'
import type { Rate } from '../rate.ts'
import { settle } from '../settle.ts'
import type { Stored } from '../source/kubernetes.ts'
import type { ExperimentStore, Writing } from './store.ts'

/** Its own, so that what it does not write is left alone, and what it writes no more is taken away. */
const MANAGER = 'tradewind-experiments'

/** What a status has of experiments. */
export function itemsOf(status: unknown): readonly ExperimentStatus[] {
  const { experiments = [] } = Object(status) as { experiments?: readonly ExperimentStatus[] } // the CRD's schema has checked it
  return experiments
}

/**
 * Experiments in the status of their route, by server-side apply. A write names the version that it was decided upon and the object: one who
 * no longer leads is refused.
 */
export class ExperimentStatusStore implements ExperimentStore {
  readonly #api: ApiServer
  readonly #stored: (key: string) => Stored | undefined
  readonly #rate: Rate

  /** `stored`: an object's status as the watch has brought it; `rate` bounds all writes together. */
  constructor(api: ApiServer, stored: (key: string) => Stored | undefined, rate: Rate) {
    this.#api = api
    this.#stored = stored
    this.#rate = rate
  }

  read(route: string): { readonly uid: string; readonly items: readonly ExperimentStatus[] } | undefined {
    const stored = this.#stored(`${modelRoute.kind} ${route}`)
    return stored && { uid: stored.uid, items: itemsOf(stored.status) }
  }

  async write(route: string, uid: string, { items, condition }: Writing): Promise<boolean> {
    const stored = this.#stored(`${modelRoute.kind} ${route}`)
    if (!stored || stored.uid !== uid) return false
    const [namespace = '', name = ''] = route.split('/')
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const { conditions } = settle(condition ? { conditions: [condition] } : {}, stored.status, now)
    await this.#rate.take()
    try {
      await this.#api.apply(
        `/apis/${API_VERSION}/namespaces/${namespace}/${modelRoute.plural}/${name}/status`,
        {
          apiVersion: API_VERSION,
          kind: modelRoute.kind,
          metadata: { name, namespace, uid, resourceVersion: stored.resourceVersion },
          // Of experiments that are no more nothing is left: fields that are not applied again are removed.
          status: items.length > 0 ? { experiments: items, conditions } : {},
        },
        MANAGER,
      )
      return true
    } catch (error) {
      if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return false
      throw error
    }
  }
}
