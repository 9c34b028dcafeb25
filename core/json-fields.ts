import { Bytes } from './bytes.ts'
import type { Characters, Window } from './bytes.ts'

/**
 * The top-level fields of a JSON object without a parse of the whole, and edits to them that leave every other byte as it was. Structure
 * is checked throughout (RFC 8259) but for what stands inside strings: escapes and control characters there are the provider's to judge,
 * so that a long string is passed over at the speed of a search for its closing quote.
 */

/** One top-level field: offsets in bytes, `key` of the name's opening quote, `end` just past the value. */
export interface Field {
  readonly name: string
  readonly key: number
  readonly start: number
  readonly end: number
}

/** A field to set: its value as JSON text, and whether it is only added where there is none. */
export interface Edit {
  readonly name: string
  readonly json: string
  readonly onlyIfAbsent?: boolean
  /** Names of what the caller said in it and nothing says any more. */
  readonly lost?: readonly string[]
}

/** A field to take out, with all its duplicates. */
export interface Removal {
  readonly name: string
  readonly json: undefined
  /** As in `Edit`. */
  readonly lost?: readonly string[]
}

/** What a request of OpenAI's dialect says of itself. */
export interface RequestFields {
  readonly fields: readonly Field[]
  /** Undefined where it is absent or not a string. */
  readonly model: string | undefined
  readonly stream: boolean
  /** Whether the caller asked for the usage of a stream (`stream_options.include_usage`). */
  readonly includeUsage: boolean
  /** How many answers are asked for (`n`). */
  readonly choices: number
  /** Of a body that is a form instead: what its parts are divided by, and where the last divider stands. */
  readonly form?: { readonly boundary: string; readonly close: number }
}

/** The text is not a JSON object; `position` is the byte at which that shows. */
export class InvalidJson extends Error {
  override readonly name = 'InvalidJson'
  readonly position: number

  constructor(what: string, position: number) {
    super(`${what} at byte ${position}`)
    this.position = position
  }
}

/** Deeper than any API asks for; the scan is recursive, and a body must not end the program. */
const DEEPEST = 256

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** The top-level fields in the order in which they stand, duplicates included; `text`: the body's characters. Throws `InvalidJson`. */
export function scan(body: Bytes, text = body.characters()): readonly Field[] {
  const fields: Field[] = []
  // RFC 8259, section 8.1: a byte order mark may be ignored.
  let at = space(text, begins(text, 0, '\u00ef\u00bb\u00bf') ? 3 : 0)
  if (text.charCodeAt(at) !== OPEN_OBJECT) throw unexpected(text, at, 'an object')
  at = object(text, at, 1, (key, keyEnd, start, end) => {
    fields.push({ name: plain(body, text, key, keyEnd) ?? decoded(body, key, keyEnd), key, start, end })
  })
  at = space(text, at)
  if (at < text.length) throw unexpected(text, at, 'the end')
  return fields
}

/** The value of a field, parsed; of duplicates the last, as nearly every parser takes it. Undefined where there is none. */
export function fieldValue(body: Bytes, fields: readonly Field[], name: string): unknown {
  const field = fields.findLast((it) => it.name === name)
  return field && parsed(body, field)
}

/** What the sidecar acts on in a request. Throws `InvalidJson`. */
export function requestFields(body: Bytes): RequestFields {
  const text = body.characters()
  const fields = scan(body, text)
  let model: unknown
  let stream = false
  let options: unknown
  let n: unknown
  for (const field of fields)
    switch (field.name) {
      case 'model':
        // Names of models are plain: a parse is for those that are not.
        model = plain(body, text, field.start, field.end) ?? parsed(body, field)
        break
      case 'stream':
        // The scan has seen to it that what begins with a t is `true`.
        stream = text.charCodeAt(field.start) === 0x74
        break
      case 'stream_options':
        options = parsed(body, field)
        break
      case 'n':
        n = parsed(body, field)
        break
    }
  return {
    fields,
    model: typeof model === 'string' ? model : undefined,
    stream,
    includeUsage: isObject(options) && options['include_usage'] === true,
    choices: typeof n === 'number' && Number.isInteger(n) && n > 0 ? n : 1,
  }
}

/** The edit that asks for the usage of a stream, whatever else the caller's `stream_options` say. */
export function askForUsage(body: Bytes, fields: readonly Field[]): Edit {
  const options = fieldValue(body, fields, 'stream_options')
  return {
    name: 'stream_options',
    json: JSON.stringify({ ...(isObject(options) ? options : {}), include_usage: true }),
  }
}

