/**
 * One schema object is the CRD's OpenAPI v3 schema, the ajv validator, the TypeScript type and the reference page.
 * The builders emit structural schemas as Kubernetes wants them (no `anyOf`, `additionalProperties` for maps only).
 */

/** A CEL rule as the CRD carries it (`x-kubernetes-validations`); the message is a full sentence that says what to do. */
export interface Rule {
  readonly rule: string
  readonly message: string
  /** Where the error is reported, relative to the schema that holds the rule, e.g. `.url`. */
  readonly fieldPath?: string
}

declare const output: unique symbol

/** A JSON schema whose values, once validated and defaulted, have type `T`. */
export interface Schema<T = unknown> {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object'
  readonly description?: string
  readonly format?: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly properties?: { readonly [name: string]: Schema }
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | false
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly 'x-kubernetes-validations'?: readonly Rule[]
  readonly 'x-kubernetes-preserve-unknown-fields'?: true
  readonly 'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: 'atomic'
  readonly [output]?: T
}

/** The type of a value that a schema has validated and defaulted. */
export type Static<S> = S extends Schema<infer T> ? T : never

const OPTIONAL = Symbol('optional')
interface Optional {
  readonly [OPTIONAL]: true
}

interface Options<T> {
  /** Every field has a description: `kubectl explain` and the reference page print it. */
  readonly description?: string
  /** Materialises in stored objects: never changed within a version. */
  readonly default?: T | Record<string, never>
  readonly rules?: readonly Rule[]
}

function keywords<T>({ rules, ...rest }: Options<T>): object {
  return rules ? { ...rest, 'x-kubernetes-validations': rules } : rest
}

/** A string of at most `maxLength` characters; every string has a bound. */
export function string(
  options: Options<string> & { maxLength: number; minLength?: number; pattern?: string; format?: string },
): Schema<string> {
  return { type: 'string', ...keywords(options) }
}

/** One of the given words. */
export function choice<const V extends string>(values: readonly V[], options: Options<V> = {}): Schema<V> {
  return { type: 'string', enum: values, ...keywords(options) }
}

export function integer(
  options: Options<number> & { minimum: number; maximum: number; format?: string },
): Schema<number> {
  return { type: 'integer', ...keywords(options) }
}

export function boolean(options: Options<boolean> = {}): Schema<boolean> {
  return { type: 'boolean', ...keywords(options) }
}

/** A list of at most `maxItems`. With `key`, server-side apply merges by that field and duplicates are refused. */
export function array<T>(
  items: Schema<T>,
  {
    key,
    set,
    ...options
  }: Options<readonly NoInfer<T>[]> & { maxItems: number; minItems?: number; key?: string; set?: true },
): Schema<readonly T[]> {
  const list = key
    ? { 'x-kubernetes-list-type': 'map' as const, 'x-kubernetes-list-map-keys': [key] }
    : set
      ? { 'x-kubernetes-list-type': 'set' as const }
      : {}
  return { type: 'array', items, ...keywords(options), ...list }
}

/** A map from names to values. */
export function map<T>(
  values: Schema<T>,
  options: Options<Readonly<Record<string, T>>> & { maxProperties: number },
): Schema<Readonly<Record<string, T>>> {
  return { type: 'object', additionalProperties: values, ...keywords(options) }
}

/**
 * An object whose content is not ours to check, such as request fields of a provider. Only the fields of `known`, all of which may be left
 * out, are checked, since CEL rules see no others.
 */
export function free({
  known,
  ...options
}: Options<Readonly<Record<string, unknown>>> & { maxProperties: number; known?: Properties }): Schema<
  Readonly<Record<string, unknown>>
> {
  return {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
    ...keywords(options),
    ...(known ? { properties: known } : {}),
  }
}

/** Marks a field that may be left out and has no default. */
export function optional<T>(schema: Schema<T>): Schema<T> & Optional {
  return Object.assign({ ...schema }, { [OPTIONAL]: true as const })
}

type Properties = { readonly [name: string]: Schema }
type Fields<P extends Properties> = {
  readonly [K in keyof P as P[K] extends Optional ? never : K]: Static<P[K]>
} & { readonly [K in keyof P as P[K] extends Optional ? K : never]?: Static<P[K]> }
type Flat<T> = { [K in keyof T]: T[K] }

/** An object; a field is required unless it is `optional` or has a default. Unknown fields are errors. */
export function object<P extends Properties>(
  properties: P,
  { atomic, ...options }: Options<never> & { atomic?: true } = {},
): Schema<Flat<Fields<P>>> {
  const required = Object.entries(properties)
    .filter(([, field]) => !(OPTIONAL in field) && field.default === undefined)
    .map(([name]) => name)
  return {
    type: 'object',
    ...keywords(options.default ? { ...options, default: filled(properties) } : options),
    ...(atomic ? { 'x-kubernetes-map-type': 'atomic' as const } : {}),
    properties,
    ...(required.length ? { required } : {}),
  }
}

/** The defaults of an object's own fields, for where the object itself was left out. */
export function defaultsOf({ properties = {} }: Schema): Readonly<Record<string, unknown>> {
  return filled(properties)
}

/** What `default: {}` comes to: the API server checks a default by the schema's rules as it stands, before it fills it in. */
function filled(properties: Properties): Record<string, never> {
  const defaults = Object.entries(properties).flatMap(([name, field]) =>
    field.default === undefined ? [] : [[name, field.default] as const],
  )
  // An empty object is all that the options admit; its type says that nothing in it is the caller's to choose.
  return Object.fromEntries(defaults) as Record<string, never>
}

/** A Gateway-API duration (GEP-2257): `10s`, `500ms`, `1h30m`. */
export function duration(options: Options<string>): Schema<string> {
  return string({ maxLength: 32, pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$', ...options })
}

const UNIT = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const

/** Milliseconds of a Gateway-API duration. The schema has checked the form. */
export function milliseconds(value: string): number {
  let total = 0
  for (const [, digits, unit] of value.matchAll(/([0-9]+)(h|ms|m|s)/g))
    total += Number(digits) * UNIT[unit as keyof typeof UNIT] // the pattern admits these units only
  return total
}

/** A fraction from 0 to 1 as a decimal string: Kubernetes' objects hold no floating-point numbers. */
export function fraction(options: Options<string>): Schema<string> {
  return string({ maxLength: 8, pattern: '^(0(\\.[0-9]{1,6})?|1(\\.0{1,6})?)$', ...options })
}

/** A number from 0 to 9999.999999 as a decimal string; with `signed`, one below 0 too. */
export function decimal({ signed, ...options }: Options<string> & { signed?: true } = {}): Schema<string> {
  return string({ maxLength: 12, pattern: `^${signed ? '-?' : ''}[0-9]{1,4}(\\.[0-9]{1,6})?$`, ...options })
}
