import type { Report } from '../api/protocol.ts'
import type { ResourceKey } from '../api/compiled.ts'
import type { WireSketch } from '../core/evidence/wire.ts'

/**
 * What the sidecars of one operator replica have said. A sidecar is connected to one replica only, so the parts of several replicas are put
 * together by concatenating each list. All of it is plain data but `serves`, whose entries are (a Map of them is as good).
 */
export interface Fleet {
  readonly sidecars: readonly SidecarGroup[]
  readonly refusals: readonly Refusal[]
  readonly targets: readonly ObservedTarget[]
  readonly endpoints: readonly ObservedEndpoint[]
  readonly promises: readonly ObservedPromise[]
}

/** Connected sidecars that serve the same. */
export interface SidecarGroup {
  /** `namespace/name` of their pods. */
  readonly pods: readonly string[]
  readonly version: string
  /** The words of `CAPABILITIES` that they lack. */
  readonly lacks: readonly string[]
  readonly serves: Serves
}

/** The configuration that is in force at a sidecar, acknowledged: resource → digest. */
export interface Serves {
  get(key: ResourceKey): string | undefined
  entries(): Iterable<readonly [ResourceKey, string]>
}

/** A sidecar refused its newest update, and serves what it had. */
export interface Refusal {
  readonly pod: string
  /** What was in the update: resource → digest. */
  readonly refused: Readonly<Record<ResourceKey, string>>
  readonly errors: readonly { readonly resource: ResourceKey; readonly path: string; readonly message: string }[]
}

/** Attempts of the last minute, over all sidecars of the replica. Parts of several replicas are added up. */
export interface ObservedTarget {
  readonly route: string
  readonly rule: string
  readonly endpoint: string
  readonly model: string
  readonly requests: number
  readonly errors: number
  /** What they cost, picodollars, and how long callers waited, a sketch as it travels; undefined of those that do not tell. */
  readonly cost?: number | undefined
  readonly latency?: WireSketch | undefined
  /** Attempts of each five seconds of the last two minutes, the newest last; undefined of an older operator. */
  readonly history?: readonly number[] | undefined
}

/** How many sidecars find the endpoint, and each of its models, healthy or with an open breaker. Parts are added up. */
export interface ObservedEndpoint {
  readonly endpoint: string
  /** Those that find every model healthy. */
  readonly healthy: number
  /** Those with an open breaker on any model. */
  readonly open: number
  readonly models: readonly {
    readonly name: string
    readonly healthy: number
    readonly open: number
    /** Those for which its rate limit is nearly used up; undefined of an older operator: none. */
    readonly scarce?: number
  }[]
}

/** What audits say of a promise. Parts are added up. */
export interface ObservedPromise {
  readonly route: string
  readonly rule: string
  readonly segment: string
  /** Audited requests; sidecars that tell of it; those of them that have taken it back. */
  readonly audits: number
  readonly told: number
  readonly alarmed: number
  /** The alarm with the most evidence. */
  readonly worst?: NonNullable<NonNullable<Report['promises']>[number]['alarm']> | undefined
}

export const NO_FLEET: Fleet = { sidecars: [], refusals: [], targets: [], endpoints: [], promises: [] }
