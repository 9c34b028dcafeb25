import type { Bytes } from '../bytes.ts'
import type { Json, Outgoing } from '../dialects/dialect.ts'
import { fieldValue } from '../json-fields.ts'
import type { Edit, Field, Removal } from '../json-fields.ts'

/**
 * In what the requests of a server differ from OpenAI's, field by field at the top level: the same words serve a body that passes (as edits
 * of its bytes) and one that was written anew.
 */
export interface Words {
  /** Fields that have another name; where both are given, that of the server stands. */
  readonly renamed?: Json
  /** Fields that it refuses, or passes over in silence, each with the value that says no more than leaving it out. */
  readonly refused?: Json
  /** With these, every other field is refused. */
  readonly known?: ReadonlySet<string>
  /** What becomes of the value of a field; undefined: it stays. */
  readonly values?: Readonly<Record<string, (value: unknown) => Said | undefined>>
  /** Without one of these texts in it, the value of a field need not be looked into. */
  readonly signs?: Readonly<Record<string, readonly string[]>>
}

/** What is said instead; undefined: nothing. `lost`: the names of what nothing says any more. */
export interface Said {
  readonly value: unknown
  readonly lost?: readonly string[]
}

/** A field's fate. */
interface Fate extends Said {
  readonly name: string
}

/** The edits that put a body, JSON or a form (whose values are texts), into a server's words; none where it is in them already. */
export function editsOf(words: Words, body: Bytes, fields: readonly Field[], isForm = false): (Edit | Removal)[] {
  const edits = new Map<string, Edit | Removal>()
  const given = new Map(fields.map((field) => [field.name, field]))
  for (const [name, field] of given) {
    if (!touches(words, name)) continue
    const signs = words.signs?.[name]
    if (signs && !signs.some((sign) => within(body, field, sign))) continue
    const read = () => (isForm ? body.slice(field.start, field.end).toString() : fieldValue(body, fields, name))
    const fate = fateOf(words, name, read())
    if (!fate) continue
    const { value, lost = [] } = fate
    if (fate.name !== name) edits.set(name, { name, json: undefined })
    if (fate.name !== name && given.has(fate.name)) continue
    if (value === undefined) edits.set(name, { name, json: undefined, lost })
    else edits.set(fate.name, { name: fate.name, json: JSON.stringify(value), lost })
  }
  return [...edits.values()]
}

/** A request that was written in OpenAI's words, in those of the server. */
export function inWords(words: Words, { body, dropped, ...rest }: Outgoing): Outgoing {
  const said: Record<string, unknown> = {}
  const lost: string[] = []
  const given = new Map(Object.entries(body as object)) // writers make objects
  for (const [name, value] of given) {
    const fate = touches(words, name) ? fateOf(words, name, value) : undefined
    if (!fate) said[name] = value
    else if (fate.name === name || !given.has(fate.name)) {
      if (fate.value !== undefined) said[fate.name] = fate.value
      lost.push(...(fate.lost ?? []))
    }
  }
  return { ...rest, body: said, dropped: [...dropped, ...lost] }
}

const has = (table: Json | undefined, name: string): boolean => table !== undefined && Object.hasOwn(table, name)

function touches({ renamed, refused, known, values }: Words, name: string): boolean {
  return has(renamed, name) || has(refused, name) || has(values, name) || known?.has(name) === false
}

function fateOf(words: Words, name: string, value: unknown): Fate | undefined {
  const { renamed, refused, known, values } = words
  const nothing = value === null || value === undefined
  if (renamed && has(renamed, name)) {
    const to = String(renamed[name])
    // Null is how SDKs write what was not given.
    return nothing ? { name, value: undefined } : { name: to, ...(values?.[to]?.(value) ?? { value }) }
  }
  if (refused && has(refused, name)) return gone(name, nothing || value === refused[name])
  const said = nothing ? undefined : values?.[name]?.(value)
  if (said) return { name, ...said }
  return known?.has(name) === false ? gone(name, nothing) : undefined
}

const gone = (name: string, harmless: boolean): Fate => ({ name, value: undefined, lost: harmless ? [] : [name] })

function within(body: Bytes, { start, end }: Field, text: string): boolean {
  const found = body.find(Buffer.from(text), start)
  return found >= 0 && found < end
}
