import { EvaluationError } from '@marcbachmann/cel-js'
import type { Rule, Schema } from '../core/schema.ts'
import { environment } from './cel-environment.ts'
import { below } from './problem.ts'
import type { Problem } from './problem.ts'

/** A rule that the library cannot compile: a fault of the schema, which must stop the build and never pass for a rule that holds. */
export class RuleError extends Error {}

const compiled = new Map<string, (context: { self: unknown }) => unknown>()

function compile(rule: string): (context: { self: unknown }) => unknown {
  const known = compiled.get(rule)
  if (known) return known
  // `namespace` is a reserved word of CEL: the API server declares a field of that name under this one, and our library under its own.
  const here = rule.replaceAll('.__namespace__', '.namespace')
  const checked = environment.check(here)
  if (!checked.valid || checked.type !== 'bool')
    throw new RuleError(
      `The CEL rule ${rule} cannot be evaluated: ${checked.error?.message ?? `it is ${checked.type}`}`,
    )
  const parsed = environment.parse(here)
  compiled.set(rule, parsed)
  return parsed
}

/** The parts of a schema one level down, for a value of it. */
export function* children(
  schema: Schema,
  value: unknown,
): Generator<[step: string | number, schema: Schema, value: unknown]> {
  if (Array.isArray(value)) {
    if (schema.items) for (const [index, item] of value.entries()) yield [index, schema.items, item]
  } else if (value !== null && typeof value === 'object')
    for (const [name, inner] of Object.entries(value)) {
      const field = schema.properties?.[name] ?? (schema.additionalProperties || undefined)
      if (field) yield [name, field, inner]
    }
}

/** The value as CEL has it: an integer of the schema is an `int`, which the library holds as a bigint. */
function toCel(schema: Schema, value: unknown): unknown {
  if (typeof value === 'number') return schema.type === 'integer' ? BigInt(value) : value
  const inner = [...children(schema, value)].map(([step, field, part]) => [step, toCel(field, part)] as const)
  if (Array.isArray(value)) return schema.items ? inner.map(([, part]) => part) : value
  if (value !== null && typeof value === 'object') return { ...value, ...Object.fromEntries(inner) }
  return value
}

/** Every rule in a schema, with the paths of the fields that hold it; `[]` stands for any item and `{}` for any key. */
export function* rules(schema: Schema, path: string): Generator<[path: string, rule: Rule]> {
  for (const rule of schema['x-kubernetes-validations'] ?? []) yield [path, rule]
  for (const [name, field] of Object.entries(schema.properties ?? {})) yield* rules(field, below(path, name))
  if (schema.items) yield* rules(schema.items, `${path}[]`)
  if (schema.additionalProperties) yield* rules(schema.additionalProperties, `${path}{}`)
}

/** Compiles every rule of a schema; throws `RuleError` at the first that the library cannot evaluate. */
export function checkRules(schema: Schema): void {
  for (const [, { rule }] of rules(schema, '')) compile(rule)
}

/** The rules that a value, already of the schema's types and defaulted, breaks. A rule that fails to evaluate is broken, as for the API server. */
export function brokenRules(schema: Schema, value: unknown, path: string): Problem[] {
  return walk(schema, toCel(schema, value), path)
}

function walk(schema: Schema, value: unknown, path: string): Problem[] {
  const broken = (schema['x-kubernetes-validations'] ?? []).flatMap((rule) => evaluate(rule, value, path))
  for (const [step, field, part] of children(schema, value)) broken.push(...walk(field, part, below(path, step)))
  return broken
}

function evaluate({ rule, message, fieldPath = '' }: Rule, self: unknown, path: string): Problem[] {
  const holds = compile(rule)
  try {
    return holds({ self }) === true ? [] : [{ path: `${path}${fieldPath}`, rule, message }]
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error
    return [{ path, rule, message: `evaluating rule: ${message}` }]
  }
}
