import type { Compiled } from './compile/index.ts'
import type { Fleet } from './fleet.ts'
import { accepted } from './status/accepted.ts'
import { endpointStatus } from './status/endpoint.ts'
import type { EndpointStatus } from './status/endpoint.ts'
import { routeStatus } from './status/route.ts'
import type { RouteStatus } from './status/route.ts'
import type { Totals } from './status/mirrors.ts'
import { View } from './status/view.ts'

/** The status of an object and the generation that it speaks of; its conditions do not say since when they hold. */
export interface StatusOf {
  readonly generation: number
  readonly status: RouteStatus | EndpointStatus | Pick<RouteStatus, 'conditions'>
}

/**
 * The statuses of the objects named by `only` (`KIND namespace/name`; all of them where left out), from the compile and from what the
 * sidecars have said, at a time (ms since the epoch). `totals`: what they have counted; left out: nothing is known of that. Pure but for the
 * time, where that is left out. Objects that are gone have none.
 */
export function statuses(
  compiled: Compiled,
  fleet: Fleet,
  only?: Iterable<string>,
  wall = Date.now(),
  totals: Totals = () => undefined,
): Map<string, StatusOf> {
  const view = new View(compiled, fleet, wall, totals)
  const made = new Map<string, StatusOf>()
  for (const id of only ?? ids(compiled)) {
    const status = statusOf(view, id)
    if (status) made.set(id, status)
  }
  return made
}

/** All objects of a compile, `KIND namespace/name`. */
export function ids(compiled: Compiled): ReadonlySet<string> {
  return new Set([
    ...[...compiled.routes.keys()].map((name) => `ModelRoute ${name}`),
    ...[...compiled.endpoints.keys()].map((name) => `ModelEndpoint ${name}`),
    ...compiled.invalid.keys(),
  ])
}

function statusOf(view: View, id: string): StatusOf | undefined {
  const { routes, endpoints, invalid } = view.compiled
  const [kind, name = ''] = id.split(' ')
  const route = kind === 'ModelRoute' ? routes.get(name) : undefined
  if (route) return { generation: route.generation, status: routeStatus(view, route) }
  const endpoint = kind === 'ModelEndpoint' ? endpoints.get(name) : undefined
  if (endpoint) return { generation: endpoint.generation, status: endpointStatus(view, endpoint) }
  const broken = invalid.get(id)
  return broken && { generation: broken.generation, status: { conditions: [accepted(view, id, 0, undefined)] } }
}
