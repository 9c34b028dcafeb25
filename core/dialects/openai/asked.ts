import { Failure } from '../../errors.ts'
import type { Json } from '../dialect.ts'
import { flag, list, number, object, oneOf, optional, text, whole } from '../request-fields.ts'

/** A caller's mistake: `detail` names the field and says what to do. */
export function wrong(detail: string): Failure {
  return new Failure('invalid_request', { detail })
}

/** One object of a caller's body: reads its members, each as `request-fields.ts` does, and remembers which nobody read. */
export class Asked {
  private readonly body: Json
  private readonly at: string
  private readonly taken = new Set<string>()

  /** `at`: where `body` stands in the request, empty for its top. Throws where it is no object. */
  constructor(body: unknown, at = '') {
    this.body = object(body, at)
    this.at = at
  }

  /** The value as it came; undefined for null. */
  any(key: string): unknown {
    this.taken.add(key)
    return this.body[key] ?? undefined
  }

  text(key: string): string | undefined {
    return optional(this.any(key), this.path(key), text)
  }

  /** The same for a member that must be there. */
  need(key: string): string {
    return text(this.any(key), this.path(key))
  }

  number(key: string, least?: number, most?: number): number | undefined {
    return optional(this.any(key), this.path(key), number(least, most))
  }

  whole(key: string, least?: number, most?: number): number | undefined {
    return optional(this.any(key), this.path(key), whole(least, most))
  }

  flag(key: string): boolean | undefined {
    return optional(this.any(key), this.path(key), flag)
  }

  object(key: string): Json | undefined {
    return optional(this.any(key), this.path(key), object)
  }

  list(key: string): readonly unknown[] | undefined {
    return optional(this.any(key), this.path(key), list)
  }

  /** The objects of a list; empty where there is none. */
  objects(key: string): readonly Asked[] {
    return (this.list(key) ?? []).map((it, i) => new Asked(it, `${this.path(key)}.${i}`))
  }

  /** The object that is a member; throws where there is none. */
  within(key: string): Asked {
    return new Asked(this.any(key), this.path(key))
  }

  word<W extends string>(key: string, ...words: readonly W[]): W | undefined {
    return optional(this.any(key), this.path(key), oneOf(...words))
  }

  path(key: string): string {
    return this.at === '' ? key : `${this.at}.${key}`
  }

  /** Members that were given and nobody read: dotted paths. */
  get unread(): readonly string[] {
    return Object.entries(this.body).flatMap(([key, value]) =>
      this.taken.has(key) || value === null || value === undefined ? [] : [this.path(key)],
    )
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
