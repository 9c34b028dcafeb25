import type { Failure } from '../errors.ts'
import { sampleOf } from '../evidence/outcome.ts'
import type { Exchange, Reply } from '../exchange.ts'
import { judgedOf } from '../gate/judged.ts'
import type { Layer } from '../pipeline.ts'
import type { Rule } from '../target.ts'
import { asFailure } from './errors.ts'

/** Counts what became of each request, for the target that chance had put first: where the rule gathers evidence, and nowhere else. */
export const evidence: Layer<Rule> = ({ route, name, evidence: asked }, { evidence: recorder, now }) => {
  if (!asked || !recorder) return (next) => next
  const { version } = asked

  const count = (exchange: Exchange, failure?: Failure): void => {
    const { drawn, facts } = exchange
    if (!drawn) return
    // Its share fails while it is out: that it was not even asked is no excuse.
    const sample = failure?.code === 'target_unavailable' ? { error: true } : sampleOf(exchange, drawn, now())
    if (!sample) return
    recorder.add(route, name, version, drawn.id, sample, facts.requestId)
    const judged = facts.gate && judgedOf(facts.gate.answers).find(({ target }) => target === drawn.id)
    if (judged) recorder.rate(facts.requestId, judged.reward)
  }

  return (next) => async (exchange) => {
    let reply: Reply
    try {
      reply = await next(exchange)
    } catch (error) {
      count(exchange, asFailure(error))
      throw error
    }
    if (Buffer.isBuffer(reply.body)) count(exchange)
    else reply.body.settled(() => count(exchange))
    return reply
  }
}
