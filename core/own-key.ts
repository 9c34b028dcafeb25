import { keyIn } from './credential.ts'
import { Failure } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { Endpoint } from './target.ts'

/** For browsers, which can set no header on a WebSocket, OpenAI takes the key in a subprotocol. */
const IN_PROTOCOL = /openai-insecure-api-key\.([^\s,]+)/i

type To = Pick<Endpoint, 'authority' | 'provider' | 'dropHeaders'>

/**
 * The header with the caller's own key (flat), for an endpoint that passes it through: in the provider's own header where the caller uses
 * that, else in Authorization; but a bearer that is an API key by its looks, in the header that the provider wants API keys in, so that
 * OpenAI's SDK works with a key of Anthropic's.
 *
 * A key is for one host in one request: whoever is asked next elsewhere, since the first did not answer, does not get it. Throws
 * `key_elsewhere`.
 */
export function ownKey(exchange: Pick<Exchange, 'header' | 'keys'>, endpoint: To): readonly string[] {
  const header = found(exchange, endpoint)
  const [, inProtocol] = IN_PROTOCOL.exec(exchange.header('sec-websocket-protocol') ?? '') ?? []
  for (const key of [keyIn(header[1] ?? ''), inProtocol ?? '']) {
    if (key === '') continue
    exchange.keys ??= new Map()
    const host = exchange.keys.get(key) ?? endpoint.authority
    if (host !== endpoint.authority) throw new Failure('key_elsewhere', { detail: `It was for ${host}.` })
    exchange.keys.set(key, host)
  }
  return header
}

function found(exchange: Pick<Exchange, 'header'>, { provider: { auth }, dropHeaders }: To): readonly string[] {
  const sent = (name: string) => (dropHeaders.has(name) ? undefined : exchange.header(name))
  const [name] = auth.type === 'key' ? auth.header('') : ['authorization']
  const own = sent(name)
  if (own !== undefined) return [name, own]
  const authorization = sent('authorization')
  if (authorization === undefined) return []
  const key = keyIn(authorization)
  return auth.type === 'key' && auth.isKey?.test(key) && !dropHeaders.has(name)
    ? auth.header(key)
    : ['authorization', authorization]
}
