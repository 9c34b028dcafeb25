import type { Deps } from './deps.ts'
import type { Exchange, Reply } from './exchange.ts'

/** Answers an exchange, or throws a `Failure`. */
export type Handler = (exchange: Exchange) => Promise<Reply>

/** One mechanism of the request path: built once for each configuration, then wrapped around the next. */
export type Layer<Config> = (config: Config, deps: Deps) => (next: Handler) => Handler

/** Wraps the innermost handler in layers, the first of the list outermost. */
export function compose<Config>(layers: readonly Layer<Config>[], config: Config, deps: Deps, inner: Handler): Handler {
  return layers.reduceRight((next, layer) => layer(config, deps)(next), inner)
}
