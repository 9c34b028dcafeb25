import { answerHeaders } from '../answer-headers.ts'
import { wordsForLog } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import type { Layer } from '../pipeline.ts'
import { asFailure, statusOf } from './errors.ts'

/** Fills in how the exchange ended, tells telemetry, and names in the answer how it came about. */
export const observe: Layer<unknown> = (_, { now, telemetry, deadlines }) => {
  const ended = (exchange: Exchange, code: ErrorCode | undefined) => {
    const { facts } = exchange
    deadlines.remove(exchange)
    facts.ended = now()
    facts.code = code
    facts.aborted = code === 'client_closed'
    telemetry.exchangeEnded(facts, exchange)
  }
  return (next) => async (exchange) => {
    const { facts } = exchange
    telemetry.exchangeStarted(facts)
    try {
      const reply = await next(exchange)
      facts.status = reply.status
      for (const word of answerHeaders(facts, !Buffer.isBuffer(reply.body))) reply.headers.push(word)
      if (Buffer.isBuffer(reply.body)) {
        facts.responseBytes = reply.body.length
        facts.firstByte = now()
        ended(exchange, undefined)
      } else reply.body.settled((code) => ended(exchange, code))
      return reply
    } catch (error) {
      const failure = asFailure(error)
      facts.status = statusOf(failure)
      facts.error = wordsForLog(failure)
      ended(exchange, failure.code)
      throw failure
    }
  }
}
