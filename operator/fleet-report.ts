import type { FleetReport, ObjectReport, SidecarReport } from '../api/fleet-report.ts'
import { RELEASE } from '../api/release.ts'
import type { Compiled } from './compile/index.ts'
import type { Fleet, Refusal, SidecarGroup } from './fleet.ts'
import { statuses } from './statuses.ts'

/** Everything that people ask of the fleet, from the compile and from what the sidecars have said. Pure. */
export function fleetReport(compiled: Compiled, fleet: Fleet): FleetReport {
  const refusals = new Map(fleet.refusals.map((refusal) => [refusal.pod, refusal]))
  const connected = fleet.sidecars.flatMap((group) =>
    group.pods.map((pod) => sidecar(compiled, pod, group, refusals.get(pod))),
  )
  const known = new Set(connected.map(({ pod }) => pod))
  const missing = compiled.pods
    .names()
    .filter((name) => !known.has(name) && isTargeted(compiled, name))
    .map((pod): SidecarReport => ({
      pod,
      version: '',
      connected: false,
      serves: 0,
      behind: [],
      refused: [],
      lacks: [],
    }))
  const objects = [...statuses(compiled, fleet)].map(([id, { generation, status }]) => {
    const [kind, name] = id.split(' ')
    return { kind, name, generation, status } as ObjectReport // the kind is that of the status, which `statuses` made for it
  })
  return {
    version: RELEASE,
    sidecars: [...connected, ...missing].sort((a, b) => (a.pod < b.pod ? -1 : 1)),
    objects: objects.sort((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1)),
  }
}

function sidecar(
  compiled: Compiled,
  pod: string,
  { version, lacks, serves }: SidecarGroup,
  refusal: Refusal | undefined,
): SidecarReport {
  const found = compiled.pods.get(pod)
  const wanted = new Map(
    [...(found ? compiled.audience(found).keys.keys() : [])].flatMap((key) => {
      const resource = compiled.resource(key, lacks)
      return resource ? [[key, resource.digest] as const] : []
    }),
  )
  const served = new Map(serves.entries())
  const behind = [...new Set([...wanted.keys(), ...served.keys()])].filter((key) => wanted.get(key) !== served.get(key))
  return { pod, version, connected: true, serves: served.size, behind, refused: refusal?.errors ?? [], lacks }
}

function isTargeted(compiled: Compiled, name: string): boolean {
  const pod = compiled.pods.get(name)
  return pod !== undefined && pod.injected && pod.running && !pod.terminating
}
