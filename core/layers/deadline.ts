import { Failure } from '../errors.ts'
import type { Layer } from '../pipeline.ts'
import type { Rule } from '../target.ts'

/** The deadline of the whole request, counted from its arrival; it bounds everything inside, streamed answers to their end. */
export const deadline: Layer<Rule> =
  ({ requestTimeout }, { deadlines }) =>
  (next) =>
  async (exchange) => {
    exchange.due = exchange.facts.started + requestTimeout
    deadlines.add(exchange)
    let streaming = false
    try {
      const reply = await next(exchange)
      if (!Buffer.isBuffer(reply.body)) {
        streaming = true
        reply.body.settled(() => deadlines.remove(exchange))
      }
      return reply
    } catch (error) {
      // Whatever was going on when the time was up, that it was up is the reason.
      if (exchange.over === 'request_timeout') throw new Failure('request_timeout', { cause: error })
      throw error
    } finally {
      if (!streaming) deadlines.remove(exchange)
    }
  }
