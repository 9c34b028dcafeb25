import { precedence } from './claims.ts'
import type { Claimant } from './claims.ts'
import { Failure } from './errors.ts'
import { compileMatches } from './match/index.ts'
import type { Asked, Test } from './match/match.ts'
import type { Rule } from './target.ts'

/** A ModelRoute as the sidecar holds it; `Entry` is what it keeps with a rule, such as its handler. */
export interface Route<Entry> extends Claimant {
  readonly rules: readonly RouteRule<Entry>[]
}

export interface RouteRule<Entry> {
  readonly rule: Rule
  readonly test: Test
  /** Where the rule may serve opaque pass-through: the longest path that it matches on; Exact counts as longer. */
  readonly reach: number
  readonly entry: Entry
}

/** Prepares a rule for the table. */
export function routeRule<Entry>(rule: Rule, entry: Entry): RouteRule<Entry> {
  const opaque = rule.targets.some(({ endpoint }) => endpoint.provider.opaque)
  const paths = rule.matches.map(({ path }) => (path ? path.value.length + (path.type === 'Exact' ? 0.5 : 0) : 0))
  const serves = opaque && paths.length > 0 && paths.every((length) => length > 0)
  return { rule, test: compileMatches(rule.matches, rule.caller), reach: serves ? Math.max(...paths) : 0, entry }
}

interface Opaque<Entry> {
  readonly route: Route<Entry>
  readonly rule: RouteRule<Entry>
}

/** Which rule answers what, over all routes of one pod. Claims are settled as `winners` does. */
export class RouteTable<Entry> {
  /** Who claims a model, the strongest first; `*` among the models. */
  private readonly claims: ReadonlyMap<string, readonly Route<Entry>[]>
  /** Rules for opaque pass-through, the farthest reaching first. */
  private readonly opaque: readonly Opaque<Entry>[]
  private sorted: ReadonlyMap<string, Route<Entry>> | undefined

  constructor(
    routes: readonly Route<Entry>[],
    before?: RouteTable<Entry>,
    gone: ReadonlySet<Route<Entry>> = new Set(),
  ) {
    const claims = new Map(before?.claims)
    const come = new Map<string, Route<Entry>[]>()
    for (const route of routes)
      for (const model of new Set(route.models)) {
        const others = come.get(model)
        if (others) others.push(route)
        else come.set(model, [route])
      }
    for (const model of new Set([...come.keys(), ...[...gone].flatMap((route) => route.models)])) {
      const stay = claims.get(model)?.filter((route) => !gone.has(route)) ?? []
      const now = [...stay, ...(come.get(model) ?? [])].sort(precedence)
      if (now.length > 0) claims.set(model, now)
      else claims.delete(model)
    }
    this.claims = claims
    const opaque = routes.flatMap((route) =>
      route.rules.filter(({ reach }) => reach > 0).map((rule): Opaque<Entry> => ({ route, rule })),
    )
    const stay = before?.opaque.filter(({ route }) => !gone.has(route)) ?? []
    this.opaque = [...stay, ...opaque].sort((a, b) => b.rule.reach - a.rule.reach || precedence(a.route, b.route))
  }

  /** The table with some routes in the place of others, for little more than what differs: an edit must keep no request waiting. */
  with(gone: ReadonlySet<Route<Entry>>, come: readonly Route<Entry>[]): RouteTable<Entry> {
    return new RouteTable(come, this, gone)
  }

  /** Exact model names with the route that has each, in order of names. */
  get models(): ReadonlyMap<string, Route<Entry>> {
    this.sorted ??= new Map(
      [...this.claims]
        .flatMap(([model, [route]]) => (route && model !== '*' ? [[model, route] as const] : []))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    )
    return this.sorted
  }

  /** The route that has the caller's model; throws `model_not_found`, which lists what is served. */
  routeOf(model: string): Route<Entry> {
    const route = (this.claims.get(model) ?? this.claims.get('*'))?.[0]
    if (!route) throw new Failure('model_not_found', { detail: `Asked for ${JSON.stringify(model)}; ${this.served()}` })
    return route
  }

  /** The first rule of a route that matches; throws `rule_not_found`. */
  ruleOf(route: Route<Entry>, asked: Asked): RouteRule<Entry> {
    const found = route.rules.find(({ test }) => test(asked))
    if (!found) throw new Failure('rule_not_found', { detail: `Route ${route.name}.` })
    return found
  }

  /** The rule that passes a path through; throws `path_not_found`, which lists what is served. */
  passThrough(asked: Asked): Opaque<Entry> {
    const found = this.findPassThrough(asked)
    if (!found) throw new Failure('path_not_found', { detail: `Asked for ${asked.path}; ${this.served()}` })
    return found
  }

  /** The same, undefined where there is none. */
  findPassThrough(asked: Asked): Opaque<Entry> | undefined {
    return this.opaque.find(({ rule }) => rule.test(asked))
  }

  /** What the pod's routes offer, for an error's words. */
  served(): string {
    const names = [...this.models.keys(), ...(this.claims.has('*') ? ['any other model'] : [])]
    const paths = [
      ...new Set(this.opaque.flatMap(({ rule }) => rule.rule.matches.flatMap(({ path }) => path?.value ?? []))),
    ]
    const models = names.length > 0 ? `models served here: ${list(names)}.` : 'no models are served here.'
    return paths.length > 0 ? `${models} Paths passed through: ${list(paths)}.` : models
  }

  /** Whether some route answers to the model. */
  has(model: string): boolean {
    return this.claims.has('*') || this.claims.has(model)
  }
}

const SHOWN = 50
const list = (names: readonly string[]): string =>
  names.length > SHOWN ? `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more` : names.join(', ')
