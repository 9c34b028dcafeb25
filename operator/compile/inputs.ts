import type { ModelEndpoint } from '../../api/model-endpoint.ts'
import type { ModelRoute } from '../../api/model-route.ts'
import { fullName } from '../../api/resource.ts'
import type { PodView, World } from '../world.ts'
import type { Referred } from './endpoint.ts'
import type { RouteResult } from './route.ts'
import { selects } from './selector.ts'

/** What a result was made of. Equal lists (by identity of their members) make equal results. */
export type Inputs = readonly unknown[]

/** Whether anything that a result was made of is another thing now. */
export function differ(before: Inputs | undefined, after: Inputs | undefined): boolean {
  return (
    before === undefined ||
    after === undefined ||
    before.length !== after.length ||
    before.some((input, i) => input !== after[i])
  )
}

/** What an endpoint looks at besides itself: `Secret namespace/name`, `Service namespace/name`, `Pods namespace`. */
export function usesOf({ metadata: { namespace }, spec }: ModelEndpoint): readonly string[] {
  const { credentials, tls, address } = spec
  const secrets = [credentials?.secret, tls?.ca, tls?.clientCertificate]
  return [
    ...secrets.flatMap((secret) => (secret ? [`Secret ${namespace}/${secret.name}`] : [])),
    ...(address?.service ? [`Service ${namespace}/${address.service.name}`] : []),
    ...(address?.pods ? [`Pods ${namespace}`] : []),
  ]
}

/** A spec belongs to its generation: status and labels, which change more often, are no part of it. */
export function endpointInputs(
  { metadata, spec }: ModelEndpoint,
  uses: readonly string[],
  world: World,
  pods: Iterable<PodView>,
): Inputs {
  const matched = spec.address?.pods
    ? [...pods].filter((pod) => selects(spec.address?.pods?.selector ?? {}, pod.labels))
    : []
  return [
    metadata.uid,
    metadata.generation,
    ...uses.flatMap((use): unknown[] => {
      const [kind, name = ''] = use.split(' ')
      if (kind === 'Secret') return [world.secrets.get(name)]
      return kind === 'Service' ? [world.services.get(name), ...(world.slices.get(name) ?? [])] : []
    }),
    ...matched,
  ]
}

/** `before` is the result for the same generation, and knows what it refers to. */
export function routeInputs(
  { metadata }: ModelRoute,
  before: RouteResult | undefined,
  endpoints: (name: string) => Referred | undefined,
  world: World,
): Inputs {
  return [
    metadata.uid,
    metadata.generation,
    world.namespaces.get(metadata.namespace),
    world.rollouts?.get(fullName(metadata)),
    world.experiments?.get(fullName(metadata)),
    ...(before?.refersTo ?? []).map(endpoints),
    ...(before?.artefacts ?? []).map((name) => world.artefacts.get(name)),
  ]
}
