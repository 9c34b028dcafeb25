import type {
  CompiledBody,
  CompiledConfig,
  CompiledEndpoint,
  CompiledRoute,
  CompiledRule,
  ResourceKey,
  ResourceKind,
} from '../api/compiled.ts'
import { AUDIT_DEFAULTS } from '../core/audit/settings.ts'
import { available } from '../core/availability.ts'
import type { Adjustment } from '../core/decide/adjust.ts'
import type { Deps } from '../core/deps.ts'
import { outerHandler, prepare } from '../core/pipeline.ts'
import type { Handler, Prepared } from '../core/pipeline.ts'
import { ArtefactError } from '../core/learning/artefact-error.ts'
import { readArtefact } from '../core/learning/artefact.ts'
import { routeRule, RouteTable } from '../core/routes.ts'
import type { Route } from '../core/routes.ts'
import { strategy } from '../core/strategies/index.ts'
import type { Loaded } from '../core/strategies/strategy.ts'
import type { Model, Rule, Target } from '../core/target.ts'
import { Refused } from './endpoints.ts'
import { faultOf } from './faults.ts'
import { askedBesides, gateOf } from './gate.ts'
import type { ConfiguredEndpoint, Endpoints } from './endpoints.ts'
import { callerOf, logOf, matchOf } from './matches.ts'

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
  /** What an artefact became; undefined where no route names it. */
  readonly artefact: (key: ResourceKey) => Loaded | undefined
}

interface BuiltEndpoint {
  /** Digests of all that it was made of. */
  readonly from: readonly unknown[]
  readonly value: ConfiguredEndpoint
}

interface BuiltRoute {
  /** The names of its endpoints. */
  readonly uses: ReadonlySet<string>
  /** Its artefacts, there or not. */
  readonly artefacts: ReadonlySet<ResourceKey>
  readonly value: Route<Prepared>
}

/**
 * Makes runtimes of configurations. What has not changed is taken over from the one before, a rule's place in its sequence included, and is
 * hardly looked at: an edit of one among thousands of routes must keep no request waiting.
 */
export class RuntimeBuilder {
  private readonly deps: Deps
  private readonly states: Endpoints
  private endpoints: ReadonlyMap<ResourceKey, BuiltEndpoint> = new Map()
  private byName: ReadonlyMap<string, ConfiguredEndpoint> = new Map()
  private readonly routes = new Map<ResourceKey, BuiltRoute>()
  private readonly artefacts = new Map<ResourceKey, Loaded>()
  private table = new RouteTable<Prepared>([])

  constructor(deps: Deps, states: Endpoints) {
    this.deps = deps
    this.states = states
  }

  /** Builds all of it, or returns what is wrong with it and changes nothing. `changed`: what differs from what was built last. */
  build(config: CompiledConfig, changed: ReadonlySet<ResourceKey>): Runtime | readonly Problem[] {
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
    const others = [...changed].some((key) => !isKind(key, 'route'))
    const endpoints = others ? this.buildEndpoints(config, attempt) : this.endpoints
    const byName = others ? new Map([...endpoints.values()].map(({ value }) => [value.name, value])) : this.byName
    const routes = new Map<ResourceKey, BuiltRoute | undefined>()
    for (const key of changed) if (isKind(key, 'artefact')) this.artefacts.delete(key)
    const artefact = (key: ResourceKey) => this.artefact(key, config)
    for (const key of this.routesToBuild(changed, byName)) {
      const body = config.get(key)?.body
      routes.set(key, isRoute(key, body) ? attempt(key, () => this.route(body, byName, artefact)) : undefined)
    }
    if (problems.length > 0) return problems
    this.endpoints = endpoints
    this.byName = byName
    this.states.settle([...byName.values()])
    this.replace(routes)
    const loaded = (key: ResourceKey) => this.artefacts.get(key)
    return { table: this.table, endpoints: byName, handle: outerHandler(this.table, this.deps), artefact: loaded }
  }

