import type { Endpoint } from './target.ts'

const INSTEAD = Buffer.from('[redacted]')

/** The body of an error without the endpoint's credential: a server that says back what it was sent must not hand our key to the caller. */
export function withoutCredential(body: Buffer, authorization: Endpoint['authorization']): Buffer {
  if (authorization === undefined || authorization === 'passthrough') return body
  if ('sign' in authorization) return authorization.secrets().reduce(without, body)
  // `Bearer KEY`, or the key alone.
  return without(body, authorization[1].slice(authorization[1].lastIndexOf(' ') + 1))
}

/** As it is, or as JSON and URLs may write it. */
function without(body: Buffer, key: string): Buffer {
  return [...new Set([key, key.replaceAll('/', String.raw`\/`), encodeURIComponent(key)])].reduce(withoutText, body)
}

function withoutText(body: Buffer, key: string): Buffer {
  let at = key === '' ? -1 : body.indexOf(key)
  if (at < 0) return body
  const pieces: Buffer[] = []
  let from = 0
  for (; at >= 0; at = body.indexOf(key, from)) {
    pieces.push(body.subarray(from, at), INSTEAD)
    from = at + Buffer.byteLength(key)
  }
  return Buffer.concat([...pieces, body.subarray(from)])
}
