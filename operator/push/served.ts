import type { Refusal, SidecarGroup } from '../fleet.ts'
import type { Session } from './session.ts'

/** Who serves what, and who has refused what: sidecars that serve the same are one entry. Those that have not said hello are not among them. */
export function served(sessions: Iterable<Session>): {
  readonly sidecars: readonly SidecarGroup[]
  readonly refusals: readonly Refusal[]
} {
  const groups = new Map<unknown, Map<string, { session: Session; pods: string[] }>>()
  const refusals: Refusal[] = []
  for (const session of sessions) {
    if (session.version === '') continue
    const at = 'group' in session.base ? session.base.version : session.base
    const byVersion = groups.get(at) ?? new Map<string, { session: Session; pods: string[] }>()
    groups.set(at, byVersion)
    const group = byVersion.get(session.version)
    if (group) group.pods.push(session.pod)
    else byVersion.set(session.version, { session, pods: [session.pod] })
    if (session.refusal) refusals.push(session.refusal)
  }
  const sidecars = [...groups.values()].flatMap((byVersion) =>
    [...byVersion.values()].map(({ session, pods }) => ({
      pods,
      version: session.version,
      lacks: session.lacks,
      serves: session.serves(),
    })),
  )
  return { sidecars, refusals }
}
