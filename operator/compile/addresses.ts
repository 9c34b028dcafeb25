import type { CompiledAddresses } from '../../api/compiled.ts'
import { REASONS } from '../../api/conditions.ts'
import type { ModelEndpointSpec } from '../../api/model-endpoint.ts'
import type { PodView, ServiceView, SliceView } from '../world.ts'
import { selects } from './selector.ts'

/** Why something that is referred to cannot be used: a reason of `REASONS` and a full sentence. */
export interface Fault {
  readonly reason: string
  readonly message: string
}

type Address = CompiledAddresses['addresses'][number]
type ServiceAddress = NonNullable<NonNullable<ModelEndpointSpec['address']>['service']>
type PodsAddress = NonNullable<NonNullable<ModelEndpointSpec['address']>['pods']>

/** What the schema admits of one `addresses` resource. */
const MOST = 10_000

/**
 * The addresses behind a Service's port: of its EndpointSlices, by the port's name, the ready ones; those that are terminating only where
 * nothing else is left, as kube-proxy does (KEP-1669). A dual-stack Service is followed in its preferred family, so that no pod counts twice.
 */
export function serviceAddresses(
  wanted: ServiceAddress,
  namespace: string,
  service: ServiceView | undefined,
  slices: readonly SliceView[],
): { readonly addresses: readonly Address[]; readonly fault?: Fault } {
  const called = `Service ${namespace}/${wanted.name}`
  if (!service)
    return none(REASONS.serviceNotFound, `${called} does not exist; create it or correct spec.address.service.name.`)
  if (service.type === 'ExternalName')
    return none(
      REASONS.serviceNotFound,
      `${called} is of type ExternalName, which has no addresses; use an address of type URL.`,
    )
  const port = service.ports.find((it) => it.port === wanted.port)
  if (!port) {
    const has = service.ports.map((it) => it.port).join(', ')
    return none(REASONS.serviceNotFound, `${called} has no port ${wanted.port}; it has ${has || 'none'}.`)
  }
  const ips = slices.filter((slice) => slice.addressType !== 'FQDN')
  const family =
    service.ipFamilies.find((it) => ips.some((slice) => slice.addressType === it && slice.endpoints.length > 0)) ??
    ips[0]?.addressType
  const found = ips
    .filter((slice) => slice.addressType === family)
    .flatMap((slice) => {
      const number = slice.ports.find((it) => it.name === port.name)?.port
      return number === undefined ? [] : slice.endpoints.map((endpoint) => ({ ...endpoint, port: number }))
    })
  const ready = found.filter((endpoint) => endpoint.ready && !endpoint.terminating)
  const usable = ready.length > 0 ? ready : found.filter((endpoint) => endpoint.serving && endpoint.terminating)
  // All addresses of one entry are of the same backend; the first is the one to use (EndpointSlice API, `addresses`).
  const addresses = order(usable.flatMap(({ addresses: [host], port }) => (host === undefined ? [] : [{ host, port }])))
  return addresses.length > 0
    ? { addresses }
    : none(
        REASONS.noAddresses,
        `${called} has no ready address on port ${wanted.port}; its pods are not ready, or none match.`,
      )
}

/** The ready pods that the selector matches; those that are terminating only where nothing else is left. `pods` are those of the namespace. */
export function podAddresses(
  wanted: PodsAddress,
  pods: Iterable<PodView>,
): { readonly addresses: readonly Address[]; readonly fault?: Fault } {
  const matched = [...pods].filter((pod) => selects(wanted.selector, pod.labels) && pod.ready)
  const live = matched.filter((pod) => !pod.terminating)
  const usable = live.length > 0 ? live : matched
  const addresses = order(
    usable.flatMap(({ ips: [host] }) => (host === undefined ? [] : [{ host, port: wanted.port }])),
  )
  return addresses.length > 0
    ? { addresses }
    : none(REASONS.noAddresses, 'No ready pod matches spec.address.pods.selector; start one, or correct the selector.')
}

const none = (reason: string, message: string) => ({ addresses: [], fault: { reason, message } })

/** Sorted and without duplicates, so that equal sets are equal resources. */
function order(addresses: readonly Address[]): readonly Address[] {
  const byText = new Map(addresses.map((address) => [`${address.host} ${address.port}`, address]))
  return [...byText.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, MOST)
    .map(([, address]) => address)
}
