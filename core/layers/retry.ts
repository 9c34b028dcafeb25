import { backoff } from '../backoff.ts'
import { Failure } from '../errors.ts'
import type { Layer } from '../pipeline.ts'
import type { Rule } from '../target.ts'
import { asFailure } from './errors.ts'

/**
 * Asks the same target again after a back-off, or after what it asked for, within the endpoint's retry budget. A 429 is not its
 * business: `fallback` waits for those, once no other target is left.
 */
export const retry: Layer<Rule> =
  ({ retry: { attempts, when } }, { now, random, sleep }) =>
  (next) => {
    if (attempts === 0) return next
    return async (exchange) => {
      let last: Failure | undefined
      for (let tried = 0; ; tried++) {
        try {
          return await next(exchange)
        } catch (error) {
          const failure = asFailure(error)
          // That the breaker opened meanwhile is not why the request failed.
          last =
            last !== undefined && failure.entry.retry === undefined && failure.entry.verdict === 'none' ? last : failure
          const { entry, shouldRetry, retryAfter } = failure
          if (tried >= attempts || exchange.over || shouldRetry === false) throw last
          if (entry.retry === undefined || entry.retry === 'Status429' || !when.has(entry.retry)) throw last
          const delay = retryAfter ?? backoff(tried + 1, random)
          if (now() + delay >= exchange.due || !exchange.target?.endpoint.budget.take()) throw last
          await sleep(delay, exchange)
          if (exchange.over) throw new Failure(exchange.over, { cause: last })
          exchange.why = 'retry'
        }
      }
    }
  }
