import { boolYaml11Tag, constructFromEvents, CORE_SCHEMA, EVENT_ID, getScalarValue, intYaml11Tag } from 'js-yaml'
import { mergeTag, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml'
import type { ScalarEvent } from 'js-yaml'
import { below } from './problem.ts'

/** Line and column, both from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** One document of a YAML or JSON file. */
export interface Document {
  readonly value: unknown
  /** Where a field such as `spec.rules[0].weight` stands, or the nearest that it would stand in. */
  position(path: string): Position
}

/** A file that is no YAML; `message` is one line. */
export class YamlError extends Error {
  readonly position: Position
  constructor(message: string, position: Position) {
    super(message)
    this.position = position
  }
}

/** YAML as the API server's tools read it: `yes`, `on` and `0777` are as YAML 1.1 has them, and `<<` merges. */
const schema = CORE_SCHEMA.withTags(boolYaml11Tag, intYaml11Tag, mergeTag)

type Events = ReturnType<typeof parseEvents>

/** The documents of a file, empty ones left out; throws `YamlError`. A key that stands twice is an error, as in strict decoding. */
export function documents(text: string): Document[] {
  try {
    const events = parseEvents(text, {})
    const values = constructFromEvents(events, { source: text, schema })
    const parts = split(events).map((part) => offsets(part, text))
    const place = placesIn(text)
    return values.flatMap((value, index) =>
      value === null || value === undefined
        ? []
        : [{ value, position: (path: string) => place(nearest(parts[index], path)) }],
    )
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    const { line = 0, column = 0 } = error.mark ?? {}
    throw new YamlError(error.reason, { line: line + 1, column: column + 1 })
  }
}

function split(events: Events): Events[] {
  const parts: Events[] = []
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) parts.push([])
    parts.at(-1)?.push(event)
  }
  return parts
}

/** The offset of each field of one document, by path; of a mapping's entry that of its key. */
function offsets(events: Events, text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  // What is open: for a mapping the key that waits for its value, for a sequence the index of the next item.
  const open: { path: string; key?: { name: string; at: number }; index: number; mapping: boolean }[] = []
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) continue
    const top = open.at(-1)
    if (event.type === EVENT_ID.POP) {
      open.pop()
      continue
    }
    const scalar = event.type === EVENT_ID.SCALAR ? event : undefined
    const at = scalar
      ? startOf(scalar)
      : 'start' in event
        ? event.start
        : 'anchorStart' in event
          ? event.anchorStart
          : 0
    if (top?.mapping && !top.key) {
      top.key = { name: scalar ? getScalarValue(text, scalar) : '', at }
      if (scalar) continue
    }
    const path = !top ? '' : below(top.path, top.mapping ? (top.key?.name ?? '') : top.index++)
    found.set(path, top?.key?.at ?? at)
    if (top) delete top.key
    if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE)
      open.push({ path, index: 0, mapping: event.type === EVENT_ID.MAPPING })
  }
  return found
}

/** A quoted scalar begins at its quote. */
function startOf({ valueStart, style }: ScalarEvent): number {
  return style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED ? valueStart - 1 : valueStart
}

function nearest(offsets: ReadonlyMap<string, number> | undefined, path: string): number {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.search(/(\.[^.[\]]*|\[[0-9]+\])$/)))) {
    const offset = offsets?.get(at)
    if (offset !== undefined) return offset
  }
  return offsets?.get('') ?? 0
}

/** Finds line and column of offsets; the beginnings of lines are looked for once, when first needed. */
function placesIn(text: string): (offset: number) => Position {
  let starts: number[] | undefined
  return (offset) => {
    starts ??= [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
    let [low, high] = [0, starts.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}
