import type { CompiledEndpoint, CompiledResource, ResourceKey } from '../../api/compiled.ts'
import { REASONS } from '../../api/conditions.ts'
import type { ModelEndpoint, ModelEndpointSpec } from '../../api/model-endpoint.ts'
import { fullName } from '../../api/resource.ts'
import type { NamespacePolicy } from '../../api/selector.ts'
import { provider } from '../../core/providers/index.ts'
import type { ProviderType } from '../../core/providers/index.ts'
import { canonical } from '../../core/digest.ts'
import { defaultsOf, milliseconds } from '../../core/schema.ts'
import type { Json } from '../../core/dialects/dialect.ts'
import type { PodView, World } from '../world.ts'
import { podAddresses, serviceAddresses } from './addresses.ts'
import type { Fault } from './addresses.ts'
import { isLoopback } from './loopback.ts'
import { pricesOf } from '../prices/find.ts'
import { keyOf, resource } from './resource.ts'
import { secretsOf } from './secrets.ts'

/** What a route has to know of an endpoint that it refers to. The same object as long as none of it changed. */
export interface Referred {
  readonly name: string
  readonly namespace: string
  readonly provider: ProviderType
  readonly models: readonly string[]
  readonly allowedRoutes: NamespacePolicy
  readonly allowCredentialUse: NamespacePolicy
  /** Credentials of ours travel to the sidecars that use it. */
  readonly hasCredentials: boolean
  /** What keeps it from being used at all. */
  readonly fault?: Fault
  /** The resources that a sidecar needs to use it. */
  readonly keys: readonly ResourceKey[]
}

/** What becomes of one ModelEndpoint. */
export interface EndpointResult {
  readonly name: string
  readonly generation: number
  readonly uid: string
  readonly referred: Referred
  readonly resources: ReadonlyMap<ResourceKey, CompiledResource>
  /** What keeps it from being accepted; of its manifest alone. */
  readonly refused?: Fault
  /** Models of which no price is known: their calls have no cost. */
  readonly unpriced: readonly string[]
  /** What it refers to and is not there. Without addresses it is still in force: they may come. */
  readonly unresolved: readonly Fault[]
}

export interface CompileOptions {
  /** Local mode: URLs may point at this machine. */
  readonly allowLoopback: boolean
  /** Rules may inject faults; left out: they may. */
  readonly allowFaults?: boolean
}

/**
 * Compiles an endpoint to its resources: itself, its addresses where they are followed, and the keys of Secrets that it uses. Pure; `pods`
 * are those of its namespace. Parts of `before` that come out the same are kept as they are.
 */
export function compileEndpoint(
  endpoint: ModelEndpoint,
  world: World,
  pods: Iterable<PodView>,
  options: CompileOptions,
  before: EndpointResult | undefined,
): EndpointResult {
  const { metadata, spec } = endpoint
  const name = fullName(metadata)
  const secrets = secretsOf(endpoint, world.secrets)
  const refused = loopback(spec, options)
  const fault = refused ?? secrets.faults[0]
  const resources = new Map<ResourceKey, CompiledResource>()
  const unresolved = [...secrets.faults]
  const put = (key: ResourceKey, body: CompiledResource['body']) =>
    resources.set(key, resource(body, before?.resources.get(key)))
  if (!fault) put(keyOf('endpoint', name), body(endpoint, secrets))

  const followed = addressesOf(endpoint, world, pods)
  if (followed?.fault) unresolved.push(followed.fault)
  if (!fault) {
    if (followed) put(keyOf('addresses', name), { addresses: followed.addresses })
    for (const [key, data] of secrets.resources) put(key, { data })
  }
  const referred: Referred = {
    name,
    namespace: metadata.namespace,
    provider: spec.provider.type,
    models: spec.models?.map((model) => model.name) ?? [],
    allowedRoutes: spec.allowedRoutes,
    allowCredentialUse: spec.allowCredentialUse,
    hasCredentials: secrets.secret,
    ...(fault ? { fault } : {}),
    keys: [...resources.keys()],
  }
  return {
    name,
    generation: metadata.generation ?? 0,
    uid: metadata.uid ?? '',
    referred: before && canonical(before.referred) === canonical(referred) ? before.referred : referred,
    resources,
    ...(refused ? { refused } : {}),
    unpriced: unpriced(endpoint),
    unresolved,
  }
}

function loopback(spec: ModelEndpointSpec, options: CompileOptions): Fault | undefined {
  if (options.allowLoopback) return undefined
  for (const [path, url] of [
    ['spec.address.url', spec.address?.url],
    ['spec.proxy.url', spec.proxy?.url],
  ] as const)
    if (url !== undefined && isLoopback(url))
      return {
        reason: REASONS.loopback,
        message: `${path} is ${url}, which in a cluster is the caller's own pod; use an address that others can reach.`,
      }
  return undefined
}

function addressesOf({ metadata, spec }: ModelEndpoint, world: World, pods: Iterable<PodView>) {
  const { namespace } = metadata
  if (spec.address?.service) {
    const name = `${namespace}/${spec.address.service.name}`
    return serviceAddresses(spec.address.service, namespace, world.services.get(name), world.slices.get(name) ?? [])
  }
  return spec.address?.pods ? podAddresses(spec.address.pods, pods) : undefined
}

