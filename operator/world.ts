import type { ModelEndpoint } from '../api/model-endpoint.ts'
import type { ModelRoute } from '../api/model-route.ts'
import type { ExperimentInForce } from '../core/experiment/in-force.ts'
import type { InForce } from '../core/rollout/in-force.ts'

/** The label that opens a Secret to us: no other Secret is ever read. */
export const SECRET_LABEL = { name: 'tradewind.dev/use', value: 'credentials' } as const

/** The label of the ConfigMaps that hold an artefact of `tradewind train`: no other ConfigMap is ever read. */
export const ARTEFACT_LABEL = { name: 'tradewind.dev/use', value: 'artefact' } as const
/** The key of its `binaryData` that the artefact is under. */
export const ARTEFACT_KEY = 'artefact'

export type Labels = Readonly<Record<string, string>>

export interface SecretView {
  readonly namespace: string
  readonly name: string
  readonly labels: Labels
  /** Decoded, as UTF-8 text. */
  readonly data: Readonly<Record<string, string>>
}

/** A ConfigMap that holds an artefact. */
export interface ArtefactView {
  readonly namespace: string
  readonly name: string
  /** In base64; undefined where the ConfigMap has no such key. */
  readonly data: string | undefined
}

export interface ServiceView {
  readonly namespace: string
  readonly name: string
  /** `ExternalName` Services have no addresses to follow. */
  readonly type: string
  readonly ports: readonly { readonly name: string; readonly port: number }[]
  /** `IPv4` and `IPv6`, the preferred family first; empty: any. */
  readonly ipFamilies: readonly string[]
}

/** An EndpointSlice; a condition that the API left out is as it reads then: ready and serving yes, terminating no. */
export interface SliceView {
  readonly namespace: string
  readonly name: string
  /** Of the label `kubernetes.io/service-name`. */
  readonly service: string
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN'
  readonly ports: readonly { readonly name: string; readonly port: number }[]
  readonly endpoints: readonly {
    readonly addresses: readonly string[]
    readonly ready: boolean
    readonly serving: boolean
    readonly terminating: boolean
  }[]
}

export interface PodView {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly labels: Labels
  /** It carries our sidecar. */
  readonly injected: boolean
  /** Its phase is Running. */
  readonly running: boolean
  readonly ready: boolean
  readonly terminating: boolean
  /** The preferred family first. */
  readonly ips: readonly string[]
}

export interface NamespaceView {
  readonly name: string
  readonly labels: Labels
}

/** What a manifest has wrong. */
export interface Problem {
  /** The field, such as `spec.rules[0].targets[1].weight`; empty for the object as a whole. */
  readonly path: string
  readonly message: string
  /** Where it is written, such as `routes/chat.yaml:12`, where the source has files. */
  readonly at?: string
}

/** An object of ours that does not parse. Where an earlier version of it did, that one is in the world and goes on serving. */
export interface Invalid {
  readonly kind: 'ModelRoute' | 'ModelEndpoint'
  /** `namespace/name`. */
  readonly name: string
  /** The generation that does not parse. */
  readonly generation: number
  readonly problems: readonly Problem[]
}

/**
 * Everything that the compile reads, by `namespace/name` (namespaces by name). Read-only and valid during the synchronous compile;
 * an object that changed is a new object, so that identity is enough to know what did not change.
 */
export interface World {
  readonly routes: ReadonlyMap<string, ModelRoute>
  readonly endpoints: ReadonlyMap<string, ModelEndpoint>
  /** By `KIND namespace/name`. */
  readonly invalid: ReadonlyMap<string, Invalid>
  readonly secrets: ReadonlyMap<string, SecretView>
  readonly artefacts: ReadonlyMap<string, ArtefactView>
  readonly services: ReadonlyMap<string, ServiceView>
  /** By the `namespace/name` of their Service. */
  readonly slices: ReadonlyMap<string, readonly SliceView[]>
  /** The injected pods, and those that an endpoint selects. */
  readonly pods: ReadonlyMap<string, PodView>
  readonly namespaces: ReadonlyMap<string, NamespaceView>
  /** What was decided of the rollouts of a route, as it was written down; left out: nothing. */
  readonly rollouts?: ReadonlyMap<string, readonly InForce[]>
  /** And of their experiments. */
  readonly experiments?: ReadonlyMap<string, readonly ExperimentInForce[]>
}

/** An object that was added, changed or removed. */
export interface Touched {
  readonly kind: TouchedKind
  /** `namespace/name`; a Namespace's own name; an EndpointSlice goes by its Service. */
  readonly name: string
}
export type TouchedKind =
  | 'ModelRoute'
  | 'ModelEndpoint'
  | 'Secret'
  | 'ConfigMap'
  | 'Service'
  | 'EndpointSlice'
  | 'Pod'
  | 'Namespace'

/**
 * Where the world comes from. `start` resolves when the world is whole, and calls `changed` for each change after that: with what was
 * touched, or with nothing where that is not known, and then everything is looked at.
 */
export interface Source {
  start(changed: (touched?: Touched) => void): Promise<void>
  world(): World
  stop(): Promise<void>
}
