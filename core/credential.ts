import type { Endpoint } from './target.ts'

const INSTEAD = Buffer.from('[redacted]')

/** Headers whose values may well be credentials, though the API has a place of its own for those. */
export const SECRET_HEADER = /key|token|secret|auth|password|cookie|credential|session|signature/i

/** In which apps send a key. */
const KEY_HEADERS = ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key']

/** Shorter words of an endpoint's own headers are in many a text. */
const SHORT = 8

/**
 * What an endpoint was sent and must not hand to anybody, should it say back what it was sent: its credential, what its own headers hold
 * that are named like credentials, and the caller's own key where that is passed on. `sent`: a header of the caller's by its name.
 */
export function credentialsOf(
  { authorization, setHeaders }: Pick<Endpoint, 'authorization' | 'setHeaders'>,
  sent: (name: string) => string | undefined,
): readonly string[] {
  const found: string[] = []
  if (authorization === 'passthrough') found.push(...KEY_HEADERS.map((name) => keyIn(sent(name) ?? '')))
  else if (authorization && 'sign' in authorization) found.push(...authorization.secrets())
  else if (authorization) found.push(keyIn(authorization[1]))
  for (let i = 0; i < setHeaders.length; i += 2) {
    const key = SECRET_HEADER.test(setHeaders[i] ?? '') ? keyIn(setHeaders[i + 1] ?? '') : ''
    if (key.length >= SHORT) found.push(key)
  }
  return found.filter((key) => key !== '')
}

/** `Bearer KEY`, or the key alone. */
export const keyIn = (value: string): string => value.slice(value.lastIndexOf(' ') + 1)

/** The text without them. `cut`: it goes on, and may end in the midst of one. */
export function withoutCredentials(body: Buffer, credentials: readonly string[], cut = false): Buffer {
  const forms = credentials.flatMap(formsOf)
  const rest = forms.reduce(without, body)
  if (!cut) return rest
  const part = Math.max(0, ...forms.map((form) => Buffer.byteLength(form) - 1))
  return rest.subarray(0, Math.max(0, rest.length - part))
}

/** What of a token may be said: so few characters of it, in one run, tell nobody anything. */
const RUN = /[\w-]{16,}/g

/** Words without pieces of a token, however it is cut. */
export function withoutPieces(words: string, token: string): string {
  return words.replaceAll(RUN, (run) => (token.includes(run) ? String(INSTEAD) : run))
}

/** The flat list of headers without them. */
export function headersWithout(headers: string[], credentials: readonly string[]): string[] {
  const long = credentials.filter((key) => key.length >= SHORT)
  const has = (word: string): boolean => long.some((key) => word.includes(key))
  if (!headers.some(has)) return headers
  return headers.map((word) => (has(word) ? withoutCredentials(Buffer.from(word), long).toString() : word))
}

/** As it is, or as JSON and URLs may write it. */
const formsOf = (key: string): readonly string[] => [
  ...new Set([key, key.replaceAll('/', String.raw`\/`), encodeURIComponent(key)]),
]

function without(body: Buffer, key: string): Buffer {
  let at = body.indexOf(key)
  if (at < 0) return body
  const pieces: Buffer[] = []
  let from = 0
  for (; at >= 0; at = body.indexOf(key, from)) {
    pieces.push(body.subarray(from, at), INSTEAD)
    from = at + Buffer.byteLength(key)
  }
  return Buffer.concat([...pieces, body.subarray(from)])
}
