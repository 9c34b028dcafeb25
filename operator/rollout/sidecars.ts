import type { Audience } from '../compile/audience.ts'
import type { Compiled } from '../compile/index.ts'
import { keyOf } from '../compile/resource.ts'
import type { Fleet, SidecarGroup } from '../fleet.ts'

/** Who has a route, among those that are to have it. */
export interface Reached {
  readonly connected: number
  /** Pods that do not serve it as it is now: those that have not acknowledged it, and those that are ready and not connected. */
  readonly behind: readonly string[]
  /** Pods whose sidecars are too old to tell what becomes of requests. */
  readonly mute: readonly string[]
  /** Whether the uid of every pod that serves it, and can tell, is among those. */
  readonly within: (uids: ReadonlySet<string>) => boolean
}

/** The pods of an audience by what they serve, and those that are ready and not connected. */
interface Present {
  readonly groups: ReadonlyMap<SidecarGroup, { readonly names: readonly string[]; readonly uids: readonly string[] }>
  readonly missing: readonly string[]
}

/** A fleet by audience: made once for all the routes that are looked at together. */
export class Acknowledgements {
  readonly #compiled: Compiled
  readonly #fleet: Fleet
  #groupOf: ReadonlyMap<string, SidecarGroup> | undefined
  readonly #present = new Map<Audience, Present>()
  #open: ReadonlyMap<string, number> | undefined

  constructor(compiled: Compiled, fleet: Fleet) {
    this.#compiled = compiled
    this.#fleet = fleet
  }

  /**
   * Who has the route `namespace/name`. A pod that is not ready gets no requests, and is not waited for while it is not connected; one that is
   * ready may go on by what it had.
   */
  of(route: string): Reached {
    const key = keyOf('route', route)
    const behind: string[] = []
    const mute: string[] = []
    const served: (readonly string[])[] = []
    let connected = 0
    for (const [audience, pods] of this.#compiled.pods.audiences(route.slice(0, route.indexOf('/')))) {
      if (!audience.routes.has(route)) continue
      const { groups, missing } = this.#of(audience, pods)
      behind.push(...missing)
      for (const [group, { names, uids }] of groups) {
        connected += names.length
        const tells = !group.lacks.includes('evidence')
        if (!tells) mute.push(...names)
        const expected = this.#compiled.resource(key, group.lacks)?.digest
        if (expected !== undefined && group.serves.get(key) !== expected) behind.push(...names)
        else if (tells) served.push(uids)
      }
    }
    const within = (uids: ReadonlySet<string>) => served.every((list) => list.every((uid) => uids.has(uid)))
    return { connected, behind: behind.sort(), mute: mute.sort(), within }
  }

  #of(audience: Audience, pods: ReadonlySet<string>): Present {
    const known = this.#present.get(audience)
    if (known) return known
    this.#groupOf ??= new Map(this.#fleet.sidecars.flatMap((group) => group.pods.map((pod) => [pod, group] as const)))
    const groups = new Map<SidecarGroup, { readonly names: string[]; readonly uids: string[] }>()
    const missing: string[] = []
    for (const name of pods) {
      const group = this.#groupOf.get(name)
      const pod = this.#compiled.pods.get(name)
      if (!pod) continue
      if (!group) {
        if (pod.ready) missing.push(name)
        continue
      }
      const members = groups.get(group) ?? { names: [], uids: [] }
      groups.set(group, members)
      members.names.push(name)
      members.uids.push(pod.uid)
    }
    const made = { groups, missing }
    this.#present.set(audience, made)
    return made
  }

  /** How many sidecars hold the breaker of a model open. */
  open(endpoint: string, model: string): number {
    this.#open ??= openBreakers(this.#fleet)
    return this.#open.get(`${endpoint} ${model}`) ?? 0
  }
}

/** By `namespace/name model`; those that are open nowhere are left out. */
function openBreakers({ endpoints }: Fleet): ReadonlyMap<string, number> {
  const open = new Map<string, number>()
  for (const { endpoint, models } of endpoints)
    for (const model of models) {
      const key = `${endpoint} ${model.name}`
      if (model.open > 0) open.set(key, (open.get(key) ?? 0) + model.open)
    }
  return open
}
