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
