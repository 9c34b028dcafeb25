import { Failure } from '../../errors.ts'
import type { Json } from '../dialect.ts'
import { flag, list, number, object, oneOf, text, whole } from '../request-fields.ts'

/** A caller's mistake: `detail` names the field and says what to do. */
export function wrong(detail: string): Failure {
  return new Failure('invalid_request', { detail })
}

/** One object of a caller's body: reads its members, each as `request-fields.ts` does, and remembers which nobody read, at any depth. */
export class Asked {
  private readonly body: Json
  /** Where it stands in the request; empty for its top. */
  readonly at: string
  private readonly taken = new Set<string>()
  /** The objects that were read in its members, by where they stand below it. */
  private inner: Map<string, Asked> | undefined
  private left: string | undefined

  /** Throws where `body` is no object. */
  constructor(body: unknown, at = '') {
    this.body = object(body, at)
    this.at = at
  }

  /** The value as it came; undefined for null. */
  any(key: string): unknown {
    this.taken.add(key)
    return this.body[key] ?? undefined
  }

  // Paths are for refusals, and made for those alone: most members are as they should be, or not there.
  text(key: string): string | undefined {
    const value = this.any(key)
    return value === undefined || typeof value === 'string' ? value : text(value, this.path(key))
  }

  /** The same for a member that must be there. */
  need(key: string): string {
    const value = this.any(key)
    return typeof value === 'string' ? value : text(value, this.path(key))
  }

  number(key: string, least?: number, most?: number): number | undefined {
    const value = this.any(key)
    return value === undefined ? undefined : number(least, most)(value, this.path(key))
  }

  whole(key: string, least?: number, most?: number): number | undefined {
    const value = this.any(key)
    return value === undefined ? undefined : whole(least, most)(value, this.path(key))
  }

  flag(key: string): boolean | undefined {
    const value = this.any(key)
    return value === undefined ? undefined : flag(value, this.path(key))
  }

  object(key: string): Json | undefined {
    const value = this.any(key)
    return value === undefined ? undefined : object(value, this.path(key))
  }

  list(key: string): readonly unknown[] | undefined {
    const value = this.any(key)
    return value === undefined ? undefined : list(value, this.path(key))
  }

  /** The objects of a list; empty where there is none. */
  objects(key: string): readonly Asked[] {
    return (this.list(key) ?? []).map((it, i) => this.below(`${key}.${i}`, it))
  }

  /** The object that is a member; throws where there is none. */
  within(key: string): Asked {
    return this.below(key, this.any(key))
  }

  /** The object that stands at a place below it. */
  below(at: string, value: unknown): Asked {
    const before = this.inner?.get(at)
    if (before) return before
    const found = new Asked(value, this.path(at))
    this.inner ??= new Map()
    this.inner.set(at, found)
    return found
  }

  word<W extends string>(key: string, ...words: readonly W[]): W | undefined {
    const value = this.any(key)
    if (value === undefined) return undefined
    return words.find((word) => word === value) ?? oneOf(...words)(value, this.path(key))
  }

  path(key: string): string {
    return this.at === '' ? key : `${this.at}.${key}`
  }

  /** The member counts as unread, although it was looked at: what it says has no place. */
  leave(key: string): void {
    this.taken.delete(key)
  }

  /** All of it goes without: that is reported by this name, and not member by member. */
  leaveAll(name: string): void {
    this.left = name
  }

  /** Members that were given and nobody read, here or in what was read of them: dotted paths. */
  get unread(): readonly string[] {
    if (this.left !== undefined) return [this.left]
    const found: string[] = []
    for (const it of this.inner?.values() ?? []) found.push(...it.unread)
    for (const key in this.body)
      if (!this.taken.has(key) && this.body[key] !== null && this.body[key] !== undefined) found.push(this.path(key))
    return found
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
