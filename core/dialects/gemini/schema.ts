import type { Json } from '../dialect.ts'

/**
 * Between JSON Schema and Google's `Schema`, a subset of OpenAPI 3.0's: https://ai.google.dev/api/caching#Schema
 */

/** Keywords that both have with one meaning. */
const SAME = [
  'title',
  'description',
  'format',
  'pattern',
  'default',
  'example',
  'required',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'propertyOrdering',
]
/** Formats that the API knows; it refuses others. */
const FORMATS: ReadonlySet<unknown> = new Set(['float', 'double', 'int32', 'int64', 'enum', 'date-time'])
/** The subset has no references: a schema that names itself is followed so often. */
const OFTEN = 2
/** References that are followed for one schema: what names itself in many places would grow without end. */
const MOST = 1000

interface Work {
  readonly root: Json
  readonly lost: Set<string>
  left: number
}

/** JSON Schema as the subset: references resolved, and what it has no word for left out; those keywords go to `lost`. */
export function toOpenApi(schema: Json, lost: Set<string>): Json {
  return converted(schema, { root: schema, lost, left: MOST }, [])
}

/** `refs`: the references that led here. */
function converted(given: unknown, work: Work, refs: readonly string[]): Json {
  if (!isObject(given)) return {}
  const { schema, path } = resolved(given, work, refs)
  const { lost } = work
  const out: Record<string, unknown> = {}
  const inner = (it: unknown): Json => converted(it, work, path)
  for (const [key, value] of Object.entries(schema))
    switch (key) {
      case 'type': {
        const types = (Array.isArray(value) ? value : [value]).filter((it) => typeof it === 'string')
        if (types.includes('null')) out['nullable'] = true
        const rest = types.filter((it) => it !== 'null')
        if (rest.length === 1) out['type'] = rest[0]
        else if (rest.length > 1) out['anyOf'] = rest.map((type) => ({ type }))
        break
      }
      case 'properties':
        if (isObject(value))
          out['properties'] = Object.fromEntries(Object.entries(value).map(([name, it]) => [name, inner(it)]))
        break
      case 'items':
        out['items'] = inner(value)
        break
      case 'anyOf':
      case 'oneOf':
        if (Array.isArray(value)) {
          const some = value.map(inner)
          const rest = some.filter((it) => !isNull(it))
          if (rest.length < some.length) out['nullable'] = true
          const [only] = rest
          if (rest.length === 1 && only) Object.assign(out, only)
          else out['anyOf'] = rest
        }
        break
      case 'allOf':
        if (Array.isArray(value)) for (const it of value) Object.assign(out, merged(out, inner(it)))
        break
      case 'enum':
      case 'const': {
        const values = key === 'const' ? [value] : Array.isArray(value) ? value : []
        if (values.includes(null)) out['nullable'] = true
        const words = values.filter((it) => it !== null)
        // The field holds strings alone.
        if (words.every((it) => typeof it === 'string')) {
          out['type'] ??= 'string'
          out['enum'] = words
        } else lost.add(key)
        break
      }
      case 'format':
        if (FORMATS.has(value)) out['format'] = value
        else lost.add(key)
        break
      case '$defs':
      case 'definitions':
      case '$schema':
      case '$id':
      case '$comment':
      case 'strict':
        break
      case 'additionalProperties':
        // Closed objects are the rule here; maps cannot be said.
        if (isObject(value)) lost.add(key)
        break
      default:
        if (SAME.includes(key)) out[key] = value
        else lost.add(key)
    }
  return out
}

const isNull = (it: Json): boolean => it['nullable'] === true && Object.keys(it).length === 1

function merged(into: Json, from: Json): Json {
  const properties = { ...object(into['properties']), ...object(from['properties']) }
  const required = [...new Set([...list(into['required']), ...list(from['required'])])]
  return {
    ...from,
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
  }
}

/** A schema with what its `$ref` points to; where it is cut, an object of any form is left. */
function resolved(
  schema: Json,
  work: Work,
  refs: readonly string[],
): { readonly schema: Json; readonly path: readonly string[] } {
  const ref = schema['$ref']
  if (typeof ref !== 'string') return { schema, path: refs }
  const { $ref: _, ...beside } = schema
  const cut = refs.filter((it) => it === ref).length >= OFTEN || work.left-- <= 0
  const target = cut ? undefined : pointed(ref, work.root)
  if (isObject(target)) return resolved({ ...target, ...beside }, work, [...refs, ref])
  work.lost.add('$ref')
  return { schema: { ...beside, type: 'object' }, path: refs }
}

/** RFC 6901, in the fragment of a URI. */
function pointed(ref: string, root: Json): unknown {
  if (!ref.startsWith('#')) return undefined
  let at: unknown = root
  for (const token of ref.slice(1).split('/').slice(1)) {
    const name = decoded(token).replaceAll('~1', '/').replaceAll('~0', '~')
    at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
  }
  return at
}

function decoded(token: string): string {
  try {
    return decodeURIComponent(token)
  } catch {
    return token
  }
}

/** The subset as JSON Schema: `STRING` is `string`, `nullable` a type, bounds that came as text are numbers (int64 in JSON is text). */
export function fromOpenApi(schema: unknown): Json {
  if (!isObject(schema)) return {}
  const out: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(schema)) {
    const key = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    if (key === 'type' && typeof value === 'string') {
      if (value !== 'TYPE_UNSPECIFIED') out['type'] = value.toLowerCase()
    } else if (key === 'properties' && isObject(value))
      out[key] = Object.fromEntries(Object.entries(value).map(([property, it]) => [property, fromOpenApi(it)]))
    else if (key === 'items') out[key] = fromOpenApi(value)
    else if (key === 'anyOf' && Array.isArray(value)) out[key] = value.map(fromOpenApi)
    else if (/^(min|max)(Items|Length|Properties)$/.test(key)) out[key] = Number(value)
    else if (key === 'example') out['examples'] = [value]
    else if (key === 'format' && value === 'enum') continue
    else if (key !== 'nullable' && key !== 'propertyOrdering') out[key] = value
  }
  if (schema['nullable'] !== true) return out
  if (typeof out['type'] === 'string') out['type'] = [out['type'], 'null']
  if (Array.isArray(out['anyOf'])) out['anyOf'] = [...out['anyOf'], { type: 'null' }]
  if (Array.isArray(out['enum'])) out['enum'] = [...out['enum'], null]
  return out
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
const object = (value: unknown): Json => (isObject(value) ? value : {})
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
