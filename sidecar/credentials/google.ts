import { Failure } from '../../core/errors.ts'
import { readServiceAccount, readToken, tokenRequest } from '../../core/google-token.ts'
import type { ServiceAccount, Token } from '../../core/google-token.ts'
import type { Signer } from '../../core/target.ts'
import { post } from './post.ts'
import { Renewed } from './renewed.ts'

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

/** Authorises calls with a service account's access token, which is had once, kept, and renewed before it ends. */
export class GoogleSigner implements Signer {
  private readonly account: ServiceAccount
  private readonly exchange: Exchange
  private readonly token = new Renewed((wall) => this.fetch(wall))

  constructor(account: ServiceAccount, exchange: Exchange) {
    this.account = account
    this.exchange = exchange
  }

  sign(_: unknown, wall: number): readonly string[] | Promise<readonly string[]> {
    const token = this.token.get(wall)
    return token instanceof Promise ? token.then(header) : header(token)
  }

  secrets(): readonly string[] {
    return this.token.current ? [this.token.current.value] : []
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
