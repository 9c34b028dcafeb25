import { Ajv } from 'ajv'
import type { ErrorObject, ValidateFunction } from 'ajv'
import type { Schema } from '../core/schema.ts'
import { below } from './problem.ts'
import type { Problem } from './problem.ts'

/** Keywords for readers, and `format`, which speaks of the width of integers and of timestamps: the bounds see to that. */
const DROPPED = new Set(['description', 'format'])

/** A structural schema as JSON Schema: that Kubernetes knows no other fields than those of `properties` has to be said here. */
function jsonSchema({ properties, items, additionalProperties, ...rest }: Schema): object {
  const open = rest['x-kubernetes-preserve-unknown-fields']
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([name]) => !DROPPED.has(name) && !name.startsWith('x-'))),
    ...(items && { items: jsonSchema(items) }),
    ...(additionalProperties && { additionalProperties: jsonSchema(additionalProperties) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, jsonSchema(field)])),
      ...(open ? {} : { additionalProperties: false }),
    }),
  }
}

/** Checks a value by types, bounds and unknown fields, and fills in its defaults, in place. */
export type Structure = (value: unknown, path: string) => Problem[]

/** The validator of a schema, by ajv, with the API server's paths and words. It is compiled, which takes milliseconds, when first called. */
export function structure(schema: Schema): Structure {
  let validate: ValidateFunction | undefined
  return (value, path) => {
    validate ??= new Ajv({ allErrors: true, useDefaults: true, verbose: true }).compile(jsonSchema(schema))
    const found = validate(value) ? [] : (validate.errors ?? [])
    return [...firstOfEach(found).map((error) => problem(error, value, path)), ...duplicates(schema, value, path)]
  }
}

/** Of a string that is too long or too short the API server does not also say that it does not match. */
function firstOfEach(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const sized = new Set(
    errors
      .filter(({ keyword }) => keyword === 'maxLength' || keyword === 'minLength')
      .map((error) => error.instancePath),
  )
  return errors.filter(({ keyword, instancePath }) => keyword !== 'pattern' || !sized.has(instancePath))
}

/** A JSON pointer as Kubernetes writes paths. */
function fieldPath(pointer: string, root: unknown, path: string): string {
  let at = path
  let value = root
  for (const part of pointer.split('/').slice(1)) {
    const step = part.replaceAll('~1', '/').replaceAll('~0', '~')
    at = below(at, Array.isArray(value) ? Number(step) : step)
    value = value !== null && typeof value === 'object' ? Reflect.get(value, step) : undefined
  }
  return at
}

/** The words of https://github.com/kubernetes/kube-openapi `pkg/validation/errors`, less the path, which stands beside them. */
function problem({ keyword, instancePath, params, data, message }: ErrorObject, root: unknown, path: string): Problem {
  const at = fieldPath(instancePath, root, path)
  const shown = quoted(data)
  switch (keyword) {
    case 'additionalProperties':
      return { path: below(at, String(params['additionalProperty'])), rule: 'unknown', message: 'unknown field' }
    case 'required':
      return { path: below(at, String(params['missingProperty'])), rule: keyword, message: 'Required value' }
    case 'type':
      return { path: at, rule: keyword, message: `must be of type ${params['type']}: "${typeName(data)}"` }
    case 'enum': {
      const values: readonly string[] = params['allowedValues']
      const supported = values.map((value) => JSON.stringify(value)).join(', ')
      return { path: at, rule: keyword, message: `Unsupported value: ${shown}: supported values: ${supported}` }
    }
    case 'pattern':
      return { path: at, rule: keyword, message: `Invalid value: ${shown}: should match '${params['pattern']}'` }
    case 'minimum':
      return {
        path: at,
        rule: keyword,
        message: `Invalid value: ${shown}: should be greater than or equal to ${params['limit']}`,
      }
    case 'maximum':
      return {
        path: at,
        rule: keyword,
        message: `Invalid value: ${shown}: should be less than or equal to ${params['limit']}`,
      }
    case 'minLength':
      return {
        path: at,
        rule: keyword,
        message: `Invalid value: ${shown}: should be at least ${params['limit']} chars long`,
      }
    case 'maxLength':
      return { path: at, rule: keyword, message: `Too long: may not be more than ${params['limit']} bytes` }
    case 'minItems':
      return { path: at, rule: keyword, message: `should have at least ${params['limit']} items` }
    case 'maxItems':
      return { path: at, rule: keyword, message: `Too many: ${size(data)}: must have at most ${params['limit']} items` }
    case 'maxProperties':
      return { path: at, rule: keyword, message: `Too many: ${size(data)}: must have at most ${params['limit']} items` }
    default:
      return { path: at, rule: keyword, message: message ?? keyword }
  }
}

/** JSON, with control characters as Go's `%q` shows them, which is how the API server quotes what it was given. */
function quoted(value: unknown): string {
  const letters: Readonly<Record<string, string>> = { '07': '\\a', '0b': '\\v' }
  return JSON.stringify(value)
    .replaceAll(/\\u00([01][0-9a-f])/g, (_, code: string) => letters[code] ?? `\\x${code}`)
    .replaceAll('\u007f', '\\x7f')
}

function size(value: unknown): number {
  return value !== null && typeof value === 'object' ? Object.keys(value).length : 0
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

/** Items of a list-map that have the same key, and of a set that are equal: JSON Schema has no words for the first. */
function duplicates(schema: Schema, value: unknown, path: string): Problem[] {
  const found: Problem[] = []
  if (Array.isArray(value)) {
    const keys = schema['x-kubernetes-list-map-keys']
    const unique = schema['x-kubernetes-list-type'] === 'set' || keys !== undefined
    const seen = new Map<string, number>()
    for (const [index, item] of value.entries()) {
      const text = JSON.stringify(keys ? Object.fromEntries(keys.map((key) => [key, field(item, key)])) : item)
      // However often a value comes again, the API server says so once.
      if (unique && seen.get(text) === 1)
        found.push({ path: below(path, index), rule: 'duplicate', message: `Duplicate value: ${text}` })
      seen.set(text, (seen.get(text) ?? 0) + 1)
      if (schema.items) found.push(...duplicates(schema.items, item, below(path, index)))
    }
  } else if (value !== null && typeof value === 'object')
    for (const [name, inner] of Object.entries(value)) {
      const part = schema.properties?.[name] ?? (schema.additionalProperties || undefined)
      if (part) found.push(...duplicates(part, inner, below(path, name)))
    }
  return found
}

function field(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object' ? Reflect.get(value, name) : undefined
}
