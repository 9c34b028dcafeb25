import type { KubeObject } from '../reflector.ts'
import { ARTEFACT_KEY } from '../world.ts'
import type { ArtefactView, NamespaceView, PodView, SecretView, ServiceView, SliceView } from '../world.ts'

/** The label of the pods that carry our sidecar: the webhook sets it. */
export const INJECTED_LABEL = 'tradewind.dev/injected'
/** The label by which an EndpointSlice says whose it is. */
const SERVICE_NAME = 'kubernetes.io/service-name'

// What is used of each kind, as the API server words it. The casts below are from a collection's objects to the collection's kind.
interface Pod extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly deletionTimestamp?: string }
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    readonly podIPs?: readonly { readonly ip?: string }[]
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}
interface Service extends KubeObject {
  readonly spec?: {
    readonly type?: string
    readonly ports?: readonly { readonly name?: string; readonly port: number }[]
    readonly ipFamilies?: readonly string[]
  }
}
interface Slice extends KubeObject {
  readonly addressType: SliceView['addressType']
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null
  readonly endpoints?:
    | readonly {
        readonly addresses: readonly string[]
        readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean }
      }[]
    | null
}
interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

/** A pod, less what is not used; undefined for one that has ended, which serves nothing and asks nothing. */
export function podView(object: KubeObject): PodView | undefined {
  const { metadata, status = {} } = object as Pod
  if (status.phase === 'Succeeded' || status.phase === 'Failed') return undefined
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    labels: metadata.labels ?? {},
    injected: metadata.labels?.[INJECTED_LABEL] === 'true',
    running: status.phase === 'Running',
    ready: status.conditions?.some((it) => it.type === 'Ready' && it.status === 'True') ?? false,
    terminating: metadata.deletionTimestamp !== undefined,
    ips: status.podIPs?.flatMap(({ ip }) => (ip ? [ip] : [])) ?? (status.podIP ? [status.podIP] : []),
  }
}

/** A Service's ports and families. */
export function serviceView(object: KubeObject): ServiceView {
  const { metadata, spec = {} } = object as Service
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    type: spec.type ?? 'ClusterIP',
    ports: (spec.ports ?? []).map(({ name = '', port }) => ({ name, port })),
    ipFamilies: spec.ipFamilies ?? [],
  }
}

/** An EndpointSlice; undefined for one that belongs to no Service. A condition that is left out reads as ready, serving as ready is, and not terminating. */
export function sliceView(object: KubeObject): SliceView | undefined {
  const { metadata, addressType, ports, endpoints } = object as Slice
  const service = metadata.labels?.[SERVICE_NAME]
  if (!service) return undefined
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    service,
    addressType,
    ports: (ports ?? []).flatMap(({ name = '', port }) => (port === undefined ? [] : [{ name, port }])),
    endpoints: (endpoints ?? []).map(({ addresses, conditions = {} }) => {
      const { ready = true, terminating = false } = conditions
      return { addresses, ready, serving: conditions.serving ?? ready, terminating }
    }),
  }
}

/** A Secret's content, decoded. */
export function secretView(object: KubeObject): SecretView {
  const { metadata, data = {} } = object as Secret
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    labels: metadata.labels ?? {},
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
    ),
  }
}

/** What a ConfigMap holds of an artefact. */
export function artefactView(object: KubeObject): ArtefactView {
  const { metadata, binaryData } = object as KubeObject & { readonly binaryData?: Readonly<Record<string, string>> }
  return { namespace: metadata.namespace ?? '', name: metadata.name, data: binaryData?.[ARTEFACT_KEY] }
}

export function namespaceView({ metadata }: KubeObject): NamespaceView {
  return { name: metadata.name, labels: metadata.labels ?? {} }
}
