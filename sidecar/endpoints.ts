import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { validateHeaderValue } from 'node:http'
import type { CompiledAddresses, CompiledConfig, CompiledEndpoint, CompiledSecret } from '../api/compiled.ts'
import { Breaker } from '../core/breaker.ts'
import { canonical } from '../core/digest.ts'
import { Lengths } from '../core/decide/lengths.ts'
import type { Call, Deps, Receiver, Running } from '../core/deps.ts'
import { PeakEwma } from '../core/ewma.ts'
import type { Edit } from '../core/json-fields.ts'
import { provider } from '../core/providers/index.ts'
import { bearer } from '../core/providers/provider.ts'
import type { Auth } from '../core/providers/provider.ts'
import { InvalidAwsCredentials, readAwsSecret } from '../core/aws-credentials.ts'
import { InvalidServiceAccount, isThisMachine } from '../core/google-token.ts'
import { pricingByName, pricingOf, unpriced } from '../core/prices.ts'
import { RateLimits } from '../core/rate-limits.ts'
import { RetryBudget } from '../core/retry-budget.ts'
import type { Address, Endpoint, Model, ModelState, Signer } from '../core/target.ts'
import type { Destination } from './connect.ts'
import { KeySigner, RoleSigner, webIdentity } from './credentials/aws.ts'
import { googleSigner } from './credentials/google.ts'
import type { Way } from './credentials/post.ts'
import { proxyFromEnvironment } from './proxy.ts'
import { Pool } from './upstream.ts'

/** Latencies of ten seconds ago count half, ms. */
const HALF_LIFE = 10_000

/** An address with its connections. */
export class Place implements Address {
  readonly host: string
  readonly port: number
  readonly name: string
  readonly ewma: PeakEwma
  readonly destination: Destination
  healthy = true
  private readonly pool: Pool

  constructor(destination: Destination, now: () => number) {
    this.host = destination.host
    this.port = destination.port
    this.name = `${destination.host.includes(':') ? `[${destination.host}]` : destination.host}:${destination.port}`
    this.ewma = new PeakEwma(now, HALF_LIFE)
    this.destination = destination
    this.pool = new Pool(destination)
  }

  load(): number {
    return this.ewma.load()
  }

  call(call: Call, receiver: Receiver): Running {
    return this.pool.call(call, receiver)
  }

  /** No more calls are expected; those under way go on. */
  close(): void {
    this.pool.close()
  }
}

/** An endpoint as configured, with its addresses and what active checks need. */
export interface ConfiguredEndpoint extends Endpoint {
  readonly config: CompiledEndpoint
  readonly addresses: readonly Place[]
}

/** A fault in a resource: `path` is within its body. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly path: string

  constructor(path: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.path = path
  }
}

interface Kept {
  readonly load: { inFlight: number }
  readonly budget: RetryBudget
  readonly limits: RateLimits
  readonly models: Map<string, ModelState>
  readonly places: Map<string, Place>
  /** With the token that it has, and all that it was made of. */
  signer: { readonly from: string; readonly signer: Signer } | undefined
  /** Those of the configuration in force. */
  inForce: ReadonlySet<Place>
}

/**
 * Builds endpoints, and keeps what must survive an edit of the configuration: breakers, moving averages, budgets, and connections whose
 * parameters are as they were.
 */
export class Endpoints {
  private readonly kept = new Map<string, Kept>()
  private readonly deps: Pick<Deps, 'now'>
  private readonly environment: Readonly<Record<string, string | undefined>>

  constructor(deps: Pick<Deps, 'now'>, environment: Readonly<Record<string, string | undefined>>) {
    this.deps = deps
    this.environment = environment
  }

  /** Builds an endpoint. Throws `Refused`; what was kept is then as before, but for additions that nobody uses. */
  build(config: CompiledEndpoint, resources: CompiledConfig): ConfiguredEndpoint {
    const { now } = this.deps
    const spoken = provider(config.provider.type)
    const url = parseUrl(config.url)
    const destinations = this.destinations(config, url, resources)
    const kept = this.keep(config.name, config)
    const authorization = this.credential(config, resources, spoken.auth, url, kept)
    const places = destinations.map((destination) => {
      // Active checks are of the address too: one that is no longer checked must not stay unhealthy.
      const key = canonical([destination, config.health])
      const place = kept.places.get(key) ?? new Place(destination, now)
      kept.places.set(key, place)
      return place
    })
    const set = Object.entries(config.headers.set).map(([name, value]) => {
      check(`/headers/set/${name}`, () => validateHeaderValue(name, value))
      return [name.toLowerCase(), value] as const
    })
    return {
      config,
      name: config.name,
      provider: spoken,
      settings: config.provider.settings ?? {},
      scheme: url.protocol === 'https:' ? 'https' : 'http',
      authority: url.host,
      basePath: url.pathname.replace(/\/+$/, ''),
      addresses: places,
      models: new Map(config.models.map((model) => [model.name, this.model(kept, model, config.breaker)])),
      authorization,
      setHeaders: set.flat(),
      dropHeaders: new Set([...config.headers.remove.map((name) => name.toLowerCase()), ...set.map(([name]) => name)]),
      timeouts: config.timeouts,
      maxInFlight: config.maxInFlight ?? Infinity,
      load: kept.load,
      budget: kept.budget,
      limits: kept.limits,
    }
  }

