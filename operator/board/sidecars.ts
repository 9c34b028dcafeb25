import type { SidecarRow } from '../../api/board.ts'
import type { Audience } from '../compile/audience.ts'
import type { Compiled } from '../compile/index.ts'
import { keyOf } from '../compile/resource.ts'
import type { Fleet, SidecarGroup } from '../fleet.ts'

/** Routes that are named of those with which a sidecar is behind. */
const NAMED = 3

type Served = Pick<SidecarRow, 'routes' | 'current' | 'behind'>

/** Each injected pod's sidecar in one line. Those that are one audience and serve the same are looked at once. */
export function sidecarRows(compiled: Compiled, fleet: Fleet): SidecarRow[] {
  const groupOf = new Map(fleet.sidecars.flatMap((group) => group.pods.map((pod) => [pod, group] as const)))
  const refusalOf = new Map(fleet.refusals.map(({ pod, errors }) => [pod, errors]))
  const known = new Map<Audience, Map<SidecarGroup | undefined, Served>>()
  const serves = (audience: Audience, group: SidecarGroup | undefined) => {
    const byGroup = known.get(audience) ?? new Map<SidecarGroup | undefined, Served>()
    known.set(audience, byGroup)
    let found = byGroup.get(group)
    if (!found) byGroup.set(group, (found = servedBy(compiled, audience, group)))
    return found
  }
  const injected = compiled.pods.names().filter((name) => compiled.pods.get(name)?.injected)
  return [...new Set([...injected, ...groupOf.keys()])].sort().map((pod) => {
    const view = compiled.pods.get(pod)
    const group = groupOf.get(pod)
    const [refused] = refusalOf.get(pod) ?? []
    return {
      pod,
      connected: group !== undefined,
      version: group?.version ?? '',
      lacks: group?.lacks ?? [],
      ...(view ? serves(compiled.audience(view), group) : { routes: 0, current: 0, behind: [] }),
      refused: refused ?? null,
    }
  })
}

function servedBy(compiled: Compiled, { routes }: Audience, group: SidecarGroup | undefined): Served {
  const behind: string[] = []
  for (const name of routes) if (!isCurrent(compiled, name, group)) behind.push(name)
  return { routes: routes.size, current: routes.size - behind.length, behind: behind.sort().slice(0, NAMED) }
}

/** Whether sidecars serve a route as it is now. */
export function isCurrent(compiled: Compiled, route: string, group: SidecarGroup | undefined): boolean {
  const key = keyOf('route', route)
  const wanted = compiled.resource(key, group?.lacks ?? [])?.digest
  return wanted !== undefined && group?.serves.get(key) === wanted
}
