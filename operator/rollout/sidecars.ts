import type { Compiled } from '../compile/index.ts'
import { keyOf } from '../compile/resource.ts'
import type { Fleet, SidecarGroup } from '../fleet.ts'

/** Who has a route, among those that are to have it. */
export interface Reached {
  readonly connected: number
  /** Pods that do not serve it as it is now: those that have not acknowledged it, and those that are ready and not connected. */
  readonly behind: readonly string[]
  /** The uids of pods that serve it, and can tell what becomes of its requests. */
  readonly served: readonly string[]
  /** Pods whose sidecars are too old to tell. */
  readonly mute: readonly string[]
}

/** A fleet, looked up by pod: made once for all the routes that are looked at together. */
export class Acknowledgements {
  readonly #compiled: Compiled
  readonly #groups = new Map<string, SidecarGroup>()
  readonly #fleet: Fleet

  constructor(compiled: Compiled, fleet: Fleet) {
    this.#compiled = compiled
    this.#fleet = fleet
    for (const group of fleet.sidecars) for (const pod of group.pods) this.#groups.set(pod, group)
  }

  /**
   * Who has the route `namespace/name`. A pod that is not ready gets no requests, and is not waited for while it is not connected; one that is
   * ready may go on by what it had.
   */
  of(route: string): Reached {
    const key = keyOf('route', route)
    const behind: string[] = []
    const served: string[] = []
    const mute: string[] = []
    let connected = 0
    for (const [audience, pods] of this.#compiled.pods.audiences(route.slice(0, route.indexOf('/')))) {
      if (!audience.routes.has(route)) continue
      for (const name of pods) {
        const group = this.#groups.get(name)
        const pod = this.#compiled.pods.get(name)
        if (!group) {
          if (pod?.ready) behind.push(name)
          continue
        }
        connected++
        const tells = !group.lacks.includes('evidence')
        if (!tells) mute.push(name)
        const expected = this.#compiled.resource(key, group.lacks)?.digest
        if (expected !== undefined && group.serves.get(key) !== expected) behind.push(name)
        else if (pod && tells) served.push(pod.uid)
      }
    }
    return { connected, behind: behind.sort(), served, mute: mute.sort() }
  }

  /** How many sidecars hold the breaker of a model open. */
  open(endpoint: string, model: string): number {
    return this.#fleet.endpoints
      .filter((it) => it.endpoint === endpoint)
      .flatMap(({ models }) => models)
      .reduce((sum, it) => (it.name === model ? sum + it.open : sum), 0)
  }
}
