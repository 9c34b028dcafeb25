import { isRecord } from '../text.ts'
import { invalid } from './words.ts'

export type Body = Readonly<Record<string, unknown>>

/** `functionDeclarations` as the proto file has it, which is how errors name it. */
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const camel = (name: string): string => name.replace(/(?!^)_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/**
 * The members of a message, which may come in lowerCamelCase or in snake_case and are looked at in the first. 400 for one that is not among
 * `known`, as JSON is read into protocol buffers.
 */
export function message(value: unknown, at: string, known: ReadonlySet<string>): Body {
  if (!isRecord(value)) throw wrong(at, 'a message', value)
  const found: Record<string, unknown> = {}
  for (const [name, it] of Object.entries(value)) {
    const key = camel(name)
    if (!known.has(key)) throw unknown(name, at)
    // null is as good as nothing.
    if (it !== null) found[key] = it
  }
  return found
}

function unknown(name: string, at: string): Error {
  const words = `Invalid JSON payload received. Unknown name "${name}"${at === '' ? '' : ` at '${snake(at)}'`}: Cannot find field.`
  return invalid(words, 400, [
    {
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: [{ field: snake(at), description: words }],
    },
  ])
}

export function wrong(at: string, type: string, value: unknown): Error {
  return invalid(`Invalid value at '${snake(at)}' (${type}), ${JSON.stringify(value)}`)
}

export function list(of: Body, key: string, at: string): readonly unknown[] {
  const value = of[key]
  if (value === undefined) return []
  if (!Array.isArray(value)) throw wrong(join(at, key), 'a list', value)
  return value
}

export function string(of: Body, key: string, at: string): string | undefined {
  const value = of[key]
  if (value !== undefined && typeof value !== 'string') throw wrong(join(at, key), 'TYPE_STRING', value)
  return value
}

export function bool(of: Body, key: string, at: string): boolean | undefined {
  const value = of[key]
  if (value !== undefined && typeof value !== 'boolean') throw wrong(join(at, key), 'TYPE_BOOL', value)
  return value
}

/** A number within bounds; whole where `whole`. */
export function number(
  of: Body,
  key: string,
  at: string,
  least: number,
  most: number,
  whole = false,
): number | undefined {
  const value = of[key]
  if (value === undefined) return undefined
  if (typeof value !== 'number' || (whole && !Number.isInteger(value)))
    throw wrong(join(at, key), whole ? 'TYPE_INT32' : 'TYPE_FLOAT', value)
  if (value < least || value > most)
    throw invalid(
      `* GenerateContentRequest.${snake(join(at, key))}: ${snake(key)} must be in the range [${least}, ${most}].`,
    )
  return value
}

/** One of the words of an enum. */
export function word(of: Body, key: string, at: string, words: readonly string[]): string | undefined {
  const value = of[key]
  if (value === undefined) return undefined
  const found = typeof value === 'string' ? words.find((it) => it === value.toUpperCase()) : undefined
  if (found === undefined) throw wrong(join(at, key), `type.googleapis.com/${key}`, value)
  return found
}

/** Bytes in base64, of either alphabet. */
export function bytes(of: Body, key: string, at: string): string | undefined {
  const value = string(of, key, at)
  if (value === undefined) return undefined
  if (!/^[\w+/-]*={0,2}$/.test(value) || value.replace(/=+$/, '').length % 4 === 1)
    throw invalid(
      `Invalid value at '${snake(join(at, key))}' (TYPE_BYTES), Base64 decoding failed for "${value.slice(0, 40)}"`,
    )
  return value
}

export const join = (at: string, key: string): string => (at === '' ? key : `${at}.${key}`)