  /** Brings thresholds up to date, and lets go of what the endpoints in force do not use. */
  settle(inForce: readonly ConfiguredEndpoint[]): void {
    const byName = new Map(inForce.map((endpoint) => [endpoint.name, endpoint]))
    for (const [name, kept] of this.kept) {
      const endpoint = byName.get(name)
      const used = new Set<Place>(endpoint?.addresses)
      for (const [key, place] of kept.places)
        if (!used.has(place)) {
          kept.places.delete(key)
          place.close()
        }
      if (!endpoint) {
        this.kept.delete(name)
        continue
      }
      kept.budget.configure(endpoint.config.retryBudget)
      // What a breaker opened for was the doing of addresses that are all gone.
      const replaced = used.size > 0 && used.isDisjointFrom(kept.inForce)
      kept.inForce = used
      for (const [model, { breaker }] of kept.models) {
        if (!endpoint.models.has(model)) {
          kept.models.delete(model)
          continue
        }
        breaker.configure(endpoint.config.breaker)
        if (replaced) breaker.probeNow()
      }
    }
  }

  private keep(name: string, { retryBudget }: CompiledEndpoint): Kept {
    let kept = this.kept.get(name)
    if (!kept) {
      const budget = new RetryBudget(retryBudget, this.deps.now)
      kept = {
        load: { inFlight: 0 },
        budget,
        limits: new RateLimits(this.deps.now),
        models: new Map(),
        places: new Map(),
        signer: undefined,
        inForce: new Set(),
      }
      this.kept.set(name, kept)
    }
    return kept
  }

  private model(
    kept: Kept,
    { name, rank, capabilities = {}, quality, prices, priceLists, defaults, force }: CompiledEndpoint['models'][number],
    breaker: CompiledEndpoint['breaker'],
  ): Model {
    const { now } = this.deps
    const state = kept.models.get(name) ?? {
      breaker: new Breaker(breaker, now),
      ewma: new PeakEwma(now, HALF_LIFE),
      lengths: new Lengths(),
      coolUntil: 0,
      limits: new RateLimits(now),
      exhausted: 0,
    }
    kept.models.set(name, state)
    const edits = (fields: Readonly<Record<string, unknown>>, onlyIfAbsent: boolean): Edit[] =>
      Object.entries(fields).map(([field, value]) => ({ name: field, json: JSON.stringify(value), onlyIfAbsent }))
    // A field that is forced needs no default.
    const given = Object.fromEntries(Object.entries(defaults).filter(([field]) => !Object.hasOwn(force, field)))
    const { contextWindow, maxOutputTokens, prefill, tools, jsonSchema, input } = capabilities
    return {
      name,
      rank,
      capabilities: { contextWindow, maxOutputTokens, prefill, tools, jsonSchema, input: input && new Set(input) },
      quality: quality && {
        default: Number(quality.default),
        tasks: new Map(Object.entries(quality.tasks ?? {}).map(([task, value]) => [task, Number(value)])),
      },
      pricing: prices ? pricingOf(prices) : priceLists ? pricingByName(priceLists) : unpriced,
      defaults: edits(given, true),
      force: edits(force, false),
      state,
    }
  }

