import type { Deps } from './deps.ts'
import type { Exchange, Reply } from './exchange.ts'
import { call } from './layers/attempt.ts'
import { audit } from './layers/audit.ts'
import { bind } from './layers/bind.ts'
import { breaker } from './layers/breaker.ts'
import { choose } from './layers/choose.ts'
import { deadline } from './layers/deadline.ts'
import { errors } from './layers/errors.ts'
import { evidence } from './layers/evidence.ts'
import { fallback } from './layers/fallback.ts'
import { gate } from './layers/gate.ts'
import { hedge } from './layers/hedge.ts'
import { heed } from './layers/heed.ts'
import { listen } from './layers/listen.ts'
import { mirror } from './layers/mirror.ts'
import { observe } from './layers/observe.ts'
import { rescue } from './layers/rescue.ts'
import { retry } from './layers/retry.ts'
import { route } from './layers/route.ts'
import { speculate } from './layers/speculate.ts'
import type { RouteTable } from './routes.ts'
import type { Rule } from './target.ts'

/** Answers an exchange, or throws a `Failure`. */
export type Handler = (exchange: Exchange) => Promise<Reply>

/** One mechanism of the request path: built once for each configuration, then wrapped around the next. */
export type Layer<Config> = (config: Config, deps: Deps) => (next: Handler) => Handler

/** Around all requests, the outermost first. What follows them is `route`, which finds the rule. */
const outer: readonly Layer<unknown>[] = [
  errors, // outermost, so that whatever goes wrong inside becomes an answer
  observe, // sees what every layer did, refused requests included
]

/** Around the requests of one rule, the outermost first. What follows them is the call of one address. */
const inner: readonly Layer<Rule>[] = [
  deadline, // bounds all that follows, waits between attempts included
  listen, // outside all that asks: a gate that listens for itself has the better ear
  heed, // outside the choice: what a request says of the answer before it counts for it
  evidence, // outside the choice: a share that fails with its target counts as well
  choose, // once a request: what is tried later is part of the same choice
  bind, // after the choice, whose order it changes for conversations that only one provider can go on with
  mirror, // where audits are, and for the same reasons
  audit, // outside the gate: it compares what the caller got; inside the choice, which it does not make again
  gate, // outside rescue: an answer is judged when no target can be asked to make it whole any more, and the next one is a choice of its own
  rescue, // outside fallback: it acts when nobody can be asked any more, since the caller has part of an answer
  fallback, // outside retry: the next target is asked when this one has had its attempts
  speculate, // where hedge is, and never with it: the two that it asks are one step of fallback
  hedge, // inside fallback: the two that it asks are one step of it; outside retry: each has its own attempts
  retry, // outside the breaker: each attempt needs its own leave, and counts for itself
  breaker, // innermost: what it lets through, and what came of it, is one call
]

/** The handler of all requests, over a table of rules with theirs. */
export function outerHandler(table: RouteTable<Prepared>, deps: Deps): Handler {
  return around(deps, route(table, deps))
}

/** What is around all requests, around another handler: for requests that take another way from the door to their rule. */
export function around(deps: Deps, last: Handler): Handler {
  return compose(outer, undefined, deps, last)
}

/** What a configuration makes of a rule. */
export interface Prepared {
  readonly handle: Handler
  /** The rule's layers around another innermost handler, for pass-through. Built once for each, as a rule's sequence lives in it. */
  readonly through: (last: Handler) => Handler
}

export function prepare(rule: Rule, deps: Deps): Prepared {
  const through = (last: Handler) => compose(inner, rule, deps, last)
  return { handle: through(call(deps)), through }
}

function compose<Config>(layers: readonly Layer<Config>[], config: Config, deps: Deps, last: Handler): Handler {
  return layers.reduceRight((next, layer) => layer(config, deps)(next), last)
}