  private buildEndpoints(
    config: CompiledConfig,
    attempt: <T>(resource: ResourceKey, make: () => T) => T | undefined,
  ): ReadonlyMap<ResourceKey, BuiltEndpoint> {
    const endpoints = new Map<ResourceKey, BuiltEndpoint>()
    for (const [key, { body }] of config) {
      if (!isEndpoint(key, body)) continue
      const from = ingredients(body, config)
      const before = this.endpoints.get(key)
      const value =
        before && same(before.from, from) ? before.value : attempt(key, () => this.states.build(body, config))
      if (value) endpoints.set(key, { from, value })
    }
    return endpoints
  }

  /** A trained artefact, read once; what does not load is no fault of the configuration: the strongest target answers instead. */
  private artefact(key: ResourceKey, config: CompiledConfig): Loaded {
    const known = this.artefacts.get(key)
    if (known) return known
    const loaded = load(config.get(key)?.body)
    this.artefacts.set(key, loaded)
    return loaded
  }

  /** Routes that changed, and those whose endpoints or artefacts did. */
  private routesToBuild(
    changed: ReadonlySet<ResourceKey>,
    endpoints: ReadonlyMap<string, ConfiguredEndpoint>,
  ): ReadonlySet<ResourceKey> {
    const keys = new Set([...changed].filter((key) => isKind(key, 'route')))
    if ([...changed].some((key) => isKind(key, 'artefact')))
      for (const [key, { artefacts }] of this.routes) if (!artefacts.isDisjointFrom(changed)) keys.add(key)
    if (endpoints === this.byName) return keys
    const moved = new Set(
      [...this.byName.keys(), ...endpoints.keys()].filter((name) => this.byName.get(name) !== endpoints.get(name)),
    )
    if (moved.size > 0) for (const [key, { uses }] of this.routes) if (!uses.isDisjointFrom(moved)) keys.add(key)
    return keys
  }

  private replace(routes: ReadonlyMap<ResourceKey, BuiltRoute | undefined>): void {
    const gone = new Set<Route<Prepared>>()
    const come: Route<Prepared>[] = []
    for (const [key, built] of routes) {
      const before = this.routes.get(key)
      if (before) gone.add(before.value)
      if (built) come.push(built.value)
      if (built) this.routes.set(key, built)
      else this.routes.delete(key)
    }
    this.table = this.table.with(gone, come)
  }

  private route(
    route: CompiledRoute,
    endpoints: ReadonlyMap<string, ConfiguredEndpoint>,
    artefact: (key: ResourceKey) => Loaded,
  ): BuiltRoute {
    const { name, models, selective, created } = route
    const caller = callerOf(route.caller)
    const log = logOf(route.decisions)
    const rules = route.rules.map((rule, index) => {
      const built = { ...this.rule(route, rule, `/rules/${index}`, endpoints, artefact), caller, log }
      return routeRule(built, prepare(built, this.deps))
    })
    const uses = new Set(
      route.rules.flatMap(({ targets, gate, audit, mirror }) => [
        ...targets.map(({ endpoint }) => endpoint),
        ...(gate ? askedBesides(gate) : []),
        ...(audit?.judge ? [audit.judge.by.endpoint] : []),
        ...(mirror ? [mirror.by.endpoint] : []),
        ...(mirror?.judge ? [mirror.judge.by.endpoint] : []),
      ]),
    )
    const artefacts = new Set(route.rules.flatMap((rule) => artefactsOf(name, rule)))
    return { uses, artefacts, value: { name, models, selective, created, rules } }
  }

