import type { Endpoint } from './target.ts'

/** Of one connection only (RFC 9110, section 7.6.1), and framing, which each side does anew. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
]

/** Of the caller's request, these do not go on: its credentials, and what we say ourselves. */
const REQUEST: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'host',
  'expect',
  'authorization',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'cookie',
  'openai-organization',
  'openai-project',
  'accept-encoding',
  'content-encoding',
  'traceparent',
  'tracestate',
  'x-request-id',
])

/** Of a target's answer, these stay here: they are of its own connection, its own site, or its own account. */
const ANSWER: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'content-encoding',
  'server',
  'via',
  'date',
  'set-cookie',
  'alt-svc',
  'strict-transport-security',
  'x-powered-by',
  'x-request-id',
  'openai-organization',
  'openai-project',
  'nel',
  'report-to',
  'server-timing',
  'access-control-allow-origin',
])

/** What the caller put there for us, and what only we say. */
const OURS = 'x-tradewind-'

/** Header names in lower case, each worked out once: there are few, and they come with each request. */
const lowered = new Map<string, string>()

/** A header's name in lower case. */
export function lower(name: string): string {
  let found = lowered.get(name)
  if (found === undefined) {
    found = name.toLowerCase()
    if (lowered.size < 1000) lowered.set(name, found)
  }
  return found
}

/** The names that a `connection` header takes off besides the usual ones. */
function named(headers: readonly string[]): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined
  for (let i = 0; i < headers.length; i += 2)
    if (lower(headers[i] ?? '') === 'connection')
      for (const token of (headers[i + 1] ?? '').toLowerCase().split(',')) {
        const name = token.trim()
        if (name !== '' && name !== 'keep-alive' && name !== 'close') (names ??= new Set()).add(name)
      }
  return names
}

interface Context {
  readonly requestId: string
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
}

/**
 * The headers of the request to an endpoint: the caller's without its credentials and hop-by-hop ones, then the endpoint's own. The
 * endpoint's credential replaces the caller's Authorization, which goes on only where the endpoint passes it through.
 */
export function requestHeaders(
  caller: readonly string[],
  endpoint: Pick<Endpoint, 'authority' | 'authorization' | 'setHeaders' | 'dropHeaders'>,
  context: Context,
): string[] {
  const { dropHeaders, setHeaders, authorization, authority } = endpoint
  const headers: string[] = ['host', authority, 'accept-encoding', 'identity', 'x-request-id', context.requestId]
  const off = named(caller)
  for (let i = 0; i < caller.length; i += 2) {
    const name = lower(caller[i] ?? '')
    if (REQUEST.has(name)) {
      if (name === 'authorization' && authorization === 'passthrough') headers.push(name, caller[i + 1] ?? '')
      continue
    }
    if (name.startsWith(OURS) || dropHeaders.has(name) || off?.has(name)) continue
    headers.push(name, caller[i + 1] ?? '')
  }
  if (context.traceparent !== undefined) {
    headers.push('traceparent', context.traceparent)
    if (context.tracestate !== undefined) headers.push('tracestate', context.tracestate)
  }
  for (const word of setHeaders) headers.push(word)
  if (typeof authorization === 'object') headers.push(authorization[0], authorization[1])
  return headers
}

/** The headers of a target's answer that go on to the caller. */
export function answerHeadersOf(upstream: readonly string[]): string[] {
  const headers: string[] = []
  const off = named(upstream)
  for (let i = 0; i < upstream.length; i += 2) {
    const name = lower(upstream[i] ?? '')
    if (ANSWER.has(name) || name.startsWith(OURS) || off?.has(name)) continue
    headers.push(name, upstream[i + 1] ?? '')
  }
  return headers
}

/** A header's value by its name in lower case; empty where it is not there. */
export function headerOf(headers: readonly string[], name: string): string {
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]?.length === name.length && lower(headers[i] ?? '') === name) return headers[i + 1] ?? ''
  return ''
}
