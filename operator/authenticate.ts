import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { ApiServer } from './api-server.ts'
import { Rate } from './rate.ts'

/** The audience of the tokens that sidecars and operators show each other: a token for the API server itself is refused. */
export const AUDIENCE = 'tradewind'

/** Whose token it is, as the API server says. */
export interface Bearer {
  readonly user: string
  /** The pod that the token is bound to. */
  readonly pod?: { readonly namespace: string; readonly name: string; readonly uid: string }
  /** When the token ends, ms since the epoch. */
  readonly expires: number
}

/** Why somebody is not let in: 401 with a reason, or 503 where the API server could not be asked. */
export class Refused extends Error {
  readonly status: 400 | 401 | 403 | 404 | 409 | 503
  constructor(status: 400 | 401 | 403 | 404 | 409 | 503, message: string) {
    super(message)
    this.status = status
  }
}

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean
    readonly error?: string
    readonly audiences?: readonly string[]
    readonly user?: {
      readonly username?: string
      readonly extra?: Readonly<Record<string, readonly string[]>>
    }
  }
}

const POD_NAME = 'authentication.kubernetes.io/pod-name'
const POD_UID = 'authentication.kubernetes.io/pod-uid'
const CACHED = { good: 60_000, bad: 5_000 }
/** One who would wait longer than this is told to come back. */
const PATIENCE = 20_000

/** Finds out whose token it is; rejects with `Refused`. */
export type Reviewer = (token: string) => Promise<Bearer>

/**
 * Whose tokens they are, remembered for up to 60 s. At most 100 reviews a second, 500 at once; many connections with one token at once
 * are one review.
 */
export class Tokens {
  readonly #reviewer: Reviewer
  readonly #rate = new Rate(100, 500)
  readonly #cache = new LRUCache<string, Promise<Bearer>>({ max: 20_000 })

  constructor(reviewer: Reviewer) {
    this.#reviewer = reviewer
  }

  /** Resolves with the bearer; rejects with `Refused`. */
  async review(token: string | undefined): Promise<Bearer> {
    if (!token) throw new Refused(401, 'No token: send the pod’s ServiceAccount token as `Authorization: Bearer …`.')
    if (token.length > 16_384) throw new Refused(401, 'The token is too long.')
    const key = createHash('sha256').update(token).digest('base64')
    const known = this.#cache.get(key)
    if (known) {
      const bearer = await known
      if (bearer.expires > Date.now()) return bearer
      throw new Refused(401, 'The token has expired.')
    }
    const asked = this.#ask(token)
    this.#cache.set(key, asked, { ttl: CACHED.good })
    try {
      return await asked
    } catch (error) {
      // What is wrong stays wrong for a moment; that the API server did not answer is nobody's fault.
      if (error instanceof Refused && error.status === 401) this.#cache.set(key, asked, { ttl: CACHED.bad })
      else this.#cache.delete(key)
      throw error
    }
  }

  async #ask(token: string): Promise<Bearer> {
    if (this.#rate.wait > PATIENCE) throw new Refused(503, 'Too many are connecting: try again in a moment.')
    await this.#rate.take()
    return this.#reviewer(token)
  }
}

/** Asks the API server by a TokenReview. */
export function tokenReviewer(api: ApiServer): Reviewer {
  return async (token) => {
    let review: TokenReview
    try {
      review = await api.call<TokenReview>('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token, audiences: [AUDIENCE] },
        },
      })
    } catch (error) {
      throw new Refused(503, `The API server could not review the token: ${String(error)}`)
    }
    const { authenticated, error, audiences = [], user } = review.status ?? {}
    if (!authenticated || !user?.username) throw new Refused(401, `The token is not valid: ${words(error)}`)
    // An API server that does not know audiences would take a token for itself.
    if (!audiences.includes(AUDIENCE)) throw new Refused(401, `The token is not for the audience ${AUDIENCE}.`)
    const [, namespace] = user.username.match(/^system:serviceaccount:([^:]+):/) ?? []
    const [name, uid] = [user.extra?.[POD_NAME]?.[0], user.extra?.[POD_UID]?.[0]]
    return {
      user: user.username,
      ...(namespace && name && uid ? { pod: { namespace, name, uid } } : {}),
      expires: expiry(token),
    }
  }
}

/** The API server's error without what it says of the token's content. */
function words(error: string | undefined): string {
  if (!error) return 'the API server does not know it.'
  if (/expired/i.test(error)) return 'it has expired.'
  if (/audience/i.test(error)) return 'it is for another audience.'
  if (/not bound|invalidated|not found|has been (deleted|replaced)/i.test(error))
    return 'the pod or ServiceAccount that it was bound to is gone.'
  return 'the API server refused it.'
}

/** When a JWT ends, ms since the epoch, read from a token that the API server has found good; others count as ending with the cache. */
function expiry(token: string): number {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    if (typeof claims === 'object' && claims !== null && 'exp' in claims && typeof claims.exp === 'number')
      return claims.exp * 1000
  } catch {
    // Not a JWT: a static token, a webhook's.
  }
  return Date.now() + CACHED.good
}
