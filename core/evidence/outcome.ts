import { errors } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import type { AttemptFacts, Exchange, Facts, Why } from '../exchange.ts'
import type { Target } from '../target.ts'
import type { Sample } from './counter.ts'

/** Picodollars. */
const USD = 1e12
/** Why a target is asked whose turn it was; not because another had failed, was slow, or was to be compared. */
const OWN: ReadonlySet<Why> = new Set(['chosen', 'retry', 'panic'])
/** Refusals with these are about what the caller sent; others (no such model, no right to it) are the target's own. */
const OF_THE_REQUEST: ReadonlySet<number> = new Set([400, 413, 414, 415, 422])
/** The request's whole time was up while it was asked; it had enough; it said nothing: all that by the target's doing, if not by a fault of it. */
const ALSO: ReadonlySet<ErrorCode> = new Set(['request_timeout', 'upstream_busy', 'upstream_empty'])
/** Nobody waited for its end: the caller, or another target, was sooner. How long it would have taken is not known, but that it took longer. */
const CALLED_OFF: ReadonlySet<ErrorCode> = new Set(['client_closed', 'hedge_lost'])
/** Failures with which nothing of an answer has come. */
const UNBEGUN: ReadonlySet<ErrorCode> = new Set(['first_token_timeout', 'upstream_empty'])

/**
 * What became of an exchange as far as a target that was to answer it is concerned; undefined where it was never asked. `now`: when the
 * caller had its answer, or an error, of the clock of facts, ms.
 *
 * Where the caller left, or a hedge was faster, what had passed until then counts as the latency: to leave slow answers out would make a
 * slow target look fast.
 */
export function sampleOf({ facts, target: answering }: Exchange, target: Target, now: number): Sample | undefined {
  const last = lastOf(facts.attempts, target)
  if (!last) return spared(facts, target)
  const { code, firstByte, status } = last
  const error = isFailure(code, status)
  const answered = code === undefined && answering === target
  const waited = answered || (code !== undefined && CALLED_OFF.has(code))
  return {
    error,
    truncated: error && firstByte > 0 && status < 300 && code !== undefined && !UNBEGUN.has(code),
    refused: code === 'content_refused' || (answered && facts.finishReason === 'content_filter'),
    escalated: (facts.gate?.escalations ?? 0) > 0,
    cost: costOf(facts.attempts),
    latency: waited ? now - facts.started : undefined,
    firstToken: waited && facts.stream ? (facts.firstByte || now) - facts.started : undefined,
  }
}

/** A gate that knows how often the target's answers are wanting, or late, does not even ask it: that is an escalation, too. */
function spared({ gate, attempts }: Facts, { id }: Target): Sample | undefined {
  const why = gate?.first === id ? gate.direct : undefined
  return why === 'direct_cheaper' || why === 'direct_faster' ? { escalated: true, cost: costOf(attempts) } : undefined
}

function lastOf(attempts: readonly AttemptFacts[], { endpoint, model }: Target): AttemptFacts | undefined {
  for (let at = attempts.length - 1; at >= 0; at--) {
    const attempt = attempts[at]
    if (attempt?.endpoint === endpoint.name && attempt.model === model.name && OWN.has(attempt.why)) return attempt
  }
  return undefined
}

/** Whether an attempt failed for a cause that is not the caller's. */
export function isFailure(code: ErrorCode | undefined, status: number): boolean {
  if (code === undefined) return false
  if (code === 'upstream_refused') return !OF_THE_REQUEST.has(status)
  return ALSO.has(code) || !('verdict' in errors[code]) || errors[code].verdict === 'failure'
}

/** USD; undefined where no part of it is known. */
export function costOf(attempts: readonly AttemptFacts[]): number | undefined {
  let sum: number | undefined
  for (const { cost } of attempts) if (cost !== undefined) sum = (sum ?? 0) + cost
  return sum === undefined ? undefined : sum / USD
}
