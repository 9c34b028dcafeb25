import { obstacle } from '../availability.ts'
import { Race, TWICE } from '../hedging/race.ts'
import { Share } from '../hedging/share.ts'
import { Times } from '../hedging/times.ts'
import type { Layer } from '../pipeline.ts'
import type { Rule } from '../target.ts'

/**
 * Asks a second target besides the first when that has not given a first token (or a whole answer) in the time that the rule gives it, or that
 * 95 of 100 of its latest answers took (Dean and Barroso, The Tail at Scale, CACM 2013). The first good one is the answer, the other call ends
 * at once. Within a share of the requests, and only on targets that would be asked anyway.
 */
export const hedge: Layer<Rule> = (rule, deps) => (next) => {
  const { hedge: config } = rule
  if (!config || rule.targets.length < 2) return next
  const share = new Share(config.percent)
  const times = new Times(0.95)
  return (exchange) => {
    const { target, facts, candidates } = exchange
    // One answer that is gone on with has one writer.
    if (!target || exchange.resume || !TWICE.has(facts.operation)) return next(exchange)
    share.request()
    const after = config.after ?? times.of(target, facts.stream).percentile
    const second = () => {
      const now = deps.now()
      const other = candidates
        .slice(candidates.indexOf(target) + 1)
        .find((it) => obstacle(it, now) === undefined && it.endpoint.load.inFlight < it.endpoint.maxInFlight)
      return other && share.take() ? other : undefined
    }
    return new Race({ rule, next, deps, exchange, times, after, why: 'hedge', second }).run(target)
  }
}
