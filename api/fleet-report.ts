import type { Condition } from './conditions.ts'
import type { ModelEndpointStatus } from './model-endpoint.ts'
import type { ModelRouteStatus } from './model-route.ts'

/** What `GET /v1/status` answers, the operator's for a cluster and a local run's for its one sidecar. */
export const STATUS_PATH = '/v1/status'

export interface FleetReport {
  /** Of the operator, semver. */
  readonly version: string
  readonly sidecars: readonly SidecarReport[]
  readonly objects: readonly ObjectReport[]
}

/** One injected pod. */
export interface SidecarReport {
  /** `namespace/name`. */
  readonly pod: string
  /** Empty where it is not connected. */
  readonly version: string
  readonly connected: boolean
  /** How many resources it serves, acknowledged. */
  readonly serves: number
  /** Resources in which it differs from what it is to serve; empty: it is up to date. */
  readonly behind: readonly string[]
  /** Why it refused its newest update; it serves the one before. */
  readonly refused: readonly { readonly resource: string; readonly path: string; readonly message: string }[]
  /** What it is too old for: words of `CAPABILITIES`. */
  readonly lacks: readonly string[]
}

/** The status of a ModelRoute or ModelEndpoint, as the resource has it; the time of a condition is left out. */
export type ObjectReport =
  | Reported<'ModelRoute', Omit<ModelRouteStatus, 'conditions'>>
  | Reported<'ModelEndpoint', Omit<ModelEndpointStatus, 'conditions'>>

interface Reported<Kind, Status> {
  readonly kind: Kind
  /** `namespace/name`. */
  readonly name: string
  readonly generation: number
  readonly status: Status & { readonly conditions?: readonly Omit<Condition, 'lastTransitionTime'>[] }
}