  private credential(
    { credentials, proxy, tls, provider: { settings } }: CompiledEndpoint,
    resources: CompiledConfig,
    auth: Auth,
    url: URL,
    kept: Kept,
  ): Endpoint['authorization'] {
    if (!credentials) return undefined
    const { type, secret } = credentials
    if (type === 'Passthrough') return 'passthrough'
    const scope = auth.type === 'aws' && { region: String(settings?.['region']), service: auth.service }
    const ca = caOf(tls, resources)
    const way: Way = { proxy: (to) => proxy ?? proxyFromEnvironment(to, this.environment), ca }
    if (type === 'WebIdentity') {
      if (!scope) throw new Refused('/credentials/type', 'A web identity is for providers on AWS.')
      const keys = webIdentity(this.environment, scope.region, way)
      return signer(kept, [type, scope, proxy, ca], () => new RoleSigner(keys, scope))
    }
    const path = '/credentials/secret'
    if (!secret) throw new Refused(path, 'The secret is missing.')
    // Files that hold a key often end in a line feed, which is none of the key's.
    const value = secretValue(resources, secret.secret, secret.key, path).trim()
    if (auth.type === 'google') {
      const local = isThisMachine(url)
      return signer(kept, [auth.type, value, proxy, ca, local], () =>
        read(path, InvalidServiceAccount, () => googleSigner(value, local, way)),
      )
    }
    const given = scope && read(path, InvalidAwsCredentials, () => readAwsSecret(value))
    if (scope && given && !('apiKey' in given))
      return signer(kept, [auth.type, value, scope], () => new KeySigner(given, scope))
    // An API key of Bedrock is the same as one of any other provider.
    const header = (auth.type === 'key' ? auth : bearer).header(value)
    check(path, () => validateHeaderValue(...header), 'The key holds characters that no header may hold.')
    return header
  }

  private destinations(config: CompiledEndpoint, url: URL, resources: CompiledConfig): Destination[] {
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const tls = url.protocol === 'https:' ? tlsOf(config, host, resources) : undefined
    if (!config.dynamic) {
      const proxy = config.proxy ?? proxyFromEnvironment(url, this.environment)
      return [{ host, port: Number(url.port || (tls ? 443 : 80)), tls, proxy }]
    }
    const addresses = resources.get(`addresses/${config.name as `${string}/${string}`}`)?.body as // the key says which
      CompiledAddresses | undefined
    // Pods are reached directly: a proxy of the environment is for what lies outside the cluster.
    return (addresses?.addresses ?? []).map(({ host, port }) => ({ host, port, tls, proxy: config.proxy }))
  }
}

/** The signer of that origin: the one that is there, with the tokens and keys that it has, unless it is of another. */
function signer(kept: Kept, origin: unknown, make: () => Signer): Signer {
  const from = canonical(origin)
  if (kept.signer?.from !== from) kept.signer = { from, signer: make() }
  return kept.signer.signer
}

/** Makes something of a Secret's value; a complaint of that kind is about the value. */
function read<T>(path: string, complaint: new (message: string) => Error, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof complaint) throw new Refused(path, error.message, error)
    throw error
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new Refused('/url', 'The URL must be absolute, with scheme http or https.')
}

function tlsOf({ tls }: CompiledEndpoint, host: string, resources: CompiledConfig): NonNullable<Destination['tls']> {
  const ca = caOf(tls, resources)
  const pair = tls?.clientCertificate
  const cert = pair === undefined ? undefined : secretValue(resources, pair, 'tls.crt', '/tls/clientCertificate')
  const key = pair === undefined ? undefined : secretValue(resources, pair, 'tls.key', '/tls/clientCertificate')
  if (cert !== undefined)
    check(
      '/tls/clientCertificate',
      () => void createSecureContext({ cert, key }),
      'The certificate and its key are not a PEM pair.',
    )
  return { serverName: tls?.serverName ?? host, ca, cert, key }
}

function caOf(tls: CompiledEndpoint['tls'], resources: CompiledConfig): string | undefined {
  if (!tls?.ca) return undefined
  const ca = secretValue(resources, tls.ca.secret, tls.ca.key, '/tls/ca')
  // One that cannot be read would be passed over in silence, and then nothing would be trusted.
  check('/tls/ca', () => void new X509Certificate(ca), 'The CA is not a PEM certificate.')
  return ca
}

function secretValue(resources: CompiledConfig, name: string, key: string, path: string): string {
  const secret = resources.get(`secret/${name as `${string}/${string}`}`)?.body as CompiledSecret | undefined // the key says which
  if (!secret) throw new Refused(path, `The Secret ${name} is not part of the configuration.`)
  const value = secret.data[key]
  if (value === undefined) throw new Refused(path, `The Secret ${name} has no key ${key}.`)
  return value
}

/** Says no in words of ours, or in those of a check that never holds what was checked. */
function check(path: string, judge: () => void, words?: string): void {
  try {
    judge()
  } catch (error) {
    throw new Refused(path, words ?? (error instanceof Error ? error.message : String(error)), error)
  }
}