/** From one place to another, and the text that stands there instead. */
export type Change = readonly [from: number, to: number, text: string]

/**
 * The body with the edits made: a field that is there gets the new value in its place (each of its duplicates, since parsers differ in
 * which they take), one that is not goes to the end. Edits are of different names. All other bytes stay as they were, and where they lie.
 */
export function splice(body: Bytes, fields: readonly Field[], edits: readonly (Edit | Removal)[]): Bytes {
  const changes: Change[] = []
  const gone = new Set<string>()
  for (const { name, json } of edits) if (json === undefined) gone.add(name)
  const kept = gone.size > 0 ? without(fields, gone, changes) : fields.length
  const last = fields.at(-1)
  // Without a field the object is empty, and its brace is the first there is.
  const tail = last ? last.end : body.characters().indexOf('{', 0) + 1
  let added = ''
  for (const edit of edits) {
    if (edit.json === undefined) continue
    const { name, json, onlyIfAbsent } = edit
    let absent = true
    for (const field of fields)
      if (field.name === name) {
        absent = false
        if (!onlyIfAbsent) changes.push([field.start, field.end, json])
      }
    if (absent) added += `${kept > 0 || added ? ',' : ''}${JSON.stringify(name)}:${json}`
  }
  if (changes.length === 0 && added === '') return body
  changes.sort((a, b) => a[0] - b[0])
  if (added) changes.push([tail, tail, added])
  return changed(body, changes)
}

/** Adds the changes that take out the named fields, each with one comma; returns how many fields stay. */
function without(fields: readonly Field[], gone: ReadonlySet<string>, changes: Change[]): number {
  let kept = 0
  for (let i = 0; i < fields.length; i++) {
    const first = fields[i]
    if (!first || !gone.has(first.name)) {
      kept++
      continue
    }
    const before = fields[i - 1]
    let { end } = first
    for (let next = fields[i + 1]; next && gone.has(next.name); next = fields[i + 1]) {
      ;({ end } = next)
      i++
    }
    if (before) changes.push([before.end, end, ''])
    else changes.push([first.key, fields[i + 1]?.key ?? end, ''])
  }
  return kept
}

/** The body with the changes made, which are in order and apart. */
export function changed(body: Bytes, changes: readonly Change[]): Bytes {
  const pieces: Buffer[] = []
  let read = 0
  for (const [from, to, replacement] of changes) {
    if (from > read) pieces.push(...body.between(read, from))
    pieces.push(Buffer.from(replacement))
    read = to
  }
  pieces.push(...body.between(read, body.length))
  return new Bytes(pieces)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parsed(body: Bytes, field: Field): unknown {
  const text = body.slice(field.start, field.end).toString()
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidJson(`invalid value of "${field.name}"`, field.start)
  }
}

/** A string that needs no decoding, else undefined. */
function plain(body: Bytes, text: Characters, key: number, end: number): string | undefined {
  if (text.charCodeAt(key) !== QUOTE) return undefined
  for (let at = key + 1; at < end - 1; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code > 0x7e || code === BACKSLASH) return undefined
  }
  // Longer slices of a string keep the whole of it in memory for as long as they live; up to 12 characters V8 copies.
  return typeof text === 'string' && end - key <= 14
    ? text.slice(key + 1, end - 1)
    : body.slice(key + 1, end - 1).toString('latin1')
}

function decoded(body: Bytes, key: number, end: number): string {
  try {
    return String(JSON.parse(body.slice(key, end).toString()))
  } catch {
    throw new InvalidJson('invalid name', key)
  }
}

type Found = (key: number, keyEnd: number, start: number, end: number) => void

/** The offset just past the object that opens at `at`. */
function object(text: Characters, at: number, depth: number, found?: Found): number {
  at = space(text, at + 1)
  if (text.charCodeAt(at) === CLOSE_OBJECT) return at + 1
  for (;;) {
    const key = at
    if (text.charCodeAt(key) !== QUOTE) throw unexpected(text, key, 'a name')
    const keyEnd = string(text, key)
    at = space(text, keyEnd)
    if (text.charCodeAt(at) !== COLON) throw unexpected(text, at, '":"')
    const start = space(text, at + 1)
    const end = value(text, start, depth)
    found?.(key, keyEnd, start, end)
    at = space(text, end)
    const next = text.charCodeAt(at)
    if (next === CLOSE_OBJECT) return at + 1
    if (next !== COMMA) throw unexpected(text, at, '"," or "}"')
    at = space(text, at + 1)
  }
}

