import type { CompiledResource, ResourceKey } from '../../api/compiled.ts'
import type { Invalid, Labels, Touched, World } from '../world.ts'
import { NamespaceIndex } from './audience.ts'
import type { Audience } from './audience.ts'
import { Conflicts, sameClaims } from './conflicts.ts'
import { compileEndpoint } from './endpoint.ts'
import type { CompileOptions, EndpointResult } from './endpoint.ts'
import type { Changes, Compiled } from './index.ts'
import { differ, endpointInputs, routeInputs, usesOf } from './inputs.ts'
import type { Inputs } from './inputs.ts'
import { PodIndex } from './pods.ts'
import { Relation } from './relation.ts'
import { keyOf } from './resource.ts'
import { compileRoute } from './route.ts'
import type { RouteResult } from './route.ts'
import { routeFor, takes } from './skew.ts'

/**
 * Compiles again and again, and looks only at what may have changed: what was touched and what refers to it, or everything where that is not
 * known. The outcome is that of `compile` over the same world; what is kept between is a memory of results, never a decision.
 */
export class Compiler implements Compiled {
  readonly resources = new Map<ResourceKey, CompiledResource>()
  readonly routes = new Map<string, RouteResult>()
  readonly endpoints = new Map<string, EndpointResult>()
  invalid: ReadonlyMap<string, Invalid> = new Map()
  changes: Changes = noChanges()
  readonly pods = new PodIndex((pod) => this.audience(pod))
  readonly conflicts = new Conflicts(this.routes, (namespace) => this.pods.audiences(namespace))
  readonly #options: CompileOptions
  readonly #indices = new Map<string, NamespaceIndex>()
  readonly #inputs = new Map<string, Inputs>()
  /** Which endpoints look at a Secret, a Service, or the pods of a namespace. */
  readonly #users = new Relation()
  /** Which routes refer to an endpoint, or live in a namespace. */
  readonly #referrers = new Relation()
  /** Which endpoints put a resource: several may use the same key of a Secret. */
  readonly #owners = new Relation()

  constructor(options: CompileOptions) {
    this.#options = options
  }

  /** Compiles the world as it is now; `touched` names all that differs since the last call, and is left out where that is not known. */
  compile(world: World, touched?: readonly Touched[]): Compiled {
    this.changes = noChanges()
    this.#invalid(world)
    this.#pods(world, touched)
    const referred = new Set<string>()
    for (const name of this.#endpointsToSee(world, touched))
      if (this.#endpoint(name, world))
        for (const route of this.#referrers.of(`ModelEndpoint ${name}`)) referred.add(route)
    const claims = new Set<string>()
    for (const name of this.#routesToSee(world, touched, referred)) {
      const namespace = this.#route(name, world)
      if (namespace !== undefined) claims.add(namespace)
    }
    for (const namespace of this.changes.regrouped) this.pods.regroup(namespace)
    for (const namespace of claims)
      for (const route of this.conflicts.renew(namespace)) this.changes.objects.add(`ModelRoute ${route}`)
    return this
  }

  audience(pod: { readonly namespace: string; readonly labels: Labels }): Audience {
    return this.#index(pod.namespace).audience(pod.labels)
  }

  users(endpoint: string): readonly string[] {
    return this.#referrers.of(`ModelEndpoint ${endpoint}`)
  }

  resource(key: ResourceKey, lacks: readonly string[]): CompiledResource | undefined {
    const found = this.resources.get(key)
    if (!found || lacks.length === 0) return found
    const route = key.startsWith('route/') ? this.routes.get(key.slice('route/'.length)) : undefined
    if (route) return routeFor(route, lacks)
    return takes(key, found.body, lacks) ? found : undefined
  }

  #invalid(world: World): void {
    for (const name of new Set([...world.invalid.keys(), ...this.invalid.keys()]))
      if (world.invalid.get(name) !== this.invalid.get(name)) this.changes.objects.add(name)
    this.invalid = new Map(world.invalid)
  }

  /** Pods say who is targeted, so that one that comes or goes concerns the statuses of the routes that select it. */
  #pods(world: World, touched: readonly Touched[] | undefined): void {
    const names = touched
      ? touched.filter(({ kind }) => kind === 'Pod').map(({ name }) => name)
      : [...world.pods.keys(), ...this.pods.names()]
    for (const name of new Set(names)) {
      const pod = world.pods.get(name)
      if (pod === this.pods.get(name)) continue
      this.changes.pods.add(name)
      for (const audience of this.pods.replace(name, pod)) {
        const { routes, keys } = audience
        this.conflicts.joined(audience)
        for (const route of routes) this.changes.objects.add(`ModelRoute ${route}`)
        for (const key of keys.keys())
          if (key.startsWith('endpoint/')) this.changes.objects.add(`ModelEndpoint ${key.slice('endpoint/'.length)}`)
      }
    }
  }

  #endpointsToSee(world: World, touched: readonly Touched[] | undefined): ReadonlySet<string> {
    if (!touched) return new Set([...world.endpoints.keys(), ...this.endpoints.keys()])
    return new Set(
      touched.flatMap(({ kind, name }) => {
        if (kind === 'ModelEndpoint') return [name]
        if (kind === 'Pod') return this.#users.of(`Pods ${name.slice(0, name.indexOf('/'))}`)
        return this.#users.of(`${kind === 'EndpointSlice' ? 'Service' : kind} ${name}`)
      }),
    )
  }

