import type { Schema } from '../core/schema.ts'
import { rules } from './cel.ts'
import { CONDITION_MEANINGS, CONDITIONS, REASON_MEANINGS, REASONS } from './conditions.ts'
import type { Kind } from './crd.ts'
import { API_VERSION } from './resource.ts'

/** The reference page of the kinds, in Markdown: every field, its type, bounds and default, every rule, condition and reason. */
export function reference(kinds: readonly Kind[], notice: string): string {
  return `<!-- ${notice} -->

# Reference

Both kinds are \`${API_VERSION}\`, namespaced, in the category \`tradewind\`. Unknown fields are errors. A duration is written as in Gateway API:
\`10s\`, \`500ms\`, \`1h30m\`. A field in **bold** must be given; \`[]\` stands for each item of a list, \`{}\` for each key of a map.

${kinds.map(page).join('\n')}
## Conditions

Each carries \`observedGeneration\`: the generation of the manifest that it speaks of.

${table(['Condition', 'Meaning'], names(CONDITIONS, CONDITION_MEANINGS))}
${table(['Reason', 'Given when'], names(REASONS, REASON_MEANINGS))}`
}

function page({ kind, shortNames, description, spec, status, columns }: Kind): string {
  return `## ${kind}

${description} Short name \`${shortNames.join('`, `')}\`. \`kubectl get\` prints ${columns.map(({ name }) => name).join(', ')}.

### ${kind} spec

${table(['Field', 'Type', 'Bounds', 'Default', 'Description'], [...fields(spec, '', true)])}
### ${kind} rules

${table(
  ['Where', 'What must hold', 'CEL'],
  [...rules(spec, 'spec')].map(([path, { fieldPath = '', message, rule }]) => [
    code(`${path}${fieldPath}`),
    message,
    code(rule),
  ]),
)}
### ${kind} status

${table(
  ['Field', 'Type', 'Description'],
  [...fields(status, '', false)].map(([name = '', type = '', , , text = '']) => [name, type, text]),
)}`
}

/** A row for each field, its own fields after it. */
function* fields(schema: Schema, path: string, marked: boolean): Generator<readonly string[]> {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const at = path === '' ? name : `${path}.${name}`
    const needed = marked && schema.required?.includes(name)
    yield [needed ? `**${code(at)}**` : code(at), type(field), bounds(field), defaultOf(field), field.description ?? '']
    yield* inner(field, at, marked)
  }
}

function* inner(schema: Schema, path: string, marked: boolean): Generator<readonly string[]> {
  for (const [part, suffix] of [
    [schema.items, '[]'],
    [schema.additionalProperties || undefined, '{}'],
  ] as const) {
    if (!part) continue
    const at = `${path}${suffix}`
    yield [code(at), type(part), bounds(part), '', part.description ?? '']
    yield* inner(part, at, marked)
  }
  yield* fields(schema, path, marked)
}

function type(schema: Schema): string {
  if (schema.enum) return schema.enum.map(code).join(', ')
  if (schema.items) return schema['x-kubernetes-list-type'] === 'set' ? 'list, no item twice' : 'list'
  if (schema.additionalProperties) return 'map'
  return schema['x-kubernetes-preserve-unknown-fields'] ? 'object, any fields' : schema.type
}

function bounds(schema: Schema): string {
  const range = (least: number | undefined, most: number | undefined, unit: string): string[] => {
    if (most === undefined) return least ? [`at least ${least}${unit}`] : []
    return [least ? `${least} to ${most}${unit}` : `at most ${most}${unit}`]
  }
  const keys = schema['x-kubernetes-list-map-keys']
  return [
    ...(schema.minimum === undefined || schema.maximum === undefined ? [] : [`${schema.minimum} to ${schema.maximum}`]),
    ...range(schema.minLength, schema.maxLength, ' characters'),
    ...range(schema.minItems, schema.maxItems, ' items'),
    ...range(schema.minProperties, schema.maxProperties, ' entries'),
    ...(keys ? [`no two with the same ${keys.join(', ')}`] : []),
    ...(schema.pattern === undefined ? [] : [code(schema.pattern)]),
  ].join('; ')
}

/** An object's default is that of its fields, which say so themselves. */
function defaultOf(schema: Schema): string {
  return schema.default === undefined || schema.type === 'object' ? '' : code(JSON.stringify(schema.default))
}

function names(words: Readonly<Record<string, string>>, meanings: Readonly<Record<string, string>>): string[][] {
  return Object.entries(words).map(([key, word]) => [code(word), meanings[key] ?? ''])
}

/** Inline code in a table's cell. A backtick in it takes two around it. */
function code(text: string): string {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``
}

/** A table of Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}
