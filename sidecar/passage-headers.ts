import type { IncomingHttpHeaders } from 'node:http'
import { answerHeaders } from '../core/answer-headers.ts'
import type { Facts } from '../core/exchange.ts'
import { answerHeadersOf, headerOf } from '../core/headers.ts'

/** Of the caller's request, the headers that are of its body: the bytes go on as they are, and so do these. */
const OF_THE_BODY = ['content-length', 'transfer-encoding', 'content-encoding', 'accept-encoding'] as const
/** A subprotocol that carries the caller's key, for browsers, which can set no header. */
const KEY_IN_PROTOCOL = /openai-insecure-api-key\.[^\s,]+,?\s*/gi

type Headers = Record<string, string | string[]>

/**
 * The headers of a request that is passed through: those that any request gets (`flat`, names and values), and of the caller's own what
 * belongs to bytes that are not looked into, and to an upgrade.
 */
export function passedOn(
  flat: readonly string[],
  caller: IncomingHttpHeaders,
  upgrading: boolean,
  keepsKey: boolean,
): Headers {
  const headers = gathered(flat)
  delete headers['accept-encoding']
  for (const name of OF_THE_BODY) {
    const value = caller[name]
    if (value !== undefined) headers[name] = value
  }
  if (upgrading) {
    headers['connection'] = 'Upgrade'
    headers['upgrade'] = caller.upgrade ?? 'websocket'
  }
  const protocols = headers['sec-websocket-protocol']
  if (protocols === undefined || keepsKey) return headers
  // The list may come in several headers (RFC 6455, section 11.3.4).
  const others = [protocols].flat().join(', ').replaceAll(KEY_IN_PROTOCOL, '').replace(/,\s*$/, '')
  if (others === '') delete headers['sec-websocket-protocol']
  else headers['sec-websocket-protocol'] = others
  return headers
}

/** The headers of an answer that is passed back: `raw` as they came, without what does not leave, and what we say of how it came about. */
export function passedBack(raw: readonly string[], facts: Facts, more: Readonly<Record<string, string>>): Headers {
  const headers = gathered([...answerHeadersOf(raw), ...answerHeaders(facts, true)])
  for (const name of ['content-length', 'content-encoding']) {
    const value = headerOf(raw, name)
    if (value !== '') headers[name] = value
  }
  return { ...headers, ...more }
}

/** A header that comes more than once has a list of values. */
function gathered(flat: readonly string[]): Headers {
  const headers: Headers = {}
  for (let i = 0; i < flat.length; i += 2) {
    const [name = '', value = ''] = [flat[i], flat[i + 1]]
    const before = headers[name]
    headers[name] = before === undefined ? value : [before, value].flat()
  }
  return headers
}
