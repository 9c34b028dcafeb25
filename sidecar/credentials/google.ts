import { Failure } from '../../core/errors.ts'
import { readServiceAccount, readToken, tokenRequest } from '../../core/google-token.ts'
import type { ServiceAccount, Token } from '../../core/google-token.ts'
import type { Signer } from '../../core/target.ts'
import { post } from './post.ts'

/** Sends the request for a token to the account's token server. */
type Exchange = (body: string) => Promise<{ readonly status: number; readonly body: string }>

/**
 * The signer of a service account's JSON key. Throws `InvalidServiceAccount`. `loopback`: its token server may be on this machine; `proxy`
 * gives the proxy through which a URL is reached.
 */
export function googleSigner(key: string, loopback: boolean, proxy: (url: URL) => string | undefined): GoogleSigner {
  const account = readServiceAccount(key, loopback)
  const { tokenUri } = account
  const tls = tokenUri.protocol === 'https:'
  const host = tokenUri.hostname.replace(/^\[|\]$/g, '')
  const destination = {
    host,
    port: Number(tokenUri.port || (tls ? 443 : 80)),
    tls: tls ? { serverName: host, ca: undefined, cert: undefined, key: undefined } : undefined,
    proxy: proxy(tokenUri),
  }
  const headers = [
    'host',
    tokenUri.host,
    'content-type',
    'application/x-www-form-urlencoded',
    'accept-encoding',
    'identity',
  ]
  return new GoogleSigner(account, (body) => post(destination, tokenUri.pathname + tokenUri.search, headers, body))
}

/** A token that holds no longer than this is not used any more, ms: it has to last as far as the provider. */
const LEAST = 30_000
/** One that holds no longer than this is renewed while it still serves, ms. */
const EARLY = 5 * 60_000
/** After a failure the token server is left alone for so long, ms. */
const PAUSE = 1000

/** Authorises calls with a service account's access token, which is had once, kept, and renewed before it ends. */
export class GoogleSigner implements Signer {
  private readonly account: ServiceAccount
  private readonly exchange: Exchange
  private token: Token | undefined
  private coming: Promise<Token> | undefined
  private failed: { readonly at: number; readonly failure: Failure } | undefined

  constructor(account: ServiceAccount, exchange: Exchange) {
    this.account = account
    this.exchange = exchange
  }

  sign(_: unknown, wall: number): readonly string[] | Promise<readonly string[]> {
    const { token } = this
    const left = token ? token.expires - wall : 0
    if (!token || left <= LEAST) return this.renew(wall).then(header)
    // In the background: should it fail, the next call tries again for as long as this one holds.
    if (left <= EARLY) this.renew(wall).catch(() => undefined)
    return header(token)
  }

  secrets(): readonly string[] {
    return this.token ? [this.token.value] : []
  }

  /** One request at a time, whoever waits for it. */
  private renew(wall: number): Promise<Token> {
    if (this.coming) return this.coming
    const { failed } = this
    if (failed && wall - failed.at >= 0 && wall - failed.at < PAUSE) return Promise.reject(failed.failure)
    this.coming = this.fetch(wall)
      .then(
        (token) => {
          this.failed = undefined
          return (this.token = token)
        },
        (error: unknown) => {
          const failure = error instanceof Failure ? error : new Failure('internal', { cause: error })
          this.failed = { at: wall, failure }
          throw failure
        },
      )
      .finally(() => (this.coming = undefined))
    return this.coming
  }

  private async fetch(wall: number): Promise<Token> {
    const { account } = this
    const whose = `The token server ${account.tokenUri.host} gave no token`
    let answer: Awaited<ReturnType<Exchange>>
    try {
      answer = await this.exchange(tokenRequest(account, wall))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Failure('credentials_unavailable', { detail: `${whose}: ${why}.`, cause: error })
    }
    const token = readToken(answer.status, answer.body, wall)
    if (typeof token === 'string') throw new Failure('credentials_unavailable', { detail: `${whose}: ${token}.` })
    return token
  }
}

const header = ({ value }: Token): readonly string[] => ['authorization', `Bearer ${value}`]
