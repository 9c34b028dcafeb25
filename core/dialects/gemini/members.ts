import type { Json } from '../dialect.ts'
import { object, unreadOf } from '../request-fields.ts'

/**
 * An object of a request with its members in lowerCamelCase: the API takes them as in its proto files too, in snake_case, and SDKs send both
 * (https://protobuf.dev/programming-guides/json/). Only this level is touched: below may be a caller's own names.
 */
export function members(value: unknown, name: string): Json {
  return Object.fromEntries(
    Object.entries(object(value, name)).map(([key, it]) => [
      key.replace(/(?!^)_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
      it,
    ]),
  )
}

/** Reports the members that are not among `known`, with their path. */
export function leave(of: Json, known: ReadonlySet<string>, at: string, unread: string[]): void {
  for (const name of unreadOf(of, known)) unread.push(at === '' ? name : `${at}.${name}`)
}
