import type { PodView } from '../world.ts'
import type { Audience } from './audience.ts'

/** The pods by namespace, and those that run our sidecar by audience. */
export class PodIndex {
  readonly #pods = new Map<string, Map<string, PodView>>()
  readonly #targeted = new Map<string, Map<Audience, Set<string>>>()
  readonly #audience: (pod: PodView) => Audience

  constructor(audience: (pod: PodView) => Audience) {
    this.#audience = audience
  }

  /** The names of all, `namespace/name`. */
  names(): readonly string[] {
    return [...this.#pods.values()].flatMap((pods) => [...pods.keys()])
  }

  /** A pod by its name, `namespace/name`. */
  get(name: string): PodView | undefined {
    return this.#pods.get(name.slice(0, name.indexOf('/')))?.get(name)
  }

  /** All pods of a namespace. */
  of(namespace: string): Iterable<PodView> {
    const pods = this.#pods.get(namespace)
    // Not the iterator itself: it could be gone through only once.
    return { [Symbol.iterator]: () => (pods ?? new Map<string, PodView>()).values() }
  }

  /** The running injected pods of a namespace, by audience. */
  audiences(namespace: string): ReadonlyMap<Audience, ReadonlySet<string>> {
    const known = this.#targeted.get(namespace)
    if (known) return known
    const made = new Map<Audience, Set<string>>()
    for (const pod of this.of(namespace)) if (isTargeted(pod)) join(made, this.#audience(pod), nameOf(pod))
    this.#targeted.set(namespace, made)
    return made
  }

  /** Puts a pod in the place of what it was; undefined removes it. The audiences that have gained or lost it. */
  replace(name: string, pod: PodView | undefined): readonly Audience[] {
    const namespace = name.slice(0, name.indexOf('/'))
    const pods = this.#pods.get(namespace) ?? new Map<string, PodView>()
    const before = pods.get(name)
    if (before === pod) return []
    const audiences = this.#targeted.get(namespace)
    if (pod) {
      pods.set(name, pod)
      this.#pods.set(namespace, pods)
    } else {
      pods.delete(name)
      if (pods.size === 0) this.#pods.delete(namespace)
    }
    const from = before && isTargeted(before) ? this.#audience(before) : undefined
    const to = pod && isTargeted(pod) ? this.#audience(pod) : undefined
    if (from === to) return []
    if (audiences && from) {
      const names = audiences.get(from)
      names?.delete(name)
      if (names?.size === 0) audiences.delete(from)
    }
    if (audiences && to) join(audiences, to, name)
    return [from, to].filter((audience) => audience !== undefined)
  }

  /** The audiences of the namespace are other ones now. */
  regroup(namespace: string): void {
    this.#targeted.delete(namespace)
  }
}

const nameOf = (pod: PodView) => `${pod.namespace}/${pod.name}`

/** A pod that is on its way out takes no new configuration. */
const isTargeted = (pod: PodView) => pod.injected && pod.running && !pod.terminating

function join(audiences: Map<Audience, Set<string>>, audience: Audience, name: string): void {
  const names = audiences.get(audience)
  if (names) names.add(name)
  else audiences.set(audience, new Set([name]))
}
