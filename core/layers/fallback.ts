import { backoff } from '../backoff.ts'
import { Failure } from '../errors.ts'
import type { Exchange, Why } from '../exchange.ts'
import type { Layer } from '../pipeline.ts'
import type { Rule, Target } from '../target.ts'
import { asFailure } from './errors.ts'

/**
 * Failures for which the target was not even asked. The next one is, whatever `fallback` says: its words are about what a target did. What a
 * target did say is better to surface.
 */
const NOT_ASKED: ReadonlySet<string> = new Set([
  'endpoint_full',
  'circuit_open',
  'cooling',
  'unhealthy',
  'not_translatable',
  'operation_not_supported',
  'key_elsewhere',
])

/** Of these, those for which it takes nobody's request at the moment. */
const OUT: ReadonlySet<string> = new Set(['endpoint_full', 'circuit_open', 'cooling', 'unhealthy'])

/**
 * Asks the next target in the same request. With none left, and one or more that had enough requests (429), waits until the first of
 * them is free, where `retry` allows it and the deadline is later: so nobody waits for a 429 while another target could answer.
 */
export const fallback: Layer<Rule> = (rule, { now, random, sleep }) => {
  const waits = rule.retry.when.has('Status429') ? rule.retry.attempts : 0
  const covers = (failure: Failure) => isCovered(failure, rule)

  return (next) => async (exchange) => {
    const { candidates } = exchange
    let last: Failure | undefined
    let pool = candidates
    for (let round = 0; ; round++) {
      let busy: Target[] = []
      for (const target of pool) {
        // What is too long for one is too long for all that have no larger window.
        if (last?.code === 'context_length' && !larger(target, exchange.target)) continue
        // It was asked together with the one before, and failed as well.
        if (target === exchange.hedged) continue
        exchange.target = target
        exchange.why = whyOf(exchange, round > 0, last !== undefined)
        let outcome: Failure
        try {
          return await next(exchange)
        } catch (error) {
          outcome = asFailure(error)
        }
        if (target === exchange.drawn && OUT.has(outcome.code)) exchange.displaced = true
        // Whatever was going on when the time was up or the caller left, that is the reason.
        if (exchange.over)
          throw outcome.code === exchange.over ? outcome : new Failure(exchange.over, { cause: outcome })
        if (!last || !NOT_ASKED.has(outcome.code)) last = outcome
        const hadEnough = outcome.entry.retry === 'Status429' && outcome.shouldRetry !== false
        const final = candidates.findLast((it) => it !== exchange.hedged)
        exchange.exhausted = exchange.facts.attempts.length > 0 && (round > 0 || target === final)
        // Whoever is asked to go on with an answer: that it cannot is no reason not to ask the next one.
        if (exchange.resume || covers(outcome)) {
          if (hadEnough) busy.push(target)
          continue
        }
        if (!hadEnough) throw outcome
        // Nobody else may be asked, but the same one again.
        busy = [target]
        break
      }
      if (!last) throw new Failure('no_target', { detail: `Route ${rule.route}, rule ${rule.name}.` })
      exchange.retryAfter = wait(candidates, now())
      if (round >= waits || busy.length === 0) throw last
      // Timers may ring a little early, and asking too soon is asking in vain.
      const delay = Math.ceil(wait(busy, now()) ?? backoff(round + 1, random)) + 1
      if (now() + delay >= exchange.due) throw last
      await sleep(delay, exchange)
      const at = now()
      pool = busy.filter(({ model, endpoint }) => model.state.coolUntil <= at && endpoint.budget.take())
      if (exchange.over) throw new Failure(exchange.over, { cause: last })
      if (pool.length === 0) throw last
    }
  }
}

/** Whether the next target is to be asked after a failure: as the rule says, and where this one was not even asked. */
export function isCovered({ code, entry }: Failure, rule: Rule): boolean {
  return NOT_ASKED.has(code) || (entry.fallback !== undefined && rule.fallback.when.has(entry.fallback))
}

function whyOf({ resume, panic, opening }: Exchange, again: boolean, another: boolean): Why {
  if (resume) return 'rescue'
  if (again) return 'retry'
  return another ? 'fallback' : (opening ?? (panic ? 'panic' : 'chosen'))
}

/** Whether the window of one is, as far as is known, larger than that of another. */
function larger({ model }: Target, before: Target | undefined): boolean {
  const [window, other] = [model.capabilities.contextWindow, before?.model.capabilities.contextWindow]
  return window === undefined || other === undefined || window > other
}

/** How long until the first of those that asked to be left alone is free, ms. */
function wait(targets: readonly Target[], now: number): number | undefined {
  let soonest: number | undefined
  for (const { model } of targets) {
    const left = model.state.coolUntil - now
    if (left > 0 && (soonest === undefined || left < soonest)) soonest = left
  }
  return soonest
}
