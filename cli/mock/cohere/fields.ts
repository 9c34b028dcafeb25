import { isRecord } from '../text.ts'
import { type Body, invalid, mistyped } from './words.ts'

/** Members as Cohere checks them: 422 for another type, 400 for a value out of range. Undefined where they are left out or null. */
export function textAt(body: Body, key: string, name = key): string | undefined {
  return typed(body, key, name, 'string', (value) => typeof value === 'string')
}

export function flagAt(body: Body, key: string): boolean | undefined {
  return typed(body, key, key, 'bool', (value) => typeof value === 'boolean')
}

export function numberAt(body: Body, key: string, least: number, most: number): number | undefined {
  const value = typed<number>(body, key, key, 'number', (it) => typeof it === 'number')
  if (value !== undefined && (value < least || value > most))
    throw invalid(`invalid request: ${key} must be between ${least} and ${most} inclusive.`)
  return value
}

export function wholeAt(body: Body, key: string, least: number, most = Number.MAX_SAFE_INTEGER): number | undefined {
  typed(body, key, key, 'int', Number.isInteger)
  return numberAt(body, key, least, most)
}

export function listAt(body: Body, key: string, name = key): readonly unknown[] | undefined {
  return typed(body, key, name, 'list', Array.isArray)
}

export function objectAt(body: Body, key: string, name = key): Body | undefined {
  return typed(body, key, name, 'object', isRecord)
}

export function wordAt(body: Body, key: string, ...words: readonly string[]): string | undefined {
  const value = textAt(body, key)
  if (value !== undefined && !words.includes(value))
    throw invalid(`invalid request: ${key} must be one of ${words.join(', ')}.`)
  return value
}

/** The text that has to be there. */
export function needText(body: Body, key: string, name = key): string {
  const value = textAt(body, key, name)
  if (value === undefined) throw invalid(`invalid request: ${name} is required.`)
  return value
}

export function asObject(value: unknown, name: string): Body {
  if (!isRecord(value)) throw mistyped(name, value, 'object')
  return value
}

function typed<T>(body: Body, key: string, name: string, type: string, is: (value: unknown) => boolean): T | undefined {
  const value = body[key]
  if (value === undefined || value === null) return undefined
  if (!is(value)) throw mistyped(name, value, type)
  return value as T // `is` has just said so
}
