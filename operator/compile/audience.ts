import type { ResourceKey } from '../../api/compiled.ts'
import type { Labels } from '../world.ts'
import type { RouteResult } from './route.ts'
import { labelsOf, selects } from './selector.ts'

/** The sidecars of a namespace that get the same, since no selector tells their pods apart. */
export interface Audience {
  readonly namespace: string
  /** The labels that the namespace's selectors look at. */
  readonly labels: Labels
  /** The routes that select it, `namespace/name`. */
  readonly routes: ReadonlySet<string>
  /** What it gets: resource → how many of its routes need it. */
  readonly keys: ReadonlyMap<ResourceKey, number>
}

/** What an edit did to the audiences of a namespace. */
export interface Moved {
  /** Resources that an audience may have gained or lost. */
  readonly members: Map<Audience, Set<ResourceKey>>
  /** Namespaces whose audiences are other ones now, since their selectors look at other labels. */
  readonly regrouped: Set<string>
}

interface Mutable extends Audience {
  readonly routes: Set<string>
  readonly keys: Map<ResourceKey, number>
}

/**
 * Who of one namespace is concerned by which of its routes. Pods are told apart only by the labels that selectors look at, so that thousands
 * of pods with labels of their own are few audiences; an edit moves the counts of those audiences that it concerns, and no others.
 */
export class NamespaceIndex {
  readonly namespace: string
  readonly routes = new Map<string, RouteResult>()
  readonly #labels = new Map<string, number>()
  readonly #audiences = new Map<string, Mutable>()

  constructor(namespace: string) {
    this.namespace = namespace
  }

  /** Puts a route in the place of what it was before; undefined removes it. Whether it reaches others now, or with other resources. */
  replace(name: string, route: RouteResult | undefined, moved: Moved): boolean {
    const before = this.routes.get(name)
    if (route) this.routes.set(name, route)
    else this.routes.delete(name)
    if (before && route && sameReach(before, route)) return false
    // The new one first, so that a label that both look at never goes out of sight.
    if (this.#count(route, 1) + this.#count(before, -1) > 0) {
      this.#audiences.clear()
      moved.regrouped.add(this.namespace)
      return true
    }
    for (const audience of this.#audiences.values()) {
      const touched = new Set<ResourceKey>()
      if (before && reaches(before, audience.labels)) {
        audience.routes.delete(name)
        for (const key of before.keys) if (add(audience.keys, key, -1)) touched.add(key)
      }
      if (route && reaches(route, audience.labels)) {
        audience.routes.add(name)
        for (const key of route.keys) if (add(audience.keys, key, 1)) touched.add(key)
      }
      if (touched.size === 0) continue
      const members = moved.members.get(audience) ?? new Set<ResourceKey>()
      moved.members.set(audience, members)
      for (const key of touched) members.add(key)
    }
    return true
  }

  /** The audience of a pod with these labels. */
  audience(labels: Labels): Audience {
    const seen: Record<string, string> = {}
    let id = ''
    for (const name of this.#labels.keys()) {
      const value = labels[name]
      if (value !== undefined) seen[name] = value
      // No label's value holds a comma.
      id += `${value === undefined ? '!' : `=${value}`},`
    }
    const known = this.#audiences.get(id)
    if (known) return known
    const audience: Mutable = { namespace: this.namespace, labels: seen, routes: new Set(), keys: new Map() }
    for (const route of this.routes.values()) {
      if (!reaches(route, seen)) continue
      audience.routes.add(route.name)
      for (const key of route.keys) add(audience.keys, key, 1)
    }
    this.#audiences.set(id, audience)
    return audience
  }

  /** Counts the labels that a route looks at; how many came newly into sight or went out of it. */
  #count(route: RouteResult | undefined, step: 1 | -1): number {
    let changed = 0
    for (const label of route?.selector ? labelsOf(route.selector) : []) if (add(this.#labels, label, step)) changed++
    return changed
  }
}

const reaches = (route: RouteResult, labels: Labels) => !route.selector || selects(route.selector, labels)

function sameReach(a: RouteResult, b: RouteResult): boolean {
  return (
    a.keys.length === b.keys.length &&
    a.keys.every((key, i) => key === b.keys[i]) &&
    a.refersTo.join() === b.refersTo.join() &&
    JSON.stringify(a.selector) === JSON.stringify(b.selector)
  )
}

/** Adds to a count that is removed at 0; whether it came or went. */
function add<K>(counts: Map<K, number>, key: K, step: 1 | -1): boolean {
  const count = (counts.get(key) ?? 0) + step
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
  return step === 1 ? count === 1 : count <= 0
}
