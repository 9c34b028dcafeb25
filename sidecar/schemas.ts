import { createContext, Script } from 'node:vm'
import type { Context } from 'node:vm'
import { setImmediate } from 'node:timers/promises'
import type * as library from '@cfworker/json-schema'
import type { Schema } from '@cfworker/json-schema'
import type { SchemaCompiler } from '../core/gate/checks/check.ts'

type Fits = (value: unknown) => boolean

/** A schema of a caller that is larger, as JSON text, is not looked at, characters; nor are more of them kept. */
const LARGEST = 32 * 1024
const MOST = 256
/**
 * One that takes longer to read, or to see whether a value holds, checks nothing, ms: references that branch, patterns and lists of objects
 * take time that grows with a power of what is there, however short the schema is. Everybody else waits for it.
 */
const LONGEST = 30
const TYPES: ReadonlySet<unknown> = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'])

const known = new Map<string, Fits | undefined>()
let loading: Promise<typeof library> | undefined

/**
 * Reads the JSON Schemas that callers send, to see whether answers hold. Nothing of it is loaded before the first. They come from outside: their
 * time is bounded, references to elsewhere are not followed, and what cannot be read checks nothing. A library that walks the schema does
 * it: few values are seen by each, and to make code of 30 KB of schema takes half a second, which cannot be stopped.
 */
export const schemas: SchemaCompiler = async (schema) => {
  const { $schema: _, ...rest } = schema
  const text = JSON.stringify(rest)
  if (known.has(text)) return known.get(text)
  if (text.length > LARGEST) return undefined
  const { dereference, validate } = await (loading ??= import('@cfworker/json-schema'))
  // An answer may call tools of many schemas: other requests have their turn between them.
  await setImmediate()
  const own = asRead(JSON.parse(text))
  const parts = inTime(() => dereference(own))
  const fits =
    parts && Object.values(parts).every(isKnown)
      ? (value: unknown) => inTime(() => validate(value, own, '2020-12', parts).valid) ?? giveUp(text)
      : undefined
  const [oldest] = known.keys()
  if (known.size >= MOST && oldest !== undefined) known.delete(oldest)
  known.set(text, fits)
  return fits
}

/** It took too long once, or refers to what is not there, and is not tried again. */
function giveUp(text: string): true {
  if (known.has(text)) known.set(text, undefined)
  return true
}

/** With `nullable` in the words of JSON Schema; it is OpenAPI's, and common. The schema is ours to change. */
function asRead(schema: Schema): Schema {
  const waiting: unknown[] = [schema]
  for (let it = waiting.pop(); it !== undefined; it = waiting.pop()) {
    if (typeof it !== 'object' || it === null) continue
    if ('nullable' in it && it.nullable === true && 'type' in it && typeof it.type === 'string')
      Object.assign(it, { type: [it.type, 'null'] })
    for (const part of Object.values(it)) waiting.push(part)
  }
  return schema
}

/** A type that there is not is fulfilled by nothing, and says nothing of an answer. */
function isKnown(part: Schema | boolean): boolean {
  const { type } = Object(part) as { readonly type?: unknown } // the caller may have written anything
  return type === undefined || (Array.isArray(type) ? type.every((it) => TYPES.has(it)) : TYPES.has(type))
}

const bounded: { run: () => void } = { run: () => {} }
/** A context costs half a megabyte, and is made for the first schema. */
let room: { readonly inside: Context; readonly script: Script } | undefined

/** What a function returns; undefined where it throws, or takes too long. */
function inTime<T>(run: () => T): T | undefined {
  let result: T | undefined
  bounded.run = () => {
    result = run()
  }
  room ??= { inside: createContext(bounded), script: new Script('run()') }
  try {
    room.script.runInContext(room.inside, { timeout: LONGEST })
    return result
  } catch {
    return undefined
  } finally {
    bounded.run = () => {}
  }
}