/** The offset just past the array that opens at `at`. */
function array(text: Characters, at: number, depth: number): number {
  at = space(text, at + 1)
  if (text.charCodeAt(at) === CLOSE_ARRAY) return at + 1
  for (;;) {
    at = space(text, value(text, at, depth))
    const next = text.charCodeAt(at)
    if (next === CLOSE_ARRAY) return at + 1
    if (next !== COMMA) throw unexpected(text, at, '"," or "]"')
    at = space(text, at + 1)
  }
}

/** The offset just past the value that begins at `at`. */
function value(text: Characters, at: number, depth: number): number {
  if (depth > DEEPEST) throw new InvalidJson(`nested deeper than ${DEEPEST} levels`, at)
  switch (text.charCodeAt(at)) {
    case QUOTE:
      return string(text, at)
    case OPEN_OBJECT:
      return object(text, at, depth + 1)
    case OPEN_ARRAY:
      return array(text, at, depth + 1)
    case 0x74:
      return word(text, at, 'true')
    case 0x66:
      return word(text, at, 'false')
    case 0x6e:
      return word(text, at, 'null')
    default:
      return number(text, at)
  }
}

/** The offset just past the string whose opening quote is at `at`. */
function string(text: Characters, at: number): number {
  const end = typeof text === 'string' ? closed(text, at) : closedFarther(text, at)
  if (end < 0) throw new InvalidJson('string without an end', at)
  return end
}

/** As `string`, but -1 where it has no end. */
function closed(text: string, at: number): number {
  for (let quote = text.indexOf('"', at + 1); quote >= 0; quote = text.indexOf('"', quote + 1))
    if (closes(text, quote)) return quote + 1
  return -1
}

/** The same, part by part: from one quote to the last that is in sight of it, then to the next beyond. */
function closedFarther(text: Window, at: number): number {
  for (let quote = at; quote >= 0; quote = text.indexOf('"', text.to)) {
    if (quote > at && closes(text, quote)) return quote + 1
    text.show(quote)
    const near = closed(text.text, quote - text.from)
    if (near >= 0) return text.from + near
  }
  return -1
}

/** A quote ends its string unless an odd number of backslashes stands before it. */
function closes(text: Characters, quote: number): boolean {
  let before = quote - 1
  while (text.charCodeAt(before) === BACKSLASH) before--
  return (quote - before) % 2 === 1
}

function word(text: Characters, at: number, expected: string): number {
  if (!begins(text, at, expected)) throw unexpected(text, at, 'a value')
  return at + expected.length
}

function begins(text: Characters, at: number, expected: string): boolean {
  for (let i = 0; i < expected.length; i++) if (text.charCodeAt(at + i) !== expected.charCodeAt(i)) return false
  return true
}

function number(text: Characters, at: number): number {
  let end = text.charCodeAt(at) === MINUS ? at + 1 : at
  const whole = digits(text, end)
  // A leading zero stands alone.
  if (whole === end || (text.charCodeAt(end) === 0x30 && whole > end + 1)) throw unexpected(text, at, 'a value')
  end = whole
  if (text.charCodeAt(end) === 0x2e) {
    const fraction = digits(text, end + 1)
    if (fraction === end + 1) throw unexpected(text, fraction, 'a digit')
    end = fraction
  }
  if ((text.charCodeAt(end) | 0x20) === 0x65) {
    const sign = text.charCodeAt(end + 1)
    const from = sign === 0x2b || sign === MINUS ? end + 2 : end + 1
    end = digits(text, from)
    if (end === from) throw unexpected(text, end, 'a digit')
  }
  return end
}

function digits(text: Characters, at: number): number {
  for (;;) {
    const code = text.charCodeAt(at)
    if (!(code >= 0x30 && code <= 0x39)) return at
    at++
  }
}

function space(text: Characters, at: number): number {
  for (;;) {
    const code = text.charCodeAt(at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at
    at++
  }
}

function unexpected(text: Characters, at: number, wanted: string): InvalidJson {
  return at >= text.length
    ? new InvalidJson(`the body ends where ${wanted} is expected`, at)
    : new InvalidJson(`${JSON.stringify(String.fromCharCode(text.charCodeAt(at)))} where ${wanted} is expected`, at)
}
