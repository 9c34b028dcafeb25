import { createHash, createHmac } from 'node:crypto'
import type { Bytes } from './bytes.ts'

/**
 * AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). Own code: `node:crypto`
 * does all the work, and what the AWS SDK has for it is asynchronous and signs objects of its own kind.
 */

export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** With temporary keys. */
  readonly sessionToken?: string | undefined
}

/** Where a signature holds: the region, and the name under which the service signs. */
export interface AwsScope {
  readonly region: string
  readonly service: string
}

export interface Signable {
  readonly method: string
  /** As it goes out: percent-encoded, with its query. */
  readonly path: string
  /** Flat list of names and values, `host` among them. */
  readonly headers: readonly string[]
  readonly body: Bytes
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/** These have to be signed (`host` and all of AWS's own); others may change on the way. */
const SIGNED = /^(host|content-type|x-amz-.*)$/i

/** Signs calls with the same keys, whose derived key it keeps for the day. */
export class SigV4 {
  private readonly keys: AwsKeys
  private readonly scope: AwsScope
  private day = ''
  private key: Buffer = Buffer.alloc(0)

  constructor(keys: AwsKeys, scope: AwsScope) {
    this.keys = keys
    this.scope = scope
  }

  /**
   * The headers to add to the call (flat list): its date, the session's token, and the signature over the headers whose names match
   * `signed`. `wall` is in ms since the epoch.
   */
  sign(call: Signable, wall: number, signed = SIGNED): string[] {
    const { accessKeyId, sessionToken } = this.keys
    const date = new Date(wall).toISOString().replaceAll(/[-:]|\.\d+/g, '')
    const added = ['x-amz-date', date, ...(sessionToken === undefined ? [] : ['x-amz-security-token', sessionToken])]
    const headers = canonicalHeaders([...call.headers, ...added], signed)
    const hash = createHash('sha256')
    for (const piece of call.body.pieces) hash.update(piece)
    const request = canonicalRequest(call.method, call.path, headers, hash.digest('hex'))
    const scope = `${date.slice(0, 8)}/${this.scope.region}/${this.scope.service}/aws4_request`
    const signature = hmac(this.keyOf(date.slice(0, 8)), stringToSign(date, scope, request)).toString('hex')
    const names = headers.map(([name]) => name).join(';')
    const authorization = `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
    return [...added, 'authorization', authorization]
  }

  private keyOf(day: string): Buffer {
    if (this.day !== day) {
      const { region, service } = this.scope
      const words = [day, region, service, 'aws4_request']
      this.key = words.reduce<Buffer>(hmac, Buffer.from(`AWS4${this.keys.secretAccessKey}`))
      this.day = day
    }
    return this.key
  }
}

type Pairs = readonly (readonly [name: string, value: string])[]

/** Headers by their names in lower case, in order, with the spaces of their values taken in; those of one name are one. */
function canonicalHeaders(headers: readonly string[], signed: RegExp): Pairs {
  const values = new Map<string, string>()
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]?.toLowerCase() ?? ''
    if (!signed.test(name)) continue
    const value = headers[i + 1]?.trim().replaceAll(/\s+/g, ' ') ?? ''
    const before = values.get(name)
    values.set(name, before === undefined ? value : `${before},${value}`)
  }
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** What is hashed and signed. The path is encoded once more than it goes out, as for all services but S3. `bodyHash` is SHA-256 in hex. */
function canonicalRequest(method: string, path: string, headers: Pairs, bodyHash: string): string {
  const query = path.indexOf('?')
  const bare = query < 0 ? path : path.slice(0, query)
  return [
    method,
    bare.split('/').map(encode).join('/'),
    query < 0 ? '' : canonicalQuery(path.slice(query + 1)),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    headers.map(([name]) => name).join(';'),
    bodyHash,
  ].join('\n')
}

/** What the signature is of. `date` is as in `x-amz-date`, `scope` as in the credential. */
function stringToSign(date: string, scope: string, request: string): string {
  return [ALGORITHM, date, scope, createHash('sha256').update(request).digest('hex')].join('\n')
}

function canonicalQuery(query: string): string {
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=')
      return at < 0 ? [decode(pair), ''] : [decode(pair.slice(0, at)), decode(pair.slice(at + 1))]
    })
    .map(([name = '', value = '']) => [encode(name), encode(value)] as const)
  return pairs
    .sort(([a, v], [b, w]) => (a < b ? -1 : a > b ? 1 : v < w ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** Percent-encodes all but the unreserved characters of RFC 3986. */
export function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A percent sign that encodes nothing stands for itself.
    return text
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
