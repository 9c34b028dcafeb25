import { Ear } from '../gate/said.ts'
import type { Layer } from '../pipeline.ts'
import type { Rule } from '../target.ts'

/** Listens to the answers of those requests whose content is to be written down with the decision. */
export const listen: Layer<Rule> =
  ({ log }, { random, telemetry }) =>
  (next) => {
    const part = telemetry.decisions === true ? ((log?.content?.percent ?? 0) * (log?.percent ?? 0)) / 10_000 : 0
    if (part === 0) return next
    return (exchange) => {
      if (exchange.surface.watch && random() < part) {
        exchange.sampled = true
        exchange.ear = new Ear(false)
      }
      return next(exchange)
    }
  }
