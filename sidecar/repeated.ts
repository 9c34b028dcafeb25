import type { Schema } from '../core/schema.ts'

/** Shorter ones take no more code where they stand than a call of what they have in common. */
const SHORTEST = 30

type Node = Readonly<Record<string, unknown>>

/**
 * The schema with what stands in it several times put into `$defs`, and referred to: a validator is code for each place, and conditions stand in four
 * places of every rule.
 */
export function withoutRepetition(schema: Schema): object {
  const counts = new Map<string, number>()
  const count = (node: Node): void => {
    const text = JSON.stringify(node)
    counts.set(text, (counts.get(text) ?? 0) + 1)
    for (const [, inner] of parts(node)) count(inner)
  }
  count(schema as object as Node) // a schema is JSON

  const defs: Record<string, object> = {}
  const names = new Map<string, string>()
  const rewritten = (node: Node): Node => {
    const places = new Map(parts(node).map(([name, inner]) => [name, refer(inner)]))
    const { properties } = node
    return {
      ...node,
      ...(properties
        ? { properties: Object.fromEntries(Object.keys(properties).map((name) => [name, places.get(`.${name}`)])) }
        : {}),
      ...(places.has('items') ? { items: places.get('items') } : {}),
      ...(places.has('additionalProperties') ? { additionalProperties: places.get('additionalProperties') } : {}),
    }
  }
  const refer = (node: Node): Node => {
    const text = JSON.stringify(node)
    if (text.length < SHORTEST || (counts.get(text) ?? 0) < 2) return rewritten(node)
    const name = names.get(text) ?? `d${names.size}`
    if (!names.has(text)) {
      names.set(text, name)
      defs[name] = rewritten(node)
    }
    return { $ref: `#/$defs/${name}` }
  }
  return { ...rewritten(schema as object as Node), $defs: defs }
}

/** The schemas right below one: of its fields, `.name`, its items, and the values of a map. */
function parts({ properties, items, additionalProperties }: Node): (readonly [place: string, schema: Node])[] {
  const fields = isNode(properties)
    ? Object.entries(properties).map(([name, field]) => [`.${name}`, field] as const)
    : []
  const others = [['items', items] as const, ['additionalProperties', additionalProperties] as const]
  return [...fields, ...others].flatMap(([place, schema]) => (isNode(schema) ? [[place, schema] as const] : []))
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value)
