import type { CompiledResource, CompiledRoute, CompiledRule, ResourceKey } from '../../api/compiled.ts'
import type { ModelRoute, ModelRouteSpec } from '../../api/model-route.ts'
import { fullName } from '../../api/resource.ts'
import type { LabelSelector } from '../../api/selector.ts'
import { milliseconds } from '../../core/schema.ts'
import type { NamespaceView } from '../world.ts'
import type { Fault } from './addresses.ts'
import type { Referred } from './endpoint.ts'
import { resolve } from './references.ts'
import { keyOf, resource } from './resource.ts'
import { requirements } from './skew.ts'

type Rule = ModelRouteSpec['rules'][number]

/** A target that does not resolve. */
export interface Unresolved extends Fault {
  readonly rule: string
  /** The field, `spec.rules[0].targets[1].endpoint`. */
  readonly path: string
}

/** What becomes of one ModelRoute. */
export interface RouteResult {
  readonly name: string
  readonly namespace: string
  readonly generation: number
  readonly uid: string
  readonly resource: CompiledResource
  readonly body: CompiledRoute
  /** Which pods of the namespace get it; undefined: all. */
  readonly selector: LabelSelector | undefined
  /** Everything that such a sidecar needs for it, the route itself first. */
  readonly keys: readonly ResourceKey[]
  readonly unresolved: readonly Unresolved[]
  /** What a sidecar must understand for each rule, words of `CAPABILITIES`. */
  readonly requires: readonly (readonly string[])[]
  /** The endpoints that it refers to, there or not, `namespace/name`. */
  readonly refersTo: readonly string[]
}

/** Compiles a route. Pure; `endpoints` gives what a name refers to. Its resource is that of `before` where nothing differs. */
export function compileRoute(
  route: ModelRoute,
  endpoints: (name: string) => Referred | undefined,
  namespaces: ReadonlyMap<string, NamespaceView>,
  before: RouteResult | undefined,
): RouteResult {
  const { metadata, spec } = route
  const { namespace } = metadata
  const unresolved: Unresolved[] = []
  const refersTo = new Set<string>()
  const needed = new Set<ResourceKey>([keyOf('route', fullName(metadata))])
  const requires: (readonly string[])[] = []

  const rules = spec.rules.map((rule, i): CompiledRule => {
    const name = rule.name ?? `${i}`
    const used: Referred[] = []
    const targets = rule.targets.map(({ endpoint, weight, priority }, j) => {
      const { name: target, model, endpoint: found, fault } = resolve(endpoint, namespace, endpoints, namespaces)
      refersTo.add(target)
      if (found) used.push(found)
      if (fault) unresolved.push({ ...fault, rule: name, path: `spec.rules[${i}].targets[${j}].endpoint` })
      for (const key of found?.keys ?? []) needed.add(key)
      return { endpoint: target, model, weight, priority, ...(fault ? { unavailable: fault } : {}) }
    })
    const compiled = { ...body(rule), name, targets }
    requires.push(requirements(compiled, used))
    return compiled
  })
  const compiled: CompiledRoute = {
    name: fullName(metadata),
    generation: metadata.generation ?? 0,
    created: metadata.creationTimestamp === undefined ? 0 : Date.parse(metadata.creationTimestamp),
    selective: spec.workloads !== undefined,
    models: spec.models ?? [],
    requestTimeout: milliseconds(spec.timeouts.request),
    rules,
  }
  const made = resource(compiled, before?.resource)
  return {
    name: compiled.name,
    namespace,
    generation: compiled.generation,
    uid: metadata.uid ?? '',
    resource: made,
    body: compiled,
    selector: spec.workloads?.selector,
    keys: [...needed],
    unresolved,
    requires,
    refersTo: [...refersTo],
  }
}

function body(rule: Rule): Omit<CompiledRule, 'name' | 'targets'> {
  return {
    matches: (rule.matches ?? []).map(({ model, headers, path }) => ({
      ...(model === undefined
        ? {}
        : {
            model: model.endsWith('*') ? { value: model.slice(0, -1), prefix: true } : { value: model, prefix: false },
          }),
      headers: (headers ?? []).map(({ name, type, value }) => ({ name: name.toLowerCase(), type, value: value ?? '' })),
      ...(path ? { path } : {}),
    })),
    strategy: rule.strategy,
    ...(rule.sticky ? { sticky: { header: rule.sticky.header.toLowerCase() } } : {}),
    retry: rule.retry,
    fallback: rule.fallback,
    ...(rule.rescue.mode === 'Stream' ? {} : { rescue: { mode: rule.rescue.mode } }),
    ...(rule.hedge
      ? {
          hedge: {
            percent: rule.hedge.percent,
            ...(rule.hedge.after === undefined ? {} : { after: milliseconds(rule.hedge.after) }),
          },
        }
      : {}),
    onUnavailable: rule.onUnavailable,
    ...(rule.onUnsupported === 'Fail' ? { onUnsupported: 'Fail' as const } : {}),
  }
}
