import type { Failure } from '../errors.ts'
import { sampleOf } from '../evidence/outcome.ts'
import type { Sample } from '../evidence/counter.ts'
import type { Exchange, Reply } from '../exchange.ts'
import { clusterName } from '../experiment/assignment.ts'
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
    const out = exchange.displaced || failure?.code === 'target_unavailable'
    const sample = sampleOf(exchange, drawn, now()) ?? (out ? { error: true } : missed(exchange, failure))
    if (!sample) return
    const { assigned } = exchange
    if (assigned) {
      const arm = clusterName(assigned.arm.name, assigned.cluster)
      recorder.add(route, name, version, arm, { ...sample, size: exchange.body.length / 1024 }, facts.requestId)
    } else recorder.add(route, name, version, drawn.id, sample, facts.requestId)
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

/**
 * What counts of a request whose target was not even asked, though it was not out: nothing, but for an arm of an experiment, which is what
 * became of all its units: who drops out would have been chosen by the arm.
 */
function missed({ assigned }: Exchange, failure: Failure | undefined): Sample | undefined {
  if (!assigned) return undefined
  return failure?.code === 'client_closed' ? {} : { error: true }
}
