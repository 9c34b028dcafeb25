import type { Exchange, Reply } from '../exchange.ts'
import type { Layer } from '../pipeline.ts'
import { strategy } from '../strategies/index.ts'
import type { Rule } from '../target.ts'

/** Keeps in mind what was decided, so that feedback finds it; hears what users say unasked of the answer before. */
export const heed: Layer<Rule> = (rule, { feedback: desk, now }) => {
  const learns = strategy(rule.strategy.type).memory !== undefined
  if (!desk || !(rule.feedback || rule.evidence || learns)) return (next) => next
  const note = (exchange: Exchange) => (reply: Reply) => {
    if (Buffer.isBuffer(reply.body)) desk.note(exchange, rule, now())
    else reply.body.settled((code) => (code === undefined ? desk.note(exchange, rule, now()) : undefined))
    return reply
  }
  return (next) => (exchange) => {
    try {
      desk.overhear(exchange, rule, now())
    } catch (error) {
      return Promise.reject(error)
    }
    return next(exchange).then(note(exchange))
  }
}