  #routesToSee(
    world: World,
    touched: readonly Touched[] | undefined,
    referred: ReadonlySet<string>,
  ): ReadonlySet<string> {
    if (!touched) return new Set([...world.routes.keys(), ...this.routes.keys()])
    const named = touched.flatMap(({ kind, name }) =>
      kind === 'ModelRoute'
        ? [name]
        : kind === 'Namespace' || kind === 'ConfigMap'
          ? this.#referrers.of(`${kind} ${name}`)
          : [],
    )
    return new Set([...named, ...referred])
  }

  /** Compiles one endpoint where its inputs differ; whether the routes that refer to it have to look again. */
  #endpoint(name: string, world: World): boolean {
    const endpoint = world.endpoints.get(name)
    const before = this.endpoints.get(name)
    const pods = endpoint ? this.pods.of(endpoint.metadata.namespace) : []
    const uses = endpoint ? usesOf(endpoint) : []
    if (!this.#remember(`ModelEndpoint ${name}`, endpoint && endpointInputs(endpoint, uses, world, pods))) return false
    const after = endpoint && compileEndpoint(endpoint, world, pods, this.#options, before)
    this.#users.set(name, uses)
    if (after) this.endpoints.set(name, after)
    else this.endpoints.delete(name)
    this.#own(name, before?.resources, after?.resources, (owner) => this.endpoints.get(owner)?.resources)
    this.changes.objects.add(`ModelEndpoint ${name}`)
    return before?.referred !== after?.referred
  }

  /** Compiles one route where its inputs differ; the namespace where claims may be decided otherwise now. */
  #route(name: string, world: World): string | undefined {
    const route = world.routes.get(name)
    const before = this.routes.get(name)
    const referred = (endpoint: string) => this.endpoints.get(endpoint)?.referred
    const id = `ModelRoute ${name}`
    if (!this.#remember(id, route && routeInputs(route, before, referred, world))) return undefined
    const after = route && compileRoute(route, referred, world, before, this.#options)
    if (after) this.#inputs.set(id, routeInputs(route, after, referred, world))
    if (after) this.routes.set(name, after)
    else this.routes.delete(name)
    const seen = after
      ? [
          ...after.refersTo.map((it) => `ModelEndpoint ${it}`),
          ...after.artefacts.map((it) => `ConfigMap ${it}`),
          `Namespace ${after.namespace}`,
        ]
      : []
    this.#referrers.set(name, seen)
    this.#own(id, before?.extra, after?.extra, (owner) => this.routes.get(owner.slice('ModelRoute '.length))?.extra)
    this.#put(keyOf('route', name), after?.resource)
    const { namespace } = after ?? before ?? { namespace: '' }
    this.changes.objects.add(id)
    // Who uses an endpoint is part of its status.
    if (this.#index(namespace).replace(name, after, this.changes))
      for (const it of [...(before?.refersTo ?? []), ...(after?.refersTo ?? [])])
        this.changes.objects.add(`ModelEndpoint ${it}`)
    return before && after && sameClaims(before, after) ? undefined : namespace
  }

  /** Puts what an object's result has of resources that others may have too: the first that has one gives it. */
  #own(
    id: string,
    before: ReadonlyMap<ResourceKey, CompiledResource> | undefined,
    after: ReadonlyMap<ResourceKey, CompiledResource> | undefined,
    of: (owner: string) => ReadonlyMap<ResourceKey, CompiledResource> | undefined,
  ): void {
    this.#owners.set(id, [...(after?.keys() ?? [])])
    for (const key of new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])) {
      const [owner] = this.#owners.of(key)
      this.#put(key, owner === undefined ? undefined : of(owner)?.get(key))
    }
  }

  /** Notes what a result is made of; whether that is other than before. */
  #remember(id: string, inputs: Inputs | undefined): boolean {
    const before = this.#inputs.get(id)
    if (!before && !inputs) return false
    if (!differ(before, inputs)) return false
    if (inputs) this.#inputs.set(id, inputs)
    else this.#inputs.delete(id)
    return true
  }

  #put(key: ResourceKey, made: CompiledResource | undefined): void {
    if (this.resources.get(key)?.digest === made?.digest) return
    if (made) this.resources.set(key, made)
    else this.resources.delete(key)
    this.changes.resources.add(key)
  }

  #index(namespace: string): NamespaceIndex {
    const known = this.#indices.get(namespace)
    if (known) return known
    const made = new NamespaceIndex(namespace)
    this.#indices.set(namespace, made)
    return made
  }
}

const noChanges = (): Changes => ({
  resources: new Set(),
  objects: new Set(),
  pods: new Set(),
  members: new Map(),
  regrouped: new Set(),
})
