import { createPrivateKey, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { withoutPieces } from './credential.ts'
import { record } from './openai-usage.ts'

/** What a service account's key file says: https://cloud.google.com/iam/docs/keys-create-delete */
export interface ServiceAccount {
  readonly email: string
  readonly keyId: string | undefined
  readonly key: KeyObject
  /** Where its assertions are exchanged for tokens. */
  readonly tokenUri: URL
}

/** Why a text is no key of a service account; its message never holds any of the text. */
export class InvalidServiceAccount extends Error {
  override readonly name = 'InvalidServiceAccount'
}

/** Whether the host of a URL is this machine. */
export function isThisMachine({ hostname }: URL): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}

/**
 * Reads the JSON key of a service account. Throws `InvalidServiceAccount`. `loopback`: its token server may be on this machine, without
 * TLS; any other has to be reached by https.
 */
export function readServiceAccount(text: string, loopback: boolean): ServiceAccount {
  const json = parsed(text)
  if (json['type'] !== 'service_account')
    throw new InvalidServiceAccount('The key must be the JSON key of a service account ("type": "service_account").')
  const uri = field(json, 'token_uri')
  const tokenUri = URL.canParse(uri) ? new URL(uri) : undefined
  const local = tokenUri?.protocol === 'http:' && isThisMachine(tokenUri)
  if (!tokenUri || !(tokenUri.protocol === 'https:' || (local && loopback)) || tokenUri.username || tokenUri.password)
    throw new InvalidServiceAccount('The "token_uri" of the key must be an https URL.')
  const keyId = json['private_key_id']
  return {
    email: field(json, 'client_email'),
    keyId: typeof keyId === 'string' ? keyId : undefined,
    key: keyOf(field(json, 'private_key')),
    tokenUri,
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const json = record(JSON.parse(text))
    if (json) return json
  } catch {
    // What is wrong with it would show a piece of it.
  }
  throw new InvalidServiceAccount('The key is not JSON: put the whole key file of the service account into the Secret.')
}

function field(json: Readonly<Record<string, unknown>>, name: string): string {
  const value = json[name]
  if (typeof value === 'string' && value !== '') return value
  throw new InvalidServiceAccount(`The key has no "${name}".`)
}

function keyOf(pem: string): KeyObject {
  let key: KeyObject | undefined
  try {
    key = createPrivateKey(pem)
  } catch {
    // As above.
  }
  if (key?.asymmetricKeyType !== 'rsa')
    throw new InvalidServiceAccount('The "private_key" of the key is no RSA key in PEM.')
  return key
}

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
/** The longest that Google allows, s. */
const LIFE = 3600
/** Clocks differ, s. */
const SKEW = 10

/** What is exchanged for a token (RFC 7523, section 3), signed with RS256 (RFC 7515); `wall` is in ms since the epoch. */
export function assertion({ email, keyId, key, tokenUri }: ServiceAccount, wall: number): string {
  const iat = Math.floor(wall / 1000) - SKEW
  const header = { alg: 'RS256', typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) }
  const claims = { iss: email, scope: SCOPE, aud: tokenUri.href, iat, exp: iat + LIFE }
  const said = [header, claims].map((it) => Buffer.from(JSON.stringify(it)).toString('base64url')).join('.')
  return `${said}.${sign('sha256', Buffer.from(said), key).toString('base64url')}`
}

/** The body of the request for a token (RFC 7523, section 2.1). */
export function tokenRequest(assertion: string): string {
  return new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }).toString()
}

/** An access token, and until when it holds, ms since the epoch. */
export interface Token {
  readonly value: string
  readonly expires: number
}

/**
 * The token of an answer (RFC 6749, section 5.1), or why there is none (5.2), in words without any secret: a server may say back `sent`, the
 * assertion that it got.
 */
export function readToken(status: number, body: string, wall: number, sent: string): Token | string {
  let json: Readonly<Record<string, unknown>> | undefined
  try {
    json = record(JSON.parse(body))
  } catch {
    return `it answered ${status}, and not with JSON`
  }
  const { access_token: value, expires_in: life, error, error_description: why } = json ?? {}
  if (status === 200 && typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) {
    const seconds = typeof life === 'number' && life > 0 ? life : LIFE
    return { value, expires: wall + seconds * 1000 }
  }
  const words = withoutPieces([error, why].filter((it) => typeof it === 'string').join(': '), sent)
  return `it answered ${status}${words === '' ? ' without a token' : ` (${words.slice(0, 300)})`}`
}
