import type { ResourceKey } from '../../api/compiled.ts'
import type { Audience } from '../compile/audience.ts'
import type { Compiled } from '../compile/index.ts'
import { sumOf } from '../push/promises.ts'
import type { Totals } from './mirrors.ts'
import type { Fleet, ObservedEndpoint, ObservedPromise, ObservedTarget, Refusal, SidecarGroup } from '../fleet.ts'

/** One audience: its running pods that are not connected, and its connected ones by what they serve. */
export interface Present {
  readonly targeted: number
  readonly missing: readonly string[]
  readonly groups: ReadonlyMap<SidecarGroup, number>
}

/** How many sidecars of those that are to have a resource do have it. */
export interface Reach {
  readonly targeted: number
  readonly connected: number
  readonly acknowledged: number
  /** Pods of connected ones that are too old to be given it at all. */
  readonly tooOld: readonly string[]
  /** Pods that are targeted and not connected. */
  readonly missing: readonly string[]
  readonly refusals: readonly Refusal[]
  readonly groups: ReadonlyMap<SidecarGroup, number>
}

/** A compile and a fleet side by side, joined once for all the statuses that are made from them. */
export class View {
  readonly compiled: Compiled
  readonly fleet: Fleet
  /** ms since the epoch. */
  readonly wall: number
  /** What the sidecars have counted, where they have told. */
  readonly totals: Totals
  readonly #byNamespace = new Map<string, Map<Audience, Present>>()
  readonly #groupOf = new Map<string, SidecarGroup>()
  readonly #refusalOf = new Map<string, Refusal>()
  #targets: Map<string, ObservedTarget> | undefined
  #endpoints: Map<string, ObservedEndpoint> | undefined
  #promises: ReadonlyMap<string, readonly ObservedPromise[]> | undefined

  constructor(compiled: Compiled, fleet: Fleet, wall: number, totals: Totals) {
    this.compiled = compiled
    this.fleet = fleet
    this.wall = wall
    this.totals = totals
    for (const group of fleet.sidecars) for (const pod of group.pods) this.#groupOf.set(pod, group)
    for (const refusal of fleet.refusals) this.#refusalOf.set(refusal.pod, refusal)
  }

  /** Who of the audiences that `concerned` admits has a resource. `namespaces` are where they may be. */
  reach(key: ResourceKey, namespaces: Iterable<string>, concerned: (audience: Audience) => boolean): Reach {
    const groups = new Map<SidecarGroup, number>()
    const missing: string[] = []
    const refusals: Refusal[] = []
    const tooOld = new Set<string>()
    let targeted = 0
    let connected = 0
    let acknowledged = 0
    for (const namespace of namespaces)
      for (const [audience, present] of this.#present(namespace)) {
        if (!concerned(audience)) continue
        targeted += present.targeted
        missing.push(...present.missing)
        for (const [group, count] of present.groups) {
          connected += count
          groups.set(group, (groups.get(group) ?? 0) + count)
          const expected = this.compiled.resource(key, group.lacks)?.digest
          if (expected === undefined) for (const pod of group.pods) tooOld.add(pod)
          else if (group.serves.get(key) === expected) acknowledged += count
        }
        if (this.#refusalOf.size > 0) refusals.push(...this.#refusals(namespace, audience, key))
      }
    return { targeted, connected, acknowledged, tooOld: [...tooOld], missing, refusals, groups }
  }

  /** Attempts on a target in the last minute. */
  requests(route: string, rule: string, endpoint: string, model: string): number {
    this.#targets ??= sum(this.fleet.targets)
    return this.#targets.get(JSON.stringify([route, rule, endpoint, model]))?.requests ?? 0
  }

  /** What audits say of the promises of a route's artefacts. */
  promises(route: string): readonly ObservedPromise[] {
    this.#promises ??= Map.groupBy(sumOf(this.fleet.promises), (promise) => promise.route)
    return this.#promises.get(route) ?? []
  }

  /** How the sidecars find an endpoint; undefined where none has told. */
  observed(endpoint: string): ObservedEndpoint | undefined {
    this.#endpoints ??= merge(this.fleet.endpoints)
    return this.#endpoints.get(endpoint)
  }

  #present(namespace: string): ReadonlyMap<Audience, Present> {
    const known = this.#byNamespace.get(namespace)
    if (known) return known
    const made = new Map<Audience, Present>()
    for (const [audience, pods] of this.compiled.pods.audiences(namespace)) {
      const groups = new Map<SidecarGroup, number>()
      const missing: string[] = []
      for (const pod of pods) {
        const group = this.#groupOf.get(pod)
        if (group) groups.set(group, (groups.get(group) ?? 0) + 1)
        else missing.push(pod)
      }
      made.set(audience, { targeted: pods.size, missing, groups })
    }
    this.#byNamespace.set(namespace, made)
    return made
  }

  /** Those who refused just what the resource is now. */
  #refusals(namespace: string, audience: Audience, key: ResourceKey): readonly Refusal[] {
    const pods = this.compiled.pods.audiences(namespace).get(audience)
    return [...this.#refusalOf.values()].filter(({ pod, refused }) => {
      const lacks = this.#groupOf.get(pod)?.lacks ?? []
      return pods?.has(pod) && refused[key] !== undefined && refused[key] === this.compiled.resource(key, lacks)?.digest
    })
  }
}

/** Replicas each tell of their own sidecars. */
function sum(targets: readonly ObservedTarget[]): Map<string, ObservedTarget> {
  const sums = new Map<string, ObservedTarget>()
  for (const target of targets) {
    const key = JSON.stringify([target.route, target.rule, target.endpoint, target.model])
    const other = sums.get(key)
    sums.set(key, other ? { ...target, requests: target.requests + other.requests } : target)
  }
  return sums
}

function merge(endpoints: readonly ObservedEndpoint[]): Map<string, ObservedEndpoint> {
  const sums = new Map<string, ObservedEndpoint>()
  for (const found of endpoints) {
    const other = sums.get(found.endpoint)
    if (!other) {
      sums.set(found.endpoint, found)
      continue
    }
    const models = Map.groupBy([...other.models, ...found.models], ({ name }) => name)
    sums.set(found.endpoint, {
      endpoint: found.endpoint,
      healthy: found.healthy + other.healthy,
      open: found.open + other.open,
      models: [...models].map(([name, parts]) => ({
        name,
        healthy: parts.reduce((total, part) => total + part.healthy, 0),
        open: parts.reduce((total, part) => total + part.open, 0),
        scarce: parts.reduce((total, { scarce = 0 }) => total + scarce, 0),
      })),
    })
  }
  return sums
}
