import { record } from '../../openai-usage.ts'
import type { Json } from '../dialect.ts'

const plain = new Set(['title', 'description', 'default', 'type', 'required', 'enum', 'const', 'pattern'])
const formats = new Set('date-time time date duration email hostname uri ipv4 ipv6 uuid'.split(' '))

/**
 * Whether a schema keeps within what structured outputs and strict tools take as it is: closed objects, no bounds on numbers, lengths and
 * lists, nothing that contains itself. https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
 */
export function fits(schema: Json): boolean {
  return within(schema, schema, [])
}

/** `open`: the definitions that are being looked into. */
function within(value: unknown, root: Json, open: readonly string[]): boolean {
  const schema = record(value)
  if (!schema) return false
  const all = (values: unknown): boolean => Array.isArray(values) && values.every((value) => within(value, root, open))
  const each = (values: unknown): boolean => typeof values === 'object' && values !== null && all(Object.values(values))
  const closed = schema['additionalProperties'] === false
  if ((schema['type'] === 'object' || schema['properties'] !== undefined) && !closed) return false
  return Object.entries(schema).every(([key, value]) => {
    if (plain.has(key)) return key !== 'enum' || (Array.isArray(value) && value.every((it) => !record(it)))
    switch (key) {
      case 'additionalProperties':
        return closed
      case 'properties':
        return each(value)
      case 'items':
        return within(value, root, open)
      case 'anyOf':
      case 'allOf':
        return all(value)
      case 'minItems':
        return value === 0 || value === 1
      case 'format':
        return typeof value === 'string' && formats.has(value)
      case '$ref':
        return typeof value === 'string' && leads(value, root, open)
      case '$defs':
      case 'definitions':
        // Each is looked into where it is referred to.
        return schema === root && record(value) !== undefined
      default:
        return false
    }
  })
}

function leads(ref: string, root: Json, open: readonly string[]): boolean {
  const [, place, name] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(ref) ?? []
  if (place === undefined || name === undefined || open.includes(ref)) return false
  const defs = record(root[place])
  return defs !== undefined && Object.hasOwn(defs, name) && within(defs[name], root, [...open, ref])
}
