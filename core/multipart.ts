import type { Bytes } from './bytes.ts'
import { changed } from './json-fields.ts'
import type { Change, Edit, Field, Removal, RequestFields } from './json-fields.ts'

/**
 * The parts of a form (`multipart/form-data`: RFC 7578, RFC 2046 section 5.1.1) without a copy of them, and edits to its fields that leave
 * every other byte as it was. Only the dividers and the heads of parts are looked at: a recording of 25 MB costs a search.
 */

/** The body is not the form that its content type says. */
export class InvalidForm extends Error {
  override readonly name = 'InvalidForm'
}

/** RFC 2046 allows 70 characters; what a boundary may hold matters to nobody here, but that it is one line. */
const BOUNDARY = /;\s*boundary=(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))/i
const NAME = /;\s*name=(?:"((?:\\.|[^"\\\r\n])*)"|([^\s;"]+))/i
/** More than any form has that is not an attack. */
const MOST_PARTS = 1000
const LONGEST_HEAD = 16 * 1024
/** Longer values are files, whatever they are called. */
const LONGEST_TEXT = 64 * 1024

/** Whether a content type says that the body is a form. */
export function isForm(contentType: string): boolean {
  return /^\s*multipart\/form-data\b/i.test(contentType)
}

/** What the sidecar acts on in a form, as `requestFields` has it of JSON; `key` of a field is where its divider begins. Throws `InvalidForm`. */
export function formFields(body: Bytes, contentType: string): RequestFields {
  const found = BOUNDARY.exec(contentType)
  const boundary = found?.[1] ?? found?.[2]
  if (boundary === undefined) throw new InvalidForm('the content type names no boundary')
  const { fields, close } = parts(body, boundary)
  const text = (name: string): string | undefined => {
    const field = fields.findLast((it) => it.name === name)
    return field && field.end - field.start <= LONGEST_TEXT ? body.slice(field.start, field.end).toString() : undefined
  }
  const n = Number(text('n') ?? 1)
  return {
    fields,
    model: text('model'),
    stream: text('stream')?.toLowerCase() === 'true',
    includeUsage: false,
    choices: Number.isInteger(n) && n > 0 ? n : 1,
    form: { boundary, close },
  }
}

/**
 * The form with the edits made: a part that is there gets the new value in its place, one that is not goes to the end. Strings stand in a
 * form as they are, everything else as JSON. Throws `InvalidForm` where a value holds the form's own divider.
 */
export function spliceForm(body: Bytes, { fields, form }: RequestFields, edits: readonly (Edit | Removal)[]): Bytes {
  if (!form) throw new Error('the body is no form')
  const { boundary, close } = form
  const changes: Change[] = []
  let added = ''
  for (const edit of edits) {
    const { name, json } = edit
    const there = fields.filter((field) => field.name === name)
    if (json === undefined) {
      for (const field of there) changes.push([field.key, after(fields, field) ?? close, ''])
      continue
    }
    if (edit.onlyIfAbsent && there.length > 0) continue
    const parsed: unknown = JSON.parse(json)
    const text = typeof parsed === 'string' ? parsed : json
    if (text.includes(`--${boundary}`)) throw new InvalidForm(`the value of ${name} holds the form's boundary`)
    for (const field of there) changes.push([field.start, field.end, text])
    if (there.length === 0)
      added += `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"\r\n\r\n${text}\r\n`
  }
  if (changes.length === 0 && added === '') return body
  changes.sort((a, b) => a[0] - b[0])
  if (added) changes.push([close, close, added])
  return changed(body, changes)
}

/** Where the part after this one begins. */
const after = (fields: readonly Field[], field: Field): number | undefined => fields[fields.indexOf(field) + 1]?.key

/** As browsers write names (WHATWG HTML, section 4.10.22.7). */
const escaped = (name: string): string => name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

interface Parts {
  readonly fields: readonly Field[]
  /** Where the last divider begins: all that is added stands before it. */
  readonly close: number
}

function parts(body: Bytes, boundary: string): Parts {
  const fields: Field[] = []
  const divider = Buffer.from(`--${boundary}`)
  // The first one need not be on a line after another.
  let at = body.slice(0, divider.length).equals(divider) ? 0 : next(body, divider, 0)
  for (;;) {
    const line = body.slice(at + divider.length, at + divider.length + 200).toString('latin1')
    if (line.startsWith('--')) return { fields, close: at }
    const blank = /^[ \t]*\r\n/.exec(line)
    if (!blank) throw new InvalidForm(`a divider at byte ${at} is not on a line of its own`)
    if (fields.length === MOST_PARTS) throw new InvalidForm(`it has more than ${MOST_PARTS} parts`)
    const head = at + divider.length + blank[0].length
    const { name, start } = heading(body, head)
    const to = next(body, divider, start - 2)
    fields.push({ name, key: at, start, end: Math.max(start, to - 2) })
    at = to
  }
}

/** Where the next divider begins, which is on a line after `from`. Throws where there is none. */
function next(body: Bytes, divider: Buffer, from: number): number {
  const found = body.find(Buffer.concat([CRLF, divider]), from)
  if (found < 0) throw new InvalidForm('it ends without its last divider')
  return found + CRLF.length
}

const CRLF = Buffer.from('\r\n')
const BLANK = Buffer.from('\r\n\r\n')

/** The name of a part, and where its value begins. */
function heading(body: Bytes, from: number): { readonly name: string; readonly start: number } {
  // A part without any header has its blank line at once.
  const end = body.find(BLANK, from - CRLF.length)
  if (end < 0 || end - from > LONGEST_HEAD) throw new InvalidForm(`the part at byte ${from} has no end of its headers`)
  const head = body.slice(from, Math.max(from, end)).toString()
  const disposition = head.split('\r\n').find((line) => /^content-disposition\s*:/i.test(line)) ?? ''
  const found = NAME.exec(disposition)
  const name = found?.[1]?.replace(/\\(.)/g, '$1') ?? found?.[2] ?? ''
  return { name, start: end + BLANK.length }
}
