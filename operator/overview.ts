import type { Compiled } from './compile/index.ts'
import { keyOf } from './compile/resource.ts'
import type { Fleet } from './fleet.ts'
import type { EndpointStatus } from './status/endpoint.ts'
import type { Totals } from './status/mirrors.ts'
import type { RouteStatus } from './status/route.ts'
import { statuses } from './statuses.ts'

/** Where the operator, and a local run on its admin port, tell it. */
export const OVERVIEW_PATH = '/v1/status'

/** Everything at a glance, as `tradewind status` shows it: what each sidecar serves, and what it makes of each object. */
export interface Overview {
  readonly routes: readonly {
    readonly name: string
    readonly generation: number
    readonly status: Partial<RouteStatus>
  }[]
  readonly endpoints: readonly {
    readonly name: string
    readonly generation: number
    readonly status: Partial<EndpointStatus>
  }[]
  readonly sidecars: readonly SidecarOverview[]
}

export interface SidecarOverview {
  /** `namespace/name`. */
  readonly pod: string
  readonly connected: boolean
  readonly version?: string
  /** What it cannot do that this operator can, words of `CAPABILITIES`. */
  readonly lacks: readonly string[]
  /** The routes that it is to serve, and whether it serves them as they are now, in another version, or not at all. */
  readonly routes: readonly { readonly name: string; readonly serves: 'Current' | 'Other' | 'None' }[]
  /** Why it refused its newest configuration and serves the one before. */
  readonly refused?: readonly { readonly resource: string; readonly path: string; readonly message: string }[]
}

/** Makes the overview of the namespaces that `visible` admits. `totals`: what the sidecars have counted. */
export function overview(
  compiled: Compiled,
  fleet: Fleet,
  visible: (namespace: string) => boolean,
  totals: Totals,
): Overview {
  const routes: Overview['routes'][number][] = []
  const endpoints: Overview['endpoints'][number][] = []
  for (const [id, { generation, status }] of statuses(compiled, fleet, undefined, undefined, totals)) {
    const [kind, name = ''] = id.split(' ')
    if (!visible(namespaceOf(name))) continue
    if (kind === 'ModelRoute') routes.push({ name, generation, status: status as Partial<RouteStatus> }) // by its kind
    else endpoints.push({ name, generation, status: status as Partial<EndpointStatus> }) // likewise
  }
  return {
    routes: routes.sort(byName),
    endpoints: endpoints.sort(byName),
    sidecars: sidecars(compiled, fleet, visible),
  }
}

function sidecars(compiled: Compiled, fleet: Fleet, visible: (namespace: string) => boolean): SidecarOverview[] {
  const refusals = new Map(fleet.refusals.map((it) => [it.pod, it.errors]))
  const connected = new Map(fleet.sidecars.flatMap((group) => group.pods.map((pod) => [pod, group])))
  const targeted = compiled.pods.names().filter((name) => compiled.pods.get(name)?.injected)
  return [...new Set([...targeted, ...connected.keys()])]
    .filter((pod) => visible(namespaceOf(pod)))
    .sort()
    .map((pod) => {
      const group = connected.get(pod)
      const refused = refusals.get(pod)
      const view = compiled.pods.get(pod)
      const names = view ? [...compiled.audience(view).routes].sort() : []
      return {
        pod,
        connected: group !== undefined,
        ...(group ? { version: group.version } : {}),
        lacks: group?.lacks ?? [],
        routes: names.map((name) => {
          const key = keyOf('route', name)
          const has = group?.serves.get(key)
          const wanted = compiled.resource(key, group?.lacks ?? [])?.digest
          return { name, serves: has === undefined ? 'None' : has === wanted ? 'Current' : 'Other' }
        }),
        ...(refused ? { refused } : {}),
      }
    })
}

const namespaceOf = (name: string) => name.slice(0, name.indexOf('/'))
const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
