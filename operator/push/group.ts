import type { CompiledResource, ResourceKey } from '../../api/compiled.ts'
import { EMPTY_DIGEST, toggle } from '../../core/digest.ts'
import type { Audience } from '../compile/audience.ts'
import type { Serves } from '../fleet.ts'
import type { Publication } from './convergence.ts'

interface Change {
  readonly before: CompiledResource | undefined
  readonly after: CompiledResource | undefined
}
export type Changes = ReadonlyMap<ResourceKey, CompiledResource | undefined>

/** One state of a group's configuration. It knows its successor only, so that versions that no sidecar serves any more are collected. */
export interface Version {
  /** Of the whole configuration. */
  readonly digest: string
  /** How it differs from the version before. */
  readonly changes: ReadonlyMap<ResourceKey, Change>
  readonly publication: Publication | undefined
  next: Version | undefined
}

/** Sidecars that get the same: one audience, and the same words that they lack. */
export class Group {
  readonly audience: Audience
  readonly lacks: readonly string[]
  /** What they are to serve. */
  readonly config = new Map<ResourceKey, CompiledResource>()
  head: Version
  /** Texts of updates to the head, by what they start from. */
  #texts = new Map<object, string>()

  constructor(
    audience: Audience,
    lacks: readonly string[],
    resource: (key: ResourceKey) => CompiledResource | undefined,
  ) {
    this.audience = audience
    this.lacks = lacks
    let digest = EMPTY_DIGEST
    for (const key of audience.keys.keys()) {
      const found = resource(key)
      if (!found) continue
      this.config.set(key, found)
      digest = toggle(digest, key, found.digest)
    }
    this.head = { digest, changes: new Map(), publication: undefined, next: undefined }
  }

  /** Moves the head on by those of the keys whose resource differs; whether any did. */
  advance(
    keys: Iterable<ResourceKey>,
    resource: (key: ResourceKey) => CompiledResource | undefined,
    publication: Publication,
  ): boolean {
    const changes = new Map<ResourceKey, Change>()
    let { digest } = this.head
    for (const key of keys) {
      const before = this.config.get(key)
      const after = this.audience.keys.has(key) ? resource(key) : undefined
      if (before?.digest === after?.digest) continue
      changes.set(key, { before, after })
      if (before) digest = toggle(digest, key, before.digest)
      if (after) digest = toggle(digest, key, after.digest)
      if (after) this.config.set(key, after)
      else this.config.delete(key)
    }
    if (changes.size === 0) return false
    this.head = this.head.next = { digest, changes, publication, next: undefined }
    this.#texts = new Map()
    return true
  }

  /** What leads from a version to the head, merged. */
  since(version: Version): Changes {
    const changes = new Map<ResourceKey, CompiledResource | undefined>()
    const first = new Map<ResourceKey, CompiledResource | undefined>()
    for (let at = version.next; at; at = at.next)
      for (const [key, { before, after }] of at.changes) {
        if (!first.has(key)) first.set(key, before)
        changes.set(key, after)
      }
    // What went and came back is no difference.
    for (const [key, before] of first) if (before?.digest === changes.get(key)?.digest) changes.delete(key)
    return changes
  }

  /** What leads from any other state, given by digests, to the head. */
  from(have: Serves): Changes {
    const changes = new Map<ResourceKey, CompiledResource | undefined>()
    for (const [key, resource] of this.config) if (have.get(key) !== resource.digest) changes.set(key, resource)
    for (const [key] of have.entries()) if (!this.config.has(key)) changes.set(key, undefined)
    return changes
  }

  /** An update to the head, from after its nonce on; made once for all that start from the same `base`, where one is given. */
  text(base: object | undefined, changes: () => Changes): string {
    const known = base && this.#texts.get(base)
    if (known !== undefined) return known
    const text = updateText(changes(), this.head.digest)
    if (base) this.#texts.set(base, text)
    return text
  }

  /** Drops the texts: thousands of sidecars are told with the same one, and when they have been, it is only so much memory. */
  forget(): void {
    this.#texts.clear()
  }

  /** The configuration at a version, as digests. */
  at(version: Version): Serves {
    const { config } = this
    return {
      get(key) {
        for (let at = version.next; at; at = at.next) {
          const change = at.changes.get(key)
          if (change) return change.before?.digest
        }
        return config.get(key)?.digest
      },
      *entries() {
        const since = new Map<ResourceKey, CompiledResource | undefined>()
        for (let at = version.next; at; at = at.next)
          for (const [key, { before }] of at.changes) if (!since.has(key)) since.set(key, before)
        for (const [key, { digest }] of config) if (!since.has(key)) yield [key, digest]
        for (const [key, before] of since) if (before) yield [key, before.digest]
      },
    }
  }
}

/** An update from after its nonce on. */
export function updateText(changes: Changes, digest: string): string {
  const set: Partial<Record<ResourceKey, CompiledResource>> = {}
  const remove: ResourceKey[] = []
  for (const [key, resource] of changes)
    if (resource) set[key] = resource
    else remove.push(key)
  return JSON.stringify({ set, remove, digest }).slice(1)
}
