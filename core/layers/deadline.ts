import type { Layer } from '../pipeline.ts'
import type { Rule } from '../target.ts'

/**
 * The deadline of the whole request, counted from its arrival; it bounds everything inside, streamed answers to their end. `observe`, which
 * sees the end of every exchange, takes it off the list.
 */
export const deadline: Layer<Rule> =
  ({ requestTimeout }, { deadlines }) =>
  (next) =>
  (exchange) => {
    exchange.due = exchange.facts.started + requestTimeout
    deadlines.add(exchange)
    return next(exchange)
  }
