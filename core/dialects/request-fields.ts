import { Failure } from '../errors.ts'
import type { Json } from './dialect.ts'

/**
 * Reads members of a caller's request. Each takes a value and its dotted path in the caller's words, and throws `invalid_request` with that
 * path and what belongs there.
 */

/** The refusal of a member: `must` ends the sentence “"NAME" must be …”. */
export function invalid(name: string, must: string): Failure {
  return new Failure('invalid_request', { detail: `"${name}" must be ${must}.` })
}

/** What `read` makes of a member; undefined where it is left out, or null as SDKs write what is not given. */
export function optional<T>(value: unknown, name: string, read: (value: unknown, name: string) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value, name)
}

export function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw invalid(name, 'a string')
  return value
}

export function flag(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw invalid(name, 'true or false')
  return value
}

/** Reads numbers of `least` to `most`. */
export const number =
  (least = -Infinity, most = Infinity) =>
  (value: unknown, name: string): number => {
    if (typeof value !== 'number' || value < least || value > most) throw invalid(name, `a number${range(least, most)}`)
    return value
  }

/** The same for whole numbers. */
export const whole =
  (least = -Infinity, most = Infinity) =>
  (value: unknown, name: string): number => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
      throw invalid(name, `a whole number${range(least, most)}`)
    return value
  }

export function list(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(name, 'a list')
  return value
}

/** A list whose every member is read by `read`. */
export const listOf =
  <T>(read: (value: unknown, name: string) => T) =>
  (value: unknown, name: string): readonly T[] =>
    list(value, name).map((item, i) => read(item, `${name}.${i}`))

export function object(value: unknown, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(name, 'an object')
  return value as Json // an object has string keys, and their values are unknown
}

/** Reads one of the words. */
export const oneOf =
  <T extends string>(...words: readonly T[]) =>
  (value: unknown, name: string): T => {
    const found = words.find((word) => word === value)
    if (found === undefined) throw invalid(name, `one of ${words.map((word) => `"${word}"`).join(', ')}`)
    return found
  }

/** The members of a request that nobody reads: what is given under names that are not among `known`. */
export function unreadOf(body: Json, known: ReadonlySet<string>): string[] {
  return Object.entries(body).flatMap(([name, value]) =>
    known.has(name) || value === undefined || value === null ? [] : [name],
  )
}

function range(least: number, most: number): string {
  if (least === -Infinity && most === Infinity) return ''
  if (most === Infinity) return ` of ${least} or more`
  return least === -Infinity ? ` of ${most} or less` : ` from ${least} to ${most}`
}
