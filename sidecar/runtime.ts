import type { CompiledConfig, CompiledRoute, CompiledRule, ResourceKey } from '../api/compiled.ts'
import { available } from '../core/availability.ts'
import type { Deps } from '../core/deps.ts'
import { outerHandler, prepare } from '../core/pipeline.ts'
import type { Handler, Prepared } from '../core/pipeline.ts'
import { routeRule, RouteTable } from '../core/routes.ts'
import type { Route } from '../core/routes.ts'
import type { Rule, Target } from '../core/target.ts'
import { Refused } from './endpoints.ts'
import type { ConfiguredEndpoint, Endpoints } from './endpoints.ts'

/** What is wrong with a resource of a configuration. */
export interface Problem {
  readonly resource: ResourceKey
  readonly path: string
  readonly message: string
}

/** A configuration as the request path uses it. An exchange keeps the one it started with. */
export interface Runtime {
  readonly table: RouteTable<Prepared>
  readonly endpoints: ReadonlyMap<string, ConfiguredEndpoint>
  readonly handle: Handler
}

interface Built<T> {
  /** What it was made of: digests, and parts by identity. */
  readonly from: readonly unknown[]
  readonly value: T
}

/** Makes runtimes of configurations; what has not changed is taken over from the one before, a rule's place in its sequence included. */
export class RuntimeBuilder {
  private readonly deps: Deps
  private readonly states: Endpoints
  private endpoints = new Map<ResourceKey, Built<ConfiguredEndpoint>>()
  private routes = new Map<ResourceKey, Built<Route<Prepared>>>()

  constructor(deps: Deps, states: Endpoints) {
    this.deps = deps
    this.states = states
  }

  /** Builds all of it, or returns what is wrong with it and changes nothing. */
  build(config: CompiledConfig): Runtime | readonly Problem[] {
    const problems: Problem[] = []
    const attempt = <T>(resource: ResourceKey, make: () => T): T | undefined => {
      try {
        return make()
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        problems.push({ resource, path: error.path, message: error.message })
        return undefined
      }
    }
    const endpoints = new Map<ResourceKey, Built<ConfiguredEndpoint>>()
    const byName = new Map<string, ConfiguredEndpoint>()
    for (const [key, { body }] of config) {
      if (!isKind(key, 'endpoint', body)) continue
      const from = ingredients(body, config)
      const before = this.endpoints.get(key)
      const value =
        before && same(before.from, from) ? before.value : attempt(key, () => this.states.build(body, config))
      if (!value) continue
      endpoints.set(key, { from, value })
      byName.set(value.name, value)
    }
    const routes = new Map<ResourceKey, Built<Route<Prepared>>>()
    for (const [key, { body, digest }] of config) {
      if (!isKind(key, 'route', body)) continue
      const targets = body.rules.flatMap((rule) => rule.targets.map(({ endpoint }) => byName.get(endpoint)))
      const from = [digest, ...targets]
      const before = this.routes.get(key)
      const value = before && same(before.from, from) ? before.value : attempt(key, () => this.route(body, byName))
      if (value) routes.set(key, { from, value })
    }
    if (problems.length > 0) return problems
    this.endpoints = endpoints
    this.routes = routes
    this.states.settle([...byName.values()])
    const table = new RouteTable([...routes.values()].map(({ value }) => value))
    return { table, endpoints: byName, handle: outerHandler(table, this.deps) }
  }

  private route(route: CompiledRoute, endpoints: ReadonlyMap<string, ConfiguredEndpoint>): Route<Prepared> {
    const { name, models, selective, created } = route
    const rules = route.rules.map((rule, index) => {
      const built = this.rule(route, rule, `/rules/${index}`, endpoints)
      return routeRule(built, prepare(built, this.deps))
    })
    return { name, models, selective, created, rules }
  }

  private rule(
    { name: route, requestTimeout }: CompiledRoute,
    rule: CompiledRule,
    path: string,
    endpoints: ReadonlyMap<string, ConfiguredEndpoint>,
  ): Rule {
    const { name, matches, sticky, retry, fallback, onUnavailable } = rule
    const targets: Target[] = []
    const unresolved: Rule['unresolved'][number][] = []
    for (const [index, target] of rule.targets.entries()) {
      const { weight, priority, unavailable } = target
      const id = `${target.endpoint}${target.model ? ` ${target.model}` : ''}`
      if (unavailable) {
        unresolved.push({ id, weight, priority, ...unavailable })
        continue
      }
      const endpoint = endpoints.get(target.endpoint)
      const at = `${path}/targets/${index}`
      if (!endpoint) throw new Refused(at, `Endpoint ${target.endpoint} is not part of the configuration.`)
      const model = endpoint.models.get(target.model)
      if (!model) throw new Refused(at, `Endpoint ${target.endpoint} has no model ${target.model}.`)
      targets.push(this.target({ id, weight, priority, endpoint, model }, onUnavailable))
    }
    return {
      name,
      route,
      requestTimeout,
      matches,
      targets,
      unresolved,
      strategy: rule.strategy.type,
      sticky: sticky?.header.toLowerCase(),
      retry: { attempts: retry.attempts, on: new Set(retry.on) },
      fallback: { on: new Set(fallback.on) },
      onUnavailable,
    }
  }

  private target(
    target: Pick<Target, 'id' | 'weight' | 'priority' | 'endpoint' | 'model'>,
    onUnavailable: Rule['onUnavailable'],
  ): Target {
    const { now } = this.deps
    const { ewma } = target.model.state
    return {
      ...target,
      rank: target.model.rank,
      load: () => ewma.load(),
      available: onUnavailable === 'Fail' ? () => 1 : () => available(target, now),
    }
  }
}

function isKind(key: ResourceKey, kind: 'route', body: unknown): body is CompiledRoute
function isKind(key: ResourceKey, kind: 'endpoint', body: unknown): body is ConfiguredEndpoint['config']
function isKind(key: ResourceKey, kind: string): boolean {
  return key.startsWith(`${kind}/`)
}

/** Everything of the configuration that an endpoint is made of. */
function ingredients({ name, credentials, tls }: ConfiguredEndpoint['config'], config: CompiledConfig) {
  const secrets = [credentials?.secret?.secret, tls?.ca?.secret, tls?.clientCertificate]
  return [`endpoint/${name}`, `addresses/${name}`, ...secrets.map((secret) => `secret/${secret}`)].map(
    (key) => config.get(key as ResourceKey)?.digest, // of the form that keys have
  )
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i])
}
