import type { IncomingMessage, Server } from 'node:http'
import type { CompiledBody, CompiledConfig, ResourceKey } from '../api/compiled.ts'
import { perMillion } from '../core/cost.ts'
import { SECRET_HEADER } from '../core/credential.ts'
import { explain } from '../core/explain.ts'
import type { Learnt } from '../core/explain-choice.ts'
import type { RateLimits } from '../core/rate-limits.ts'
import type { Model } from '../core/target.ts'
import type { Configuration } from './config.ts'
import type { Journal } from './decisions/journal.ts'
import type { ConfiguredEndpoint } from './endpoints.ts'
import { jsonServer, problem } from './json-server.ts'
import type { Answer, Asked, Pages } from './json-server.ts'
import { LEVELS } from './log.ts'
import type { Level, Log } from './log.ts'
import { METRICS_TYPE } from './names.ts'

interface Options {
  readonly configuration: Configuration
  readonly log: Log
  readonly journal: Journal
  /** Monotonic milliseconds, and those since the epoch. */
  readonly now: () => number
  readonly wall: () => number
  /** What choices depend on besides. */
  readonly learnt: Learnt
  /** The text of the metrics. */
  readonly exposed: () => Promise<string>
  /** Further pages, such as what a local run's operator has to tell. */
  readonly more?: Pages
}

/** The port for people on the pod: what is in force, how targets are, what would happen to a request, how much is logged. */
export function adminServer({ configuration, log, journal, learnt, now, wall, exposed, more }: Options): Server {
  const pages: Pages = {
    'GET /config': () => config(configuration),
    'GET /endpoints': () => ({
      body: { endpoints: [...endpointsOf(configuration)].map((it) => endpoint(it, now(), wall())) },
    }),
    'GET /explain': (asked) => explained(configuration, asked, now(), wall(), learnt),
    'POST /explain': (asked) => explained(configuration, asked, now(), wall(), learnt),
    'GET /decisions': ({ query }) => decided(journal, query.get('id')),
    'GET /log-level': () => ({ body: { level: log.level } }),
    'PUT /log-level': ({ body }) => setLevel(log, body),
    'GET /metrics': async () => ({ body: await exposed(), headers: { 'content-type': METRICS_TYPE } }),
    'GET /healthz': () => ({ body: 'ok\n' }),
    ...more,
  }
  return jsonServer({ 'GET /': () => ({ body: { pages: Object.keys(pages) } }), ...pages }, fromElsewhere)
}

const endpointsOf = ({ runtime }: Configuration): Iterable<ConfiguredEndpoint> => runtime?.endpoints.values() ?? []

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

/**
 * Why a request is refused: a page of another site must not read what is here, neither by asking across origins nor by a name of its own
 * that resolves to loopback (DNS rebinding).
 */
function fromElsewhere({ headers }: IncomingMessage): string | undefined {
  if (!LOOPBACK.test(headers.host ?? '')) return 'The Host header must be a loopback address.'
  const { origin } = headers
  if (origin !== undefined && origin !== `http://${headers.host}`) return 'Requests of other origins are refused.'
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'none' && site !== 'same-origin') return 'Requests of other sites are refused.'
  return undefined
}

const REDACTED = '[redacted]'

function config(configuration: Configuration): Answer {
  const { config: inForce, digest, since } = configuration.current()
  return { body: { digest, since: since === 0 ? null : new Date(since).toISOString(), resources: redacted(inForce) } }
}

/** The configuration as it came, without the values of secrets. */
function redacted(config: CompiledConfig): Record<string, { digest: string; body: unknown }> {
  return Object.fromEntries([...config].map(([key, { digest, body }]) => [key, { digest, body: safe(key, body) }]))
}

function safe(key: ResourceKey, body: CompiledBody): unknown {
  if ('data' in body) return { data: Object.fromEntries(Object.keys(body.data).map((name) => [name, REDACTED])) }
  // By its kind; of the others none has secrets of its own.
  if (!key.startsWith('endpoint/') || !('headers' in body)) return body
  const set = Object.entries(body.headers.set)
  return {
    ...body,
    headers: {
      ...body.headers,
      set: Object.fromEntries(set.map(([name, value]) => [name, SECRET_HEADER.test(name) ? REDACTED : value])),
    },
  }
}

