import { Failure } from '../../core/errors.ts'
import { assertion, readServiceAccount, readToken, tokenRequest } from '../../core/google-token.ts'
import type { ServiceAccount, Token } from '../../core/google-token.ts'
import type { Signer } from '../../core/target.ts'
import { post } from './post.ts'
import type { Way } from './post.ts'
import { Renewed } from './renewed.ts'

/** Sends the request for a token to the account's token server. */
type Exchange = (body: string) => Promise<{ readonly status: number; readonly body: string }>

/** The signer of a service account's JSON key. Throws `InvalidServiceAccount`. `loopback`: its token server may be on this machine. */
export function googleSigner(key: string, loopback: boolean, way: Way): GoogleSigner {
  const account = readServiceAccount(key, loopback)
  return new GoogleSigner(account, (body) => post(account.tokenUri, way, body))
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
    return this.token.known.map(({ value }) => value)
  }

  private async fetch(wall: number): Promise<Token> {
    const { account } = this
    const whose = `The token server ${account.tokenUri.host} gave no token`
    const sent = assertion(account, wall)
    let answer: Awaited<ReturnType<Exchange>>
    try {
      answer = await this.exchange(tokenRequest(sent))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Failure('credentials_unavailable', { detail: `${whose}: ${why}.`, cause: error })
    }
    const token = readToken(answer.status, answer.body, wall, sent)
    if (typeof token === 'string') throw new Failure('credentials_unavailable', { detail: `${whose}: ${token}.` })
    return token
  }
}

const header = ({ value }: Token): readonly string[] => ['authorization', `Bearer ${value}`]