type ModelSpec = NonNullable<ModelEndpoint['spec']['models']>[number]

function capabilitiesOf({ features, ...limits }: NonNullable<ModelSpec['capabilities']>) {
  const can = (feature: 'Prefill' | 'Tools' | 'JSONSchema') => features?.includes(feature) ?? false
  return {
    ...limits,
    ...(features ? { prefill: can('Prefill'), tools: can('Tools'), jsonSchema: can('JSONSchema') } : {}),
  }
}

function body({ metadata, spec }: ModelEndpoint, secrets: ReturnType<typeof secretsOf>): CompiledEndpoint {
  const { circuitBreaker, timeouts, health, headers } = spec
  const settings = settingsOf(spec)
  const url = baseURL({ metadata, spec })
  return {
    name: fullName(metadata),
    generation: metadata.generation ?? 0,
    provider: { type: spec.provider.type, ...(settings ? { settings } : {}) },
    url,
    dynamic: spec.address?.service !== undefined || spec.address?.pods !== undefined,
    models: spec.models?.map(({ name, rank, capabilities, quality, price, parameters }) => ({
      name,
      rank,
      ...(capabilities ? { capabilities: capabilitiesOf(capabilities) } : {}),
      ...(quality ? { quality } : {}),
      ...(price ? { prices: [{ price }] } : pricesOf(spec.provider.type, url, name)),
      defaults: parameters?.defaults ?? {},
      force: parameters?.force ?? {},
    })) ?? [{ name: '', rank: 0, defaults: {}, force: {} }],
    ...(secrets.credentials ? { credentials: secrets.credentials } : {}),
    ...(secrets.tls ? { tls: secrets.tls } : {}),
    headers: {
      set: Object.fromEntries(Object.entries(headers?.set ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
      remove: headers?.remove?.map((name) => name.toLowerCase()) ?? [],
    },
    ...(spec.proxy ? { proxy: spec.proxy.url } : {}),
    ...(spec.limits?.maxInFlight === undefined ? {} : { maxInFlight: spec.limits.maxInFlight }),
    timeouts: {
      connect: milliseconds(timeouts.connect),
      firstToken: milliseconds(timeouts.firstToken),
      idle: milliseconds(timeouts.idle),
      attempt: milliseconds(timeouts.attempt),
    },
    ...(health
      ? {
          health: {
            path: health.active.path,
            interval: milliseconds(health.active.interval),
            timeout: milliseconds(health.active.timeout),
            unhealthyAfter: health.active.unhealthyAfter,
            healthyAfter: health.active.healthyAfter,
          },
        }
      : {}),
    breaker: {
      consecutive: circuitBreaker.consecutive,
      percent: circuitBreaker.ratio.percent,
      minimum: circuitBreaker.ratio.minimum,
      within: milliseconds(circuitBreaker.ratio.within),
      openFor: milliseconds(circuitBreaker.openFor),
      probes: circuitBreaker.probes,
      rampUp: circuitBreaker.rampUp,
    },
    retryBudget: spec.retryBudget,
  }
}

/** The names of models that neither the manifest nor the price table has a price for. */
export function unpriced(endpoint: ModelEndpoint): readonly string[] {
  const { models = [], provider: of } = endpoint.spec
  const url = baseURL(endpoint)
  return models.flatMap(({ name, price }) => {
    const { prices, priceLists } = price ? { prices: [price] } : pricesOf(of.type, url, name)
    return prices || priceLists ? [] : [name]
  })
}

/** Where the addresses are followed, the host is the name that goes into `Host` and the TLS handshake. */
function baseURL({ metadata, spec }: Pick<ModelEndpoint, 'metadata' | 'spec'>): string {
  const { service, pods, url } = spec.address ?? {}
  const base = service
    ? `${service.scheme}://${service.name}.${metadata.namespace}.svc:${service.port}${service.path}`
    : pods
      ? `${pods.scheme}://${metadata.name}.${metadata.namespace}:${pods.port}${pods.path}`
      : (url ?? defaultURL(spec))
  return base.replace(/\/+$/, '')
}

/** The schema asks for an address where the provider has none of its own. */
function defaultURL(spec: ModelEndpointSpec): string {
  const { type } = spec.provider
  const url = provider(type).url?.(settingsOf(spec) ?? {})
  if (url === undefined) throw new Error(`provider ${type} has no address of its own`)
  return url
}

/**
 * The provider's own settings with their defaults; undefined for a provider that has none, and where they say nothing but the defaults,
 * which every provider holds to without being told: what needs no settings is then said as it was before there were any.
 */
function settingsOf(spec: ModelEndpointSpec): Json | undefined {
  const { settings } = provider(spec.provider.type)
  if (!settings) return undefined
  const members: Json = spec.provider
  const defaults = defaultsOf(settings.schema)
  const said: Json = { ...defaults, ...(members[settings.name] as Json | undefined) } // the schema has it an object
  return canonical(said) === canonical(defaults) ? undefined : said
}
