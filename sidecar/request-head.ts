import { fixedPaths } from '../core/surfaces/index.ts'
import type { Place } from '../core/surfaces/index.ts'
import { lower } from '../core/headers.ts'

/** The head of a request that the express lane takes. */
export interface RequestHead {
  readonly place: Place
  /** Flat list of names and values as they came. */
  readonly headers: string[]
  /** Where the body begins, and how long it is, bytes. */
  readonly start: number
  readonly length: number
  /** The client wants the connection closed after the answer. */
  readonly close: boolean
}

/** A longer head than this has time for the ordinary way, bytes. */
const MOST = 8192

const POST = 'POST '
const VERSION = ' HTTP/1.1\r\n'
/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const CONTROL = /[^\t\x20-\x7e\x80-\xff]/
const DIGITS = /^\d{1,12}$/

/**
 * Reads the head of a plain POST to one of OpenAI's surfaces: HTTP/1.1, with a host and one length, and nothing of what needs more than
 * that (chunks, encodings, `expect`, upgrades). Undefined for any other request, whole or not, right or wrong: `node:http` knows what to do.
 */
export function readHead(chunk: Buffer): RequestHead | undefined {
  const text = chunk.toString('latin1', 0, Math.min(chunk.length, MOST))
  if (!text.startsWith(POST)) return undefined
  const first = text.indexOf('\r\n')
  const end = text.indexOf('\r\n\r\n')
  if (end < 0 || !text.startsWith(VERSION, first - VERSION.length + 2)) return undefined
  const place = fixedPaths.get(text.slice(POST.length, first - VERSION.length + 2))
  if (!place) return undefined
  const headers: string[] = []
  let length = -1
  let close = false
  let host = 0
  for (let line = first + 2; line < end;) {
    let next = text.indexOf('\r\n', line)
    if (next < 0 || next > end) next = end
    const colon = text.indexOf(':', line)
    if (colon <= line || colon > next) return undefined
    const name = text.slice(line, colon)
    const value = text.slice(colon + 1, next).trim()
    if (!TOKEN.test(name) || CONTROL.test(value)) return undefined
    switch (lower(name)) {
      case 'content-length':
        if (length >= 0 || !DIGITS.test(value)) return undefined
        length = Number(value)
        break
      case 'host':
        host++
        break
      case 'connection': {
        const wish = value.toLowerCase()
        if (wish !== 'keep-alive' && wish !== 'close') return undefined
        close = wish === 'close'
        break
      }
      case 'transfer-encoding':
      case 'content-encoding':
      case 'expect':
      case 'upgrade':
      case 'te':
      case 'trailer':
        return undefined
    }
    headers.push(name, value)
    line = next + 2
  }
  if (length < 0 || host !== 1) return undefined
  return { place, headers, start: end + 4, length, close }
}
