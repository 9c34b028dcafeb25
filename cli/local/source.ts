import { ExperimentMemory } from '../../operator/experiment/store.ts'
import { MemoryStore } from '../../operator/rollout/store.ts'
import type { PodView, Source, Touched, World } from '../../operator/world.ts'

/** A source's world with one more pod in it: the one whose sidecar runs here. */
export function withPod(source: Source, pod: PodView): Source {
  return {
    start: (changed: (touched?: Touched) => void) => source.start(changed),
    world(): World {
      const world = source.world()
      return { ...world, pods: new Map([...world.pods, [`${pod.namespace}/${pod.name}`, pod]]) }
    },
    stop: () => source.stop(),
  }
}

/** A source's world with what was decided of rollouts in it, which is in the memory of this process alone. */
export function withRollouts(source: Source): { readonly source: Source; readonly store: MemoryStore } {
  let tell: ((touched?: Touched) => void) | undefined
  const store = new MemoryStore(
    (route) => source.world().routes.has(route),
    (name) => tell?.({ kind: 'ModelRoute', name }),
  )
  return {
    store,
    source: {
      start: (changed) => source.start((tell = changed)),
      world: () => ({ ...source.world(), rollouts: store.rollouts }),
      stop: () => source.stop(),
    },
  }
}

/** The same with what was decided of experiments. */
export function withExperiments(source: Source): { readonly source: Source; readonly store: ExperimentMemory } {
  let tell: ((touched?: Touched) => void) | undefined
  const store = new ExperimentMemory(
    (route) => source.world().routes.has(route),
    (name) => tell?.({ kind: 'ModelRoute', name }),
  )
  return {
    store,
    source: {
      start: (changed) => source.start((tell = changed)),
      world: () => ({ ...source.world(), experiments: store.experiments }),
      stop: () => source.stop(),
    },
  }
}

/** A running pod with our sidecar and these labels. */
export function localPod(namespace: string, labels: Readonly<Record<string, string>>): PodView {
  const name = 'local'
  const rest = { injected: true, running: true, ready: true, terminating: false, ips: [] }
  return { namespace, name, uid: `${namespace}/${name}`, labels, ...rest }
}

/** The namespace that a pod must be in to be selected: that of all routes where they are in one, else `default`. */
export function namespaceOf({ routes }: World): string {
  const [only, ...others] = new Set([...routes.values()].map((route) => route.metadata.namespace))
  return only !== undefined && others.length === 0 ? only : 'default'
}
