import { isIPv6 } from 'node:net'
import { Environment, EvaluationError } from '@marcbachmann/cel-js'
import { RE2JS } from 're2js'

/** The parts of a URL as Go's `net/url` finds them, which is what the API server's CEL library is made of. */
class Url {
  readonly scheme: string
  readonly hostname: string
  constructor(scheme: string, hostname: string) {
    this.scheme = scheme
    this.hostname = hostname
  }
}

/** Scheme, user information, host, port; what follows begins with `/` or `?`: a request has no fragment, so `#` separates nothing. */
const ABSOLUTE = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/?]*)@)?(\[[^\]/?]*\]|[^/?:[@]*)(?::([0-9]*))?([/?].*)?$/is
const USER = /^[A-Za-z0-9._:~!$&'()*+,;=%@-]*$/
/** What Go refuses in a host: https://pkg.go.dev/net/url (`shouldEscape`, mode `encodeHost`). */
const BAD_HOST = /[ #\\^`{|}%]/
const BAD_ESCAPE = /%(?![0-9a-f]{2})/i
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/

/**
 * Go's `url.ParseRequestURI` for URLs with a host. Those without one, which Go takes as well, are undefined here: the rules ask for a host
 * where they ask for a URL.
 */
function parseUrl(text: string): Url | undefined {
  const [, scheme, user = '', host, , rest = ''] = ABSOLUTE.exec(text) ?? []
  if (scheme === undefined || host === undefined || CONTROL.test(text)) return undefined
  const literal = host.startsWith('[')
  const hostname = literal ? host.slice(1, -1) : host
  const known = literal ? isIPv6(hostname.replace(/%25.+$/, '')) : !BAD_HOST.test(host)
  if (!known || !USER.test(user) || BAD_ESCAPE.test(user) || BAD_ESCAPE.test(rest.split('?')[0] ?? '')) return undefined
  return new Url(scheme.toLowerCase(), hostname)
}

/** The first match of a pattern, which the API server's library takes to be Go's: empty where there is none. */
function find(text: string, pattern: string): string {
  try {
    const matcher = RE2JS.compile(pattern).matcher(text)
    return matcher.find() ? (matcher.group() ?? '') : ''
  } catch (error) {
    throw new EvaluationError(error instanceof Error ? error.message : String(error))
  }
}

const order = (a: unknown, b: unknown): number => {
  // CEL has checked that all are of one type that has an order; numbers and strings compare alike here.
  const [left, right] = [a as string, b as string]
  return left < right ? -1 : left > right ? 1 : 0
}

/**
 * CEL with the functions of Kubernetes that our rules use. A rule that uses another one does not compile, here as in `make generate`.
 * https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries
 */
export const environment = new Environment()
  .registerVariable('self', 'dyn')
  .registerType('kubernetes.URL', Url)
  .registerFunction('isURL(string): bool', (text: string) => parseUrl(text) !== undefined)
  .registerFunction('url(string): kubernetes.URL', (text: string) => {
    const parsed = parseUrl(text)
    if (!parsed) throw new EvaluationError(`${text} is no URL`)
    return parsed
  })
  .registerFunction('kubernetes.URL.getScheme(): string', (it: Url) => it.scheme)
  .registerFunction('kubernetes.URL.getHostname(): string', (it: Url) => it.hostname)
  .registerFunction('string.find(string): string', find)
  .registerFunction('list<dyn>.sort(): list<dyn>', (list: readonly unknown[]) => list.toSorted(order))
