import { isRecord } from '../text.ts'
import { type Body, join, list, message, string, word, wrong } from './fields.ts'
import { invalid } from './words.ts'

const SCHEMA: ReadonlySet<string> = new Set(
  'type format title description nullable enum maxItems minItems properties required minProperties maxProperties minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum'.split(
    ' ',
  ),
)
const TYPES = ['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT', 'NULL']
const FORMATS = ['enum', 'date-time', 'float', 'double', 'int32', 'int64']

/** Refuses what is no `Schema`: https://ai.google.dev/api/caching#Schema */
export function checkSchema(value: unknown, at: string): Body {
  const schema = message(value, at, SCHEMA)
  const type = word(schema, 'type', at, TYPES)
  const format = string(schema, 'format', at)
  if (format !== undefined && !FORMATS.includes(format))
    throw invalid(`* GenerateContentRequest.${at}.format: only 'enum' and 'date-time' are supported for STRING type`)
  for (const [i, it] of list(schema, 'enum', at).entries())
    if (typeof it !== 'string') throw wrong(`${at}.enum[${i}]`, 'TYPE_STRING', it)
  const { properties, items } = schema
  if (properties !== undefined) {
    if (!isRecord(properties)) throw wrong(join(at, 'properties'), 'a map', properties)
    for (const [name, it] of Object.entries(properties)) checkSchema(it, `${at}.properties[${name}]`)
  }
  for (const name of list(schema, 'required', at))
    if (typeof name !== 'string' || !isRecord(properties) || !Object.hasOwn(properties, name))
      throw invalid(`* GenerateContentRequest.${at}.required: property is not defined`)
  if (type === 'ARRAY' && items === undefined) throw invalid(`* GenerateContentRequest.${at}.items: missing field.`)
  if (items !== undefined) checkSchema(items, join(at, 'items'))
  for (const [i, it] of list(schema, 'anyOf', at).entries()) checkSchema(it, `${at}.anyOf[${i}]`)
  return schema
}

/** The parameters of a function have to be an object with something in it, in this form. */
export function checkParameters(value: unknown, at: string): Body {
  const schema = checkSchema(value, at)
  if (String(schema['type']).toUpperCase() === 'OBJECT' && !isRecord(schema['properties']))
    throw invalid(`* GenerateContentRequest.${at}.properties: should be non-empty for OBJECT type`)
  return schema
}

/** A schema as the mock's mind reads it: types in lower case. */
export function plain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain)
  if (!isRecord(schema)) return schema
  return Object.fromEntries(
    Object.entries(schema).map(([key, it]) => [
      key,
      key === 'type' && typeof it === 'string' ? it.toLowerCase() : key === 'enum' ? it : plain(it),
    ]),
  )
}
