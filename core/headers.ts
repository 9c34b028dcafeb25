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
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
])

/** Besides, what means nothing to a provider of another dialect: it is of the caller's own. */
const FOREIGN = /^(content-type|accept|anthropic-|x-goog-|x-amz|amz-sdk-|openai-|x-stainless-|x-client-name)/

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

/** Said of failures. Some providers say it with answers that are good (Anthropic), where clients would take it for their own business. */
const OF_FAILURES: ReadonlySet<string> = new Set(['retry-after', 'retry-after-ms', 'x-ms-retry-after-ms'])

/** What the caller put there for us, and what only we say. */
const OURS = 'x-tradewind-'

/** What is to be known of a header's name. */
interface Known {
  /** In lower case. */
  readonly name: string
  /** Whether it stays here, of a caller's request and of a target's answer. */
  readonly request: boolean
  readonly answer: boolean
  /** Whether it stays here of a good answer. */
  readonly good: boolean
}

/** Worked out once for each name as it is written: there are few, and they come with each request. */
const names = new Map<string, Known>()

function know(written: string): Known {
  let known = names.get(written)
  if (known === undefined) {
    const name = written.toLowerCase()
    const ours = name.startsWith(OURS)
    const answer = ours || ANSWER.has(name)
    known = { name, request: ours || REQUEST.has(name), answer, good: answer || OF_FAILURES.has(name) }
    if (names.size < 1000) names.set(written, known)
  }
  return known
}

/** A header's name in lower case. */
export function lower(name: string): string {
  return know(name).name
}

const USUAL = /^,\s*(keep-alive|close)\s*$/i

/** Takes off the headers from that place on which a `connection` header names, besides the usual ones. */
function withoutNamed(headers: string[], from: number, connection: string): string[] {
  if (connection === '' || USUAL.test(connection)) return headers
  const named = new Set(connection.toLowerCase().split(/\s*,\s*/))
  return headers.filter((_, i) => i < from || !named.has(headers[i - (i % 2)] ?? ''))
}

/**
 * The headers of the request to an endpoint: the caller's without its credentials and hop-by-hop ones, then the endpoint's own, with the
 * endpoint's credential. `foreign`: the endpoint speaks another dialect than the caller.
 */
export function requestHeaders(
  caller: readonly string[],
  endpoint: Pick<Endpoint, 'authority' | 'authorization' | 'setHeaders' | 'dropHeaders'>,
  requestId: string,
  foreign = false,
): string[] {
  const { dropHeaders, setHeaders, authorization, authority } = endpoint
  let headers: string[] = ['host', authority, 'accept-encoding', 'identity', 'x-request-id', requestId]
  const own = headers.length
  let connection = ''
  for (let i = 0; i < caller.length; i += 2) {
    const { name, request } = know(caller[i] ?? '')
    if (request) {
      if (name === 'connection') connection += `,${caller[i + 1]}`
    } else if (!dropHeaders.has(name) && !(foreign && FOREIGN.test(name))) headers.push(name, caller[i + 1] ?? '')
  }
  headers = withoutNamed(headers, own, connection)
  for (const word of setHeaders) headers.push(word)
  if (Array.isArray(authorization)) headers.push(authorization[0], authorization[1])
  return headers
}

/** W3C Trace Context, section 2.3: the caller's state goes on with our parent. */
export function addTraceContext(
  headers: string[],
  traceparent: string | undefined,
  tracestate: string | undefined,
): void {
  if (traceparent === undefined) return
  headers.push('traceparent', traceparent)
  if (tracestate !== undefined) headers.push('tracestate', tracestate)
}

/** The headers of a target's answer that go on to the caller; `good`: it is an answer of an API that we know, and no failure. */
export function answerHeadersOf(upstream: readonly string[], good = false): string[] {
  const headers: string[] = []
  let connection = ''
  for (let i = 0; i < upstream.length; i += 2) {
    const { name, answer, good: stays } = know(upstream[i] ?? '')
    if (!(good ? stays : answer)) headers.push(name, upstream[i + 1] ?? '')
    else if (name === 'connection') connection += `,${upstream[i + 1]}`
  }
  return withoutNamed(headers, 0, connection)
}

/** A header's value by its name in lower case; empty where it is not there. */
export function headerOf(headers: readonly string[], name: string): string {
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]?.length === name.length && lower(headers[i] ?? '') === name) return headers[i + 1] ?? ''
  return ''
}
