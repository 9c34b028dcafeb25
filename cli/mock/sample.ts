import { isRecord } from './text.ts'

/**
 * The smallest value that a JSON schema (the subset of tool parameters and `response_format`) allows: required members only, first enum
 * value, minimum of a number. Strings say `text`.
 */
export function sample(schema: unknown, text: string): unknown {
  if (!isRecord(schema)) return {}
  if ('const' in schema) return schema['const']
  if (Array.isArray(schema['enum'])) return schema['enum'][0]
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type']
  switch (type) {
    case 'string':
      return text
    case 'number':
    case 'integer':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 1
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return [sample(schema['items'], text)]
    default: {
      const properties = isRecord(schema['properties']) ? schema['properties'] : {}
      const required = Array.isArray(schema['required']) ? schema['required'] : []
      return Object.fromEntries(required.map((key) => [String(key), sample(properties[String(key)], text)]))
    }
  }
}