function endpoint(
  { name, provider, scheme, authority, basePath, load, limits, ...rest }: ConfiguredEndpoint,
  now: number,
  wall: number,
): object {
  return {
    name,
    provider: provider.type,
    url: `${scheme}://${authority}${basePath}`,
    inFlight: load.inFlight,
    maxInFlight: Number.isFinite(rest.maxInFlight) ? rest.maxInFlight : null,
    limits: left(limits),
    models: [...rest.models.values()].map((model) => ({
      name: model.name,
      breaker: model.state.breaker.state,
      share: model.state.breaker.share(),
      coolingMs: Math.max(0, Math.round(model.state.coolUntil - now)),
      latencyMs: round(model.state.ewma.latency()),
      inFlight: model.state.ewma.inFlight,
      limits: left(model.state.limits),
      price: priceOf(model, wall),
    })),
    addresses: rest.addresses.map((address) => ({
      address: address.name,
      healthy: address.healthy,
      // Of a single one nothing is measured, since there is nothing to choose.
      ...(rest.addresses.length > 1
        ? { latencyMs: round(address.ewma.latency()), inFlight: address.ewma.inFlight }
        : {}),
    })),
  }
}

/** What is left of each rate limit, 0 to 1, by the provider's words for it. */
const left = (limits: RateLimits): object =>
  Object.fromEntries([...limits.remaining()].map(([kind, part]) => [kind, round(part)]))

/** USD per million tokens, at the moment; null where it is unknown, or depends on the model that the caller names. */
function priceOf({ name, pricing }: Model, wall: number): object | null {
  const price = name === '*' ? undefined : pricing(name, wall)
  return price ? perMillion(price) : null
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000

function explained(
  { runtime }: Configuration,
  { query, body }: Asked,
  now: number,
  wall: number,
  learnt: Learnt,
): Answer {
  if (!runtime) return problem(503, 'The sidecar has no configuration yet.')
  const headers = new Map<string, string>()
  for (const line of query.getAll('header')) {
    const [, name, value] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined)
      return problem(400, `header must be like "x-tier: gold", not "${line}".`)
    headers.set(name.toLowerCase(), value)
  }
  const asked = {
    model: query.get('model') ?? '',
    path: query.get('path') ?? '/v1/chat/completions',
    header: (name: string) => headers.get(name),
    body,
  }
  const at = query.get('at')
  const time = at === null ? wall : Date.parse(at)
  if (Number.isNaN(time)) return problem(400, `at must be a time like 2026-11-21T03:00:00Z, not "${at}".`)
  return { body: explain(runtime.table, asked, now, time, learnt) }
}

/** One of the latest decisions, as its line has it; without an id a list of them. */
function decided(journal: Journal, id: string | null): Answer {
  if (id === null) {
    const decisions = journal.recent().map(({ facts }) => ({
      id: facts.requestId,
      time: new Date(facts.wall).toISOString(),
      route: facts.route,
      rule: facts.rule,
      reason: facts.reason,
      model: facts.model,
    }))
    return { body: { decisions } }
  }
  const line = journal.find(id)
  if (line !== undefined) return { body: JSON.parse(line) as object } // a line is an object
  const which = journal.records
    ? 'It is none of the latest'
    : 'It is none of the latest that had to be weighed, and no others are kept (TRADEWIND_DECISIONS)'
  return problem(404, `There is no decision ${id}. ${which}.`)
}

/** Takes `{"level": "debug"}`, or the word alone. */
function setLevel(log: Log, body: string): Answer {
  const word = /^\s*(?:\{\s*"level"\s*:\s*)?"?([a-z]+)"?\s*\}?\s*$/.exec(body)?.[1]
  const level = LEVELS.find((it): it is Level => it === word)
  if (!level) return problem(400, `The level must be one of ${LEVELS.join(', ')}.`)
  log.level = level
  return { body: { level } }
}
