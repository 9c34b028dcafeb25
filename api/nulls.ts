import type { Schema } from '../core/schema.ts'

/**
 * Takes out fields that are null where the schema does not let them be, which is nowhere in ours: the API server takes them for left out,
 * before it fills in defaults. A null in a list, or where any content is admitted, stays. The value is changed in place.
 */
export function dropNulls(schema: Schema, value: unknown): void {
  if (Array.isArray(value)) {
    if (schema.items) for (const item of value) dropNulls(schema.items, item)
  } else if (value !== null && typeof value === 'object')
    for (const [name, inner] of Object.entries(value)) {
      const field = schema.properties?.[name] ?? (schema.additionalProperties || undefined)
      if (field && inner === null) Reflect.deleteProperty(value, name)
      else if (field) dropNulls(field, inner)
    }
}
