import { createPublicKey, verify, type JsonWebKeyInput, type KeyObject } from 'node:crypto'
import type { ApiServer } from './api-server.ts'
import { AUDIENCE, Refused, type Bearer } from './authenticate.ts'

type Key = JsonWebKeyInput['key'] & { readonly kid?: string }
interface Claims {
  readonly iss?: string
  readonly sub?: string
  readonly aud?: string | readonly string[]
  readonly exp?: number
  readonly nbf?: number
  readonly 'kubernetes.io'?: {
    readonly namespace?: string
    readonly pod?: { readonly name?: string; readonly uid?: string }
  }
}

/** The signatures that API servers make, and how node:crypto checks them (RFC 7518; ES256 signs as two plain numbers). */
const ALGORITHMS: Readonly<Record<string, { hash: string; dsaEncoding?: 'ieee-p1363' }>> = {
  RS256: { hash: 'sha256' },
  RS384: { hash: 'sha384' },
  RS512: { hash: 'sha512' },
  ES256: { hash: 'sha256', dsaEncoding: 'ieee-p1363' },
  ES384: { hash: 'sha384', dsaEncoding: 'ieee-p1363' },
}
/** Clocks differ, s. */
const LEEWAY = 10
/** An unknown key makes us look for new ones, but not more often than this, ms. */
const LOOK_EVERY = 10_000

/**
 * Reads ServiceAccount tokens by the API server's published keys (OIDC discovery, open to every ServiceAccount): the way for an operator
 * that has no right over the whole cluster, and so may not ask for a TokenReview. That the pod is still there, the caller checks.
 */
export class Jwks {
  readonly #api: ApiServer
  #keys = new Map<string, KeyObject>()
  #issuer = ''
  #looked = -Infinity

  constructor(api: ApiServer) {
    this.#api = api
  }

  /** Resolves with the bearer of a good token; rejects with `Refused`. */
  async review(token: string): Promise<Bearer> {
    const [head = '', body = '', signature = '', ...more] = token.split('.')
    const header = decode(head) as { alg?: string; kid?: string } | undefined // checked as it is used
    const algorithm = ALGORITHMS[header?.alg ?? '']
    if (!algorithm || !signature || more.length) throw new Refused(401, 'The token is not one of a ServiceAccount.')
    const key = await this.#key(header?.kid ?? '')
    const { hash, ...options } = algorithm
    if (!key || !verify(hash, Buffer.from(`${head}.${body}`), { key, ...options }, Buffer.from(signature, 'base64url')))
      throw new Refused(401, 'The token was not signed by this cluster.')
    const claims = decode(body) as Claims // the API server's own, by its signature
    const now = Date.now() / 1000
    if (claims.iss !== this.#issuer) throw new Refused(401, 'The token was not issued by this cluster.')
    if (![claims.aud].flat().includes(AUDIENCE))
      throw new Refused(401, `The token is not for the audience ${AUDIENCE}.`)
    if (claims.exp === undefined || claims.exp < now - LEEWAY) throw new Refused(401, 'The token has expired.')
    if (claims.nbf !== undefined && claims.nbf > now + LEEWAY) throw new Refused(401, 'The token is not good yet.')
    const { namespace, pod } = claims['kubernetes.io'] ?? {}
    return {
      user: claims.sub ?? '',
      ...(namespace && pod?.name && pod.uid ? { pod: { namespace, name: pod.name, uid: pod.uid } } : {}),
      expires: claims.exp * 1000,
    }
  }

  async #key(id: string): Promise<KeyObject | undefined> {
    if (this.#keys.has(id) || Date.now() - this.#looked < LOOK_EVERY) return this.#keys.get(id)
    try {
      const { issuer } = await this.#api.call<{ issuer: string }>('GET', '/.well-known/openid-configuration')
      const { keys } = await this.#api.call<{ keys: readonly Key[] }>('GET', '/openid/v1/jwks')
      this.#issuer = issuer
      this.#keys = new Map(keys.map((key) => [key.kid ?? '', createPublicKey({ key, format: 'jwk' })]))
      this.#looked = Date.now()
    } catch (error) {
      throw new Refused(503, `The API server did not give its keys: ${String(error)}`)
    }
    return this.#keys.get(id)
  }
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString())
  } catch {
    return undefined
  }
}
