import type { ApiServer } from '../../operator/api-server.ts'
import { pathOf } from './cluster.ts'

/** A route as its status says that it is served. */
interface Watched {
  readonly metadata: { readonly generation: number; readonly resourceVersion: string }
  readonly status?: {
    readonly programmed?: string
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly observedGeneration: number
    }[]
  }
}

/** Follows the status of one route by a watch, as `kubectl get -w` does. */
export class StatusWatch {
  readonly #stop = new AbortController()
  readonly #heard = new Set<(route: Watched) => void>()
  #last: Watched | undefined

  constructor(api: ApiServer, namespace: string, name: string) {
    void this.#run(api, namespace, name)
  }

  /** Resolves when the status says that the generation is served by all `sidecars`; rejects after `within` ms with what it says. */
  programmed(generation: number, sidecars: number, within = 30_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (route: Watched | undefined) => {
        const found = route?.status?.conditions?.find(({ type }) => type === 'Programmed')
        const done =
          found?.status === 'True' &&
          found.observedGeneration === generation &&
          route?.status?.programmed === `${sidecars}/${sidecars}`
        if (done) {
          clearTimeout(timer)
          this.#heard.delete(look)
          resolve()
        }
      }
      const timer = setTimeout(() => {
        this.#heard.delete(look)
        reject(new Error(`generation ${generation} is not programmed: ${JSON.stringify(this.#last?.status)}`))
      }, within)
      this.#heard.add(look)
      look(this.#last)
    })
  }

  stop(): void {
    this.#stop.abort()
  }

  async #run(api: ApiServer, namespace: string, name: string): Promise<void> {
    const { signal } = this.#stop
    const query = { fieldSelector: `metadata.name=${name}` }
    while (!signal.aborted)
      try {
        await api.watch(pathOf('ModelRoute', namespace), query, signal, ({ type, object }) => {
          if (type !== 'ADDED' && type !== 'MODIFIED') return
          this.#last = object as Watched // a ModelRoute, by the path
          for (const hear of this.#heard) hear(this.#last)
        })
      } catch (error) {
        if (!signal.aborted) throw error
      }
  }
}
