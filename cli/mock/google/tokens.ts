import { createHmac, createPublicKey, randomBytes, timingSafeEqual, verify } from 'node:crypto'
import { type Answer, json } from '../answer.ts'
import type { MockRequest } from '../providers/provider.ts'
import { isRecord } from '../text.ts'

/** Where tokens are had; the real one is at https://oauth2.googleapis.com/token. */
const TOKEN_PATH = '/token'

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
/** s. */
const LIFE = 3600
/** Tokens of one run of the program mean nothing to the next. */
const secret = randomBytes(32)

const parsed = (text: string | undefined): unknown => {
  try {
    return JSON.parse(Buffer.from(text ?? '', 'base64url').toString())
  } catch {
    return undefined
  }
}

/**
 * Why an assertion (RFC 7523) is none, or undefined where it is good: signed with RS256 by the key whose public half in PEM is `key`, for
 * this server, now. Without a key nobody's signature is looked at.
 */
function fault(assertion: string, key: string | undefined, host: string, now: number): string | undefined {
  const [head, body, mark, ...more] = assertion.split('.')
  const header = parsed(head)
  const claims = parsed(body)
  if (!isRecord(header) || !isRecord(claims) || mark === undefined || more.length > 0) return 'Invalid JWT: malformed.'
  if (header['alg'] !== 'RS256') return 'Invalid JWT: alg must be RS256.'
  const text = Buffer.from(`${head}.${body}`)
  if (key !== undefined && !verify('sha256', text, createPublicKey(key), Buffer.from(mark, 'base64url')))
    return 'Invalid JWT Signature.'
  const { iss, aud, scope, iat, exp } = claims
  if (typeof iss !== 'string' || iss === '') return 'Invalid JWT: iss is missing.'
  if (
    typeof aud !== 'string' ||
    !URL.canParse(aud) ||
    new URL(aud).host !== host ||
    new URL(aud).pathname !== TOKEN_PATH
  )
    return 'Invalid JWT: aud is not this server.'
  if (scope !== SCOPE) return 'Invalid OAuth scope or ID token audience provided.'
  if (typeof iat !== 'number' || typeof exp !== 'number' || iat > now + 60 || exp < now || exp - iat > LIFE)
    return 'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.'
  return undefined
}

/** Whether a request is for a token and may have one. */
export function asksForToken({ path }: MockRequest): boolean {
  return path === TOKEN_PATH
}

/** The answer to a request for a token. */
export function grant({ bytes, headers }: MockRequest, key: string | undefined): Answer {
  const form = new URLSearchParams(bytes.toString())
  if (form.get('grant_type') !== GRANT)
    return json(
      { error: 'unsupported_grant_type', error_description: `Invalid grant_type: ${form.get('grant_type')}` },
      400,
    )
  const now = Math.floor(Date.now() / 1000)
  const why = fault(form.get('assertion') ?? '', key, headers.host ?? '', now)
  if (why !== undefined) return json({ error: 'invalid_grant', error_description: why }, 400)
  return json({ access_token: tokenUntil(now + LIFE), expires_in: LIFE - 1, token_type: 'Bearer' })
}

function tokenUntil(expires: number): string {
  return `ya29.mock.${expires}.${createHmac('sha256', secret).update(String(expires)).digest('base64url')}`
}

/** Whether a request shows a token of this program that still holds. */
export function showsToken({ headers }: MockRequest): boolean {
  const token = /^Bearer (ya29\.mock\.(\d+)\..+)$/.exec(headers.authorization ?? '')
  if (!token?.[1] || Number(token[2]) < Date.now() / 1000) return false
  const [given, wanted] = [Buffer.from(token[1]), Buffer.from(tokenUntil(Number(token[2])))]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
