/** The group and version of both kinds. */
export const GROUP = 'tradewind.dev'
export const VERSION = 'v1alpha1'
export const API_VERSION = `${GROUP}/${VERSION}` as const

/** What we use of `metav1.ObjectMeta`. */
export interface Metadata {
  readonly name: string
  readonly namespace: string
  readonly uid?: string
  readonly generation?: number
  readonly resourceVersion?: string
  readonly creationTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** A custom resource, validated and defaulted. */
export interface Resource<Kind extends string, Spec, Status> {
  readonly apiVersion: typeof API_VERSION
  readonly kind: Kind
  readonly metadata: Metadata
  readonly spec: Spec
  readonly status?: Status
}

/** The name of an object across namespaces, `namespace/name`. */
export function fullName(metadata: Pick<Metadata, 'name' | 'namespace'>): string {
  return `${metadata.namespace}/${metadata.name}`
}
