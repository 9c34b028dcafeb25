import { isRecord } from '../text.ts'
import { type Body, invalid, onlyKnown } from './words.ts'

/** Members as Bedrock checks them, each by its path. Undefined where they are left out. */
export function textAt(body: Body, key: string, at: string): string | undefined {
  return typed(body, key, at, 'STRING_VALUE', (it) => typeof it === 'string')
}

export function listAt(body: Body, key: string, at: string): readonly unknown[] | undefined {
  return typed(body, key, at, 'START_ARRAY', Array.isArray)
}

export function objectAt(body: Body, key: string, at: string): Body | undefined {
  return typed(body, key, at, 'START_OBJECT', isRecord)
}

export function numberAt(body: Body, key: string, at: string, least: number, most: number): number | undefined {
  const value = typed<number>(body, key, at, 'NUMBER_VALUE', (it) => typeof it === 'number')
  if (value === undefined) return undefined
  if (value < least) throw constraint(`${at}.${key}`, value, `Member must have value greater than or equal to ${least}`)
  if (value > most) throw constraint(`${at}.${key}`, value, `Member must have value less than or equal to ${most}`)
  return value
}

export function wordAt(body: Body, key: string, at: string, ...words: readonly string[]): string | undefined {
  const value = textAt(body, key, at)
  if (value !== undefined && !words.includes(value))
    throw constraint(`${at}.${key}`, value, `Member must satisfy enum value set: [${words.join(', ')}]`)
  return value
}

/** A member that has to be there. */
export function need<T>(value: T | undefined, at: string): T {
  if (value === undefined) throw constraint(at, null, 'Member must not be null')
  return value
}

export function asObject(value: unknown, at: string): Body {
  if (!isRecord(value)) throw invalid(`Unexpected field type: ${at} must be an object`, 'SerializationException')
  return value
}

/** The member of a union, which has exactly one. */
export function unionOf(value: Body, kinds: string, at: string): { readonly kind: string; readonly body: unknown } {
  onlyKnown(value, kinds, at)
  const [only, ...others] = Object.entries(value)
  if (!only || others.length > 0)
    throw invalid(
      `The ContentBlock object at ${at} must set one of the following keys: ${kinds.split(' ').join(', ')}.`,
    )
  return { kind: only[0], body: only[1] }
}

/** Bytes in base64: how many there are. */
export function bytesAt(body: Body, key: string, at: string): number {
  const text = need(textAt(body, key, at), `${at}.${key}`)
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0)
    throw invalid(`Invalid length for a Base64 char array or string at ${at}.${key}`, 'SerializationException')
  return (text.length / 4) * 3
}

export function constraint(at: string, value: unknown, must: string) {
  return invalid(
    `1 validation error detected: Value '${String(value)}' at '${at.replace(/^\./, '')}' failed to satisfy constraint: ${must}`,
  )
}

function typed<T>(body: Body, key: string, at: string, type: string, is: (value: unknown) => boolean): T | undefined {
  const value = body[key]
  if (value === undefined) return undefined
  if (!is(value))
    throw invalid(`${type} cannot be converted from ${typeof value} at ${at}.${key}`, 'SerializationException')
  return value as T // `is` has just said so
}
