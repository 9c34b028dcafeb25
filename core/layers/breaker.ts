import { Failure } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import { errors } from '../errors.ts'
import type { Layer } from '../pipeline.ts'
import type { Rule, Target } from '../target.ts'
import { asFailure } from './errors.ts'

/** Ways to end in which it was us who waited no longer. */
const GIVEN_UP: ReadonlySet<ErrorCode> = new Set(['hedge_lost', 'request_timeout'])

/** What a failure counts as in the moving average of latencies, at least, ms: failing fast must attract nothing. */
const PENALTY = 5000

/**
 * Lets a target be asked, or not: the endpoint's bound on requests in flight, a target's own wish to be left alone, active checks and
 * the circuit breaker. Accounts for the outcome, for streams when they have ended.
 */
export const breaker: Layer<Rule> = (_, { now, mirrors }) => {
  return (next) => async (exchange) => {
    const { target, panic } = exchange
    if (!target) throw new Error('no target was set')
    const { endpoint, model } = target
    const { state } = model
    const started = now()
    if (state.coolUntil > started)
      throw new Failure('cooling', { detail: target.id, retryAfter: state.coolUntil - started })
    if (endpoint.load.inFlight >= endpoint.maxInFlight) throw new Failure('endpoint_full', { detail: endpoint.name })
    if (endpoint.addresses.length === 0) throw new Failure('unhealthy', { detail: `${endpoint.name} has no address.` })
    if (!panic && !endpoint.addresses.some(({ healthy }) => healthy))
      throw new Failure('unhealthy', { detail: target.id })
    const ticket = state.breaker.admit()
    if (ticket === 0 && !panic) throw new Failure('circuit_open', { detail: target.id })
    if (exchange.why !== 'retry') endpoint.budget.request()
    endpoint.load.inFlight++
    if (endpoint.maxInFlight !== Infinity) mirrors?.makeRoom(endpoint)
    state.ewma.start()

    const over = (code: ErrorCode | undefined) => {
      endpoint.load.inFlight--
      state.ewma.end()
      const verdict = code === undefined ? 'success' : verdictOf(code)
      if (verdict === 'success') {
        state.breaker.success(ticket)
        state.exhausted = 0
      } else if (verdict === 'failure') state.breaker.failure(ticket)
      else state.breaker.release(ticket)
    }
    try {
      const reply = await next(exchange)
      // A stream has begun well: the time to its first event is what can be compared.
      state.ewma.observe(now() - started)
      if (Buffer.isBuffer(reply.body)) over(undefined)
      else reply.body.settled(over)
      return reply
    } catch (error) {
      const failure = asFailure(error)
      over(failure.code)
      if (failure.code === 'quota_exhausted') exhaust(target, failure.retryAfter)
      if (failure.code === 'upstream_busy') cool(target, failure.retryAfter, now())
      // It takes at least as long as it was waited for.
      if (GIVEN_UP.has(failure.code)) state.ewma.observe(Math.max(state.ewma.latency(), now() - started))
      if (failure.code === 'upstream_busy' || verdictOf(failure.code) === 'failure')
        state.ewma.observe(Math.max(PENALTY, now() - started))
      throw failure
    }
  }
}

const verdictOf = (code: ErrorCode) => {
  const entry: Failure['entry'] = errors[code]
  return entry.verdict ?? 'failure'
}

/** How long a quota that does not say when it comes back keeps its target out: at first, and at the longest, ms. */
const HOLD = 60_000
const LONGEST_HOLD = 3_600_000

/**
 * A quota that is used up opens the target until it comes back, where that was said (Gemini's of a day, at midnight in California), else for
 * a minute, then two, up to an hour, with a request as a probe in between: somebody has to pay. One that names its time is of the model;
 * money is of the account, and so all models of the endpoint are out.
 */
function exhaust({ endpoint, model }: Target, retryAfter: number | undefined): void {
  if (retryAfter !== undefined) return model.state.breaker.hold(retryAfter)
  for (const { state } of endpoint.models.values()) {
    // Requests that were under way at the same time say the same once more.
    if (state.breaker.isHeld) continue
    state.breaker.hold(Math.min(LONGEST_HOLD, HOLD * 2 ** state.exhausted))
    state.exhausted++
  }
}

/** A later wish never shortens an earlier one. */
function cool({ model }: Target, retryAfter: number | undefined, now: number): void {
  if (retryAfter !== undefined) model.state.coolUntil = Math.max(model.state.coolUntil, now + retryAfter)
}
