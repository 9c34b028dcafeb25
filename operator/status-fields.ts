import { modelRoute } from '../api/model-route.ts'
import { API_VERSION } from '../api/resource.ts'
import { ApiError, type ApiServer } from './api-server.ts'
import type { Rate } from './rate.ts'
import { settle, type Untimed } from './settle.ts'
import type { Stored } from './source/kubernetes.ts'

/** What is to be in a status: fields, and a condition of their own. */
export interface Fields {
  /** Undefined: none, and those that are there are taken away. */
  readonly fields: Readonly<Record<string, unknown>> | undefined
  readonly condition: Untimed | undefined
}

/** What became of a write. `conflict`: something else has been written meanwhile; `gone`: so has the route. */
export type Written = 'written' | 'conflict' | 'gone'

/**
 * Some fields in the status of routes, by server-side apply under a manager of their own: so that what others write is left alone, and what
 * is written no more is taken away. A write names the version that it was decided upon (`resourceVersion`), which no other object of that
 * name has ever had: one who has not heard of what another has written is refused.
 */
export class StatusFields {
  readonly #api: ApiServer
  readonly #manager: string
  readonly #stored: (key: string) => Stored | undefined
  readonly #rate: Rate

  /** `stored`: an object's status as the watch has brought it; `rate` bounds all writes together. */
  constructor(api: ApiServer, manager: string, stored: (key: string) => Stored | undefined, rate: Rate) {
    this.#api = api
    this.#manager = manager
    this.#stored = stored
    this.#rate = rate
  }

  /** The route `namespace/name` as the watch has brought it; undefined: there is none. */
  read(route: string): Stored | undefined {
    return this.#stored(`${modelRoute.kind} ${route}`)
  }

  /** Writes where nothing else was written since `read`. Rejects where it is not known whether it was. */
  async write(route: string, uid: string, { fields, condition }: Fields): Promise<Written> {
    const stored = this.read(route)
    if (!stored || stored.uid !== uid) return 'gone'
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
          metadata: { name, namespace, resourceVersion: stored.resourceVersion },
          status: fields ? { ...fields, conditions } : {},
        },
        this.#manager,
      )
      return 'written'
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return 'gone'
      if (error instanceof ApiError && error.status === 409) return 'conflict'
      throw error
    }
  }
}