  private rule(
    { name: route, generation, requestTimeout }: CompiledRoute,
    rule: CompiledRule,
    path: string,
    endpoints: ReadonlyMap<string, ConfiguredEndpoint>,
    artefact: (key: ResourceKey) => Loaded,
  ): Rule {
    const trained = artefactOf(route, rule.strategy)
    const { name, matches, sticky, retry, fallback, onUnavailable, onUnsupported = 'Report' } = rule
    const targets: Target[] = []
    const unresolved: Rule['unresolved'][number][] = []
    for (const [index, target] of rule.targets.entries()) {
      const { weight, priority, unavailable } = target
      const id = `${target.endpoint}${target.model ? ` ${target.model}` : ''}`
      if (unavailable) {
        unresolved.push({ id, weight, priority, ...unavailable })
        continue
      }
      const found = modelOf(target, endpoints, `${path}/targets/${index}`)
      targets.push(this.target({ id, weight, priority, ...found }, onUnavailable))
    }
    const aside = (named: Named, at: string) =>
      this.target(
        { id: `${named.endpoint} ${named.model}`, weight: 1, priority: 0, ...modelOf(named, endpoints, at) },
        'Redistribute',
      )
    const gate =
      rule.gate && gateOf(rule.gate, `${path}/gate`, { aside, artefact: (own) => artefact(artefactKey(route, own)) })
    return {
      name,
      route,
      generation,
      requestTimeout,
      matches: matches.map((match, index) => matchOf(match, `${path}/matches/${index}`)),
      targets,
      unresolved,
      strategy: {
        type: rule.strategy.type,
        settings: rule.strategy.settings ?? {},
        ...(trained ? { artefact: artefact(trained) } : {}),
      },
      adjust: (rule.adjust ?? []).map((it, index) => adjustment(it, `${path}/adjust/${index}`)),
      sticky: sticky?.header.toLowerCase(),
      retry: { attempts: retry.attempts, when: new Set(retry.when) },
      fallback: { when: new Set(fallback.when) },
      rescue: rule.rescue?.mode ?? 'Stream',
      hedge: rule.hedge && { after: rule.hedge.after, percent: rule.hedge.percent },
      speculate: rule.speculate && {
        from: Number(rule.speculate.from),
        to: Number(rule.speculate.to),
        percent: rule.speculate.percent,
      },
      gate,
      audit: auditOf(rule, gate, (named) => aside(named, `${path}/audit/judge/by`)),
      mirror: rule.mirror && mirrorOf(rule.mirror, (named, at) => aside(named, `${path}/mirror/${at}`)),
      feedback: rule.feedback && feedbackOf(rule.feedback),
      experiment: experimentOf(rule, targets),
      evidence: rule.evidence,
      faults: rule.faults?.map((fault, index) => faultOf(fault, `${path}/faults/${index}`)),
      onUnavailable,
      onUnsupported,
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

/** Undefined also where an arm's target is not there. */
function experimentOf({ experiment }: CompiledRule, targets: readonly Target[]): Rule['experiment'] {
  if (!experiment) return undefined
  const { name, unit, salt, layer } = experiment
  const arms = experiment.arms.flatMap(({ endpoint, model, ...arm }) => {
    const target = targets.find((it) => it.endpoint.name === endpoint && it.model.name === model)
    return target ? [{ ...arm, target }] : []
  })
  return arms.length < experiment.arms.length ? undefined : { name, unit, salt, layer, arms }
}

/** The artefact that a strategy decides by: of the route's own namespace. `route`: `namespace/name`. */
function artefactOf(route: string, { type, settings = {} }: CompiledRule['strategy']): ResourceKey | undefined {
  const name = strategy(type).artefact?.(settings)
  return name === undefined ? undefined : artefactKey(route, name)
}

/** Those of a rule, its gate’s among them. */
function artefactsOf(route: string, { strategy: by, gate }: CompiledRule): readonly ResourceKey[] {
  const gates = gate?.learned && artefactKey(route, gate.learned.artefact)
  return [artefactOf(route, by), gates].filter((key) => key !== undefined)
}

const artefactKey = (route: string, name: string): ResourceKey =>
  `artefact/${route.slice(0, route.indexOf('/'))}/${name}`

function load(body: CompiledBody | undefined): Loaded {
  if (!body || !('artefact' in body)) return { fault: 'the artefact is not there' }
  try {
    return { artefact: readArtefact(Buffer.from(body.artefact, 'base64')) }
  } catch (error) {
    if (error instanceof ArtefactError) return { fault: error.message }
    throw error
  }
}

interface Named {
  readonly endpoint: string
  readonly model: string
}

/** An endpoint of the configuration, and a model of it. */
function modelOf(
  { endpoint: name, model: asked }: Named,
  endpoints: ReadonlyMap<string, ConfiguredEndpoint>,
  at: string,
): { readonly endpoint: ConfiguredEndpoint; readonly model: Model } {
  const endpoint = endpoints.get(name)
  if (!endpoint) throw new Refused(at, `Endpoint ${name} is not part of the configuration.`)
  const model = endpoint.models.get(asked)
  if (!model) throw new Refused(at, `Endpoint ${name} has no model ${asked}.`)
  return { endpoint, model }
}

/**
 * How a rule is audited: by the gate's judge where it has none of its own, and where the gate has a judge also without being told to. Undefined for one that
 * keeps no promises.
 */
function auditOf(
  { strategy: by, audit }: CompiledRule,
  gate: Rule['gate'],
  aside: (named: Named) => Target,
): Rule['audit'] {
  if (by.type !== 'Classifier' || !(audit ?? gate?.judge)) return undefined
  const { judge, ...settings }: NonNullable<CompiledRule['audit']> = audit ?? AUDIT_DEFAULTS
  const own = judge ? { by: aside(judge.by), prompt: judge.prompt } : gate?.judge
  return { ...settings, judge: own }
}

/** With picodollars for the decimal strings of the wire. */
function mirrorOf(
  { by, budget, judge, ...rest }: NonNullable<CompiledRule['mirror']>,
  aside: (named: Named, at: string) => Target,
): Rule['mirror'] {
  const { usdPerSidecarHour, spendPercent } = budget
  return {
    ...rest,
    target: aside(by, 'by'),
    budget: {
      perHour: usdPerSidecarHour === undefined ? undefined : Math.round(Number(usdPerSidecarHour) * 1e12),
      spendPercent,
    },
    judge: judge && { by: aside(judge.by, 'judge/by'), percent: judge.percent, prompt: judge.prompt },
  }
}

/** With numbers for the decimal strings of the wire. */
function adjustment(
  { when, floor, lambda, boost, ...rest }: NonNullable<CompiledRule['adjust']>[number],
  at: string,
): Adjustment {
  return {
    ...rest,
    when: matchOf(when, `${at}/when`),
    ...(floor === undefined ? {} : { floor: Number(floor) }),
    ...(lambda === undefined ? {} : { lambda: Number(lambda) }),
    ...(boost ? { boost: boost.map(({ by, ...some }) => ({ ...some, by: Number(by) })) } : {}),
  }
}

/** With numbers for the decimal strings of the wire. */
function feedbackOf({
  implicit,
  similar,
  bar,
  nearness,
  ...times
}: NonNullable<CompiledRule['feedback']>): Rule['feedback'] {
  return {
    upgrade: { ...times, bar: Number(bar), nearness: Number(nearness), similar: new Set(similar) },
    implicit: new Set(implicit),
  }
}

const isKind = (key: ResourceKey, kind: ResourceKind): boolean => key.startsWith(`${kind}/`)
// Bodies were checked against the schema of their key's kind.
const isRoute = (key: ResourceKey, body: CompiledBody | undefined): body is CompiledRoute =>
  body !== undefined && isKind(key, 'route')
const isEndpoint = (key: ResourceKey, body: CompiledBody): body is CompiledEndpoint =>
  isKind(key, 'endpoint') && 'provider' in body

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
