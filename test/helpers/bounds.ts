import type { Schema } from '../../core/schema.ts'

/** A spec that breaks one thing that its schema says, and in words what. */
export interface Broken {
  readonly what: string
  readonly spec: Readonly<Record<string, unknown>>
}

const STRINGS = [
  'a',
  '/a',
  '10s',
  'https://api.example.com',
  'x'.repeat(8),
  'us-east-1',
  '1.5',
  '1',
  '2026-01-31T18:00:00Z',
]
const STRANGE = ['*?#', '\u0007', '/?', ' ']

/** A value that a schema takes, with every field that there is; rules that speak of several fields do not hold for it. */
function sample(schema: Schema): unknown {
  const { default: given, enum: words, pattern = '', minLength = 0, properties, items, additionalProperties } = schema
  if (given !== undefined && schema.type !== 'object') return given
  switch (schema.type) {
    case 'string':
      return words?.[0] ?? STRINGS.find((text) => text.length >= minLength && new RegExp(pattern, 'u').test(text))
    case 'integer':
    case 'number':
      return schema.minimum ?? 1
    case 'boolean':
      return true
    case 'array':
      return items ? [sample(items), ...others(schema)] : []
    case 'object':
      if (additionalProperties) return { a: sample(additionalProperties) }
      if (schema['x-kubernetes-preserve-unknown-fields']) return { temperature: 0 }
      return Object.fromEntries(Object.entries(properties ?? {}).map(([name, field]) => [name, sample(field)]))
  }
}

/** The items that a list must have besides the first: of other names, where names are what tells them apart. */
function others({ items, minItems = 0, 'x-kubernetes-list-map-keys': [key] = [] }: Schema): unknown[] {
  return Array.from({ length: Math.max(0, minItems - 1) }, (_, at) => {
    const item = items && sample(items)
    return key === undefined ? item : { ...(item as object), [key]: `a${at}` } // what has a key is an object
  })
}

/** Values that the schema itself refuses, each for one reason. */
function* refused(schema: Schema): Generator<[what: string, value: unknown]> {
  yield ['another type', schema.type === 'string' ? 7 : 'word']
  if (schema.type === 'object' || schema.type === 'array') yield ['a number', 7]
  if (schema.type === 'integer') yield ['a fraction', 1.5]
  if (schema.enum) yield ['a word not in its list', 'Nonsense']
  if (schema.minimum !== undefined) yield ['below its minimum', schema.minimum - 1]
  if (schema.maximum !== undefined) yield ['above its maximum', schema.maximum + 1]
  if (schema.maxLength !== undefined) yield ['too long', 'a'.repeat(schema.maxLength + 1)]
  if (schema.minLength) yield ['empty', '']
  const pattern = schema.pattern
  if (pattern !== undefined) yield ['strange characters', STRANGE.find((text) => !new RegExp(pattern, 'u').test(text))]
  const { items, additionalProperties, maxItems, maxProperties } = schema
  if (schema.minItems) yield ['empty', []]
  if (items && maxItems !== undefined) yield ['too many', Array.from({ length: maxItems + 1 }, () => sample(items))]
  if (items && (schema['x-kubernetes-list-type'] === 'set' || schema['x-kubernetes-list-map-keys']))
    yield ['the same twice', [sample(items), sample(items)]]
  if (maxProperties !== undefined) {
    const value = additionalProperties ? sample(additionalProperties) : 0
    yield [
      'too many',
      Object.fromEntries(Array.from({ length: maxProperties + 1 }, (_, index) => [`a${index}`, value] as const)),
    ]
  }
  if (schema.type === 'object' && !additionalProperties && !schema['x-kubernetes-preserve-unknown-fields']) {
    const whole = Object.entries(schema.properties ?? {}).map(([name, field]) => [name, sample(field)] as const)
    yield ['an unknown field', { ...Object.fromEntries(whole), nonsense: 1 }]
    for (const name of schema.required ?? [])
      yield [`without ${name}`, Object.fromEntries(whole.filter(([other]) => other !== name))]
  }
}

/** Everything that a value of the schema can have wrong in one place. */
function* within(schema: Schema, path: string): Generator<[what: string, value: unknown]> {
  for (const [what, value] of refused(schema)) yield [`${path}: ${what}`, value]
  for (const [name, field] of Object.entries(schema.properties ?? {}))
    for (const [what, value] of within(field, `${path}.${name}`)) {
      // A sample of an object is one.
      yield [what, { ...(sample(schema) as object), [name]: value }]
    }
  const { items, additionalProperties } = schema
  if (items) for (const [what, value] of within(items, `${path}[0]`)) yield [what, [value, ...others(schema)]]
  if (additionalProperties)
    for (const [what, value] of within(additionalProperties, `${path}.a`)) yield [what, { a: value }]
}

/** For every field of a spec, every way in which it can be of another type, out of a bound, missing, or unknown. */
export function* bounds(spec: Schema): Generator<Broken> {
  for (const [name, field] of Object.entries(spec.properties ?? {}))
    for (const [what, value] of within(field, `spec.${name}`)) yield { what, spec: { [name]: value } }
}
