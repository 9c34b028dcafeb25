import { above } from '../gate/ladder.ts'
import type { Exchange } from '../exchange.ts'
import { Race, TWICE } from '../hedging/race.ts'
import { Share } from '../hedging/share.ts'
import { Times } from '../hedging/times.ts'
import type { Layer } from '../pipeline.ts'
import type { Rule, Target } from '../target.ts'

/**
 * Where the classifier is not sure whether the cheap target will do, a stronger one is asked besides, once the cheap one has taken longer than
 * 90 of 100 of its latest answers, or the stronger one would otherwise be late. The first good answer is the answer, the other call ends at
 * once and is paid for. Within a share of the requests.
 */
export const speculate: Layer<Rule> = (rule, deps) => (next) => {
  const { speculate: config } = rule
  if (!config || rule.targets.length < 2) return next
  const { from, to, percent } = config
  const share = new Share(percent)
  const times = new Times(0.9)
  return (exchange) => {
    const { target, facts, candidates } = exchange
    if (!target || exchange.resume || exchange.opening || !TWICE.has(facts.operation)) return next(exchange)
    share.request()
    const need = needOf(exchange, target)
    const [strong] = above(candidates, target, deps.now())
    if (need === undefined || need < from || need > to || !strong) return next(exchange)
    const left = exchange.due - deps.now() - strong.model.state.ewma.latency()
    const after = Math.max(0, Math.min(times.of(target, facts.stream).percentile ?? Infinity, left))
    const second = () => {
      const stronger = above(candidates, target, deps.now()).find(
        ({ endpoint }) => endpoint.load.inFlight < endpoint.maxInFlight,
      )
      return stronger && share.take() ? stronger : undefined
    }
    return new Race({ rule, next, deps, exchange, times, after, why: 'speculation', second }).run(target)
  }
}

/** P(a stronger target is needed): that the classifier's P(acceptable) of this one is wrong to trust. Undefined where no classifier has decided. */
function needOf({ facts: { decision } }: Exchange, { id }: Target): number | undefined {
  if (decision?.reason !== 'classifier') return undefined
  const quality = decision.targets.find(({ target }) => target === id)?.quality
  return quality === undefined ? undefined : 1 - quality
}
