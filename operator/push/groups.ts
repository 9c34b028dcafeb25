import type { ResourceKey } from '../../api/compiled.ts'
import type { Audience } from '../compile/audience.ts'
import type { Compiled } from '../compile/index.ts'
import { Group } from './group.ts'
import type { Session } from './session.ts'

/** The groups that have sidecars, and which of them a resource concerns. */
export class Groups {
  readonly #byAudience = new Map<Audience, Map<string, Group>>()
  readonly #byKey = new Map<ResourceKey, Set<Group>>()
  readonly #members = new Map<Group, Set<Session>>()

  /** The group of an audience's sidecars that lack these words, made where there is none yet. */
  of(audience: Audience, lacks: readonly string[], compiled: Compiled): Group {
    const bySkew = this.#byAudience.get(audience) ?? new Map<string, Group>()
    this.#byAudience.set(audience, bySkew)
    const known = bySkew.get(lacks.join())
    if (known) return known
    const made = new Group(audience, lacks, (key) => compiled.resource(key, lacks))
    bySkew.set(lacks.join(), made)
    this.#members.set(made, new Set())
    for (const key of audience.keys.keys()) this.#index(made, key, true)
    return made
  }

  /** Its sidecars. */
  members(group: Group): ReadonlySet<Session> {
    return this.#members.get(group) ?? new Set()
  }

  /** Drops what was kept to be said to many at once. */
  forget(): void {
    for (const group of this.#members.keys()) group.forget()
  }

  join(group: Group, session: Session): void {
    this.#members.get(group)?.add(session)
  }

  /** Takes a sidecar out of its group, which goes with the last one. */
  leave(group: Group, session: Session): void {
    const members = this.#members.get(group)
    members?.delete(session)
    if (members?.size !== 0) return
    this.#members.delete(group)
    const bySkew = this.#byAudience.get(group.audience)
    bySkew?.delete(group.lacks.join())
    if (bySkew?.size === 0) this.#byAudience.delete(group.audience)
    for (const key of group.audience.keys.keys()) this.#index(group, key, false)
    for (const key of group.config.keys()) this.#index(group, key, false)
  }

  /** Which groups an edit concerns, each with the resources that it may have other now. */
  touched({ resources, members }: Compiled['changes']): ReadonlyMap<Group, ReadonlySet<ResourceKey>> {
    const touched = new Map<Group, Set<ResourceKey>>()
    const touch = (group: Group, key: ResourceKey) => {
      const keys = touched.get(group)
      if (keys) keys.add(key)
      else touched.set(group, new Set([key]))
    }
    for (const key of resources) for (const group of this.#byKey.get(key) ?? []) touch(group, key)
    for (const [audience, keys] of members)
      for (const group of this.#byAudience.get(audience)?.values() ?? [])
        for (const key of keys) {
          this.#index(group, key, audience.keys.has(key))
          touch(group, key)
        }
    return touched
  }

  #index(group: Group, key: ResourceKey, member: boolean): void {
    const groups = this.#byKey.get(key) ?? new Set<Group>()
    if (member) this.#byKey.set(key, groups.add(group))
    else if (groups.delete(group) && groups.size === 0) this.#byKey.delete(key)
  }
}
