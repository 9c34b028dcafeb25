import { obstacle } from '../availability.ts'
import { Chooser, isGap } from '../decide/chooser.ts'
import type { Chosen, Slot } from '../decide/chooser.ts'
import { Failure } from '../errors.ts'
import type { Exchange, Reply } from '../exchange.ts'
import type { Layer } from '../pipeline.ts'
import type { Comparison, Reason } from '../strategies/strategy.ts'
import type { Rule, Target, Unresolved } from '../target.ts'

/** Reasons with which chance alone has put a target first. */
const AT_RANDOM: ReadonlySet<Reason> = new Set(['weighted', 'sticky'])

/** Puts the targets in the order in which they are to be asked: by the rule's strategy within each priority. */
export const choose: Layer<Rule> = (rule, deps) => {
  const chooser = new Chooser(rule, deps)
  const nobody = rule.targets.every(({ weight }) => weight === 0) ? noTarget(rule) : undefined
  const { onUnavailable } = rule

  const decide = (exchange: Exchange): Chosen['preference'] => {
    exchange.rule = rule
    exchange.facts.rule = rule.name
    if (nobody) throw new Failure(nobody.code, { detail: nobody.detail })
    const { order, preference, decision, free, assigned } = chooser.choose(exchange)
    exchange.facts.reason = preference.reason
    exchange.facts.decision = decision
    exchange.comparison = rule.audit && comparisonOf(preference)
    const [head] = order
    if (assigned) {
      exchange.assigned = assigned
      exchange.facts.experiment = `${rule.experiment?.name}/${assigned.arm.name}`
    }
    if (rule.evidence && head && !isGap(head)) {
      const random = rule.experiment ? assigned !== undefined : free && AT_RANDOM.has(preference.reason)
      if (random) draw(exchange, head, preference.share)
    }
    if (head && isGap(head)) throw new Failure('no_target', { detail: describe(rule, [head.gap]) })
    exchange.candidates = chooser.gaps
      ? order.filter((slot): slot is Target => !isGap(slot))
      : (order as readonly Target[]) // without gaps every slot is a target
    const [first] = exchange.candidates
    const at = deps.now()
    const why = first && obstacle(first, at)
    if (why === undefined) return preference
    if (onUnavailable === 'Fail')
      throw new Failure('target_unavailable', { detail: `${first?.id ?? ''} (${why}), of route ${rule.route}.` })
    panicIfAllAreOut(exchange, at)
    return preference
  }

  const learn = (exchange: Exchange, preference: Chosen['preference']) => (reply: Reply) => {
    if (Buffer.isBuffer(reply.body)) chooser.learn(exchange, preference)
    else reply.body.settled(() => chooser.learn(exchange, preference))
    return reply
  }

  return (next) => (exchange) => {
    let preference
    try {
      preference = decide(exchange)
    } catch (error) {
      return Promise.reject(error)
    }
    return chooser.learns ? next(exchange).then(learn(exchange, preference)) : next(exchange)
  }
}

/**
 * Notes whose share of the rule's requests it is. One that takes none of its share fails it, and that it is not asked is no excuse: else a
 * canary that is out would have no evidence against it. What one that ramps up leaves to others is neither's.
 */
function draw(exchange: Exchange, head: Target, share: Slot = head): void {
  if (share === head) exchange.drawn = head
  else if (!isGap(share) && share.available() === 0) {
    exchange.drawn = share
    exchange.displaced = true
  }
}

/** What is worth comparing, where both are targets that resolve. */
function comparisonOf({ audit }: Chosen['preference']): Comparison<Target> | undefined {
  if (!audit) return undefined
  const { own, other } = audit
  return isGap(own) || isGap(other) ? undefined : { ...audit, own, other }
}

/**
 * With everything out, the least bad is asked rather than none (Envoy's panic threshold): those with an open breaker before those whose
 * checks fail. Those that asked to be left alone are not among them: they would only say so again.
 */
function panicIfAllAreOut(exchange: Exchange, now: number): void {
  const reasons = new Map(exchange.candidates.map((target) => [target, obstacle(target, now)]))
  if ([...reasons.values()].some((why) => why === undefined)) return
  const worse = ['circuit_open', 'unhealthy', 'cooling']
  exchange.panic = true
  exchange.candidates = exchange.candidates.toSorted(
    (a, b) => worse.indexOf(reasons.get(a) ?? '') - worse.indexOf(reasons.get(b) ?? ''),
  )
}

function noTarget(rule: Rule): { code: 'no_target' | 'all_weights_zero'; detail: string } {
  const missing = rule.unresolved.filter(({ weight }) => weight > 0)
  return missing.length > 0
    ? { code: 'no_target', detail: describe(rule, missing) }
    : { code: 'all_weights_zero', detail: `Route ${rule.route}, rule ${rule.name}.` }
}

const describe = (rule: Rule, missing: readonly Unresolved[]): string =>
  `Route ${rule.route}, rule ${rule.name}: ${missing.map(({ id, reason, message }) => `${id} (${reason}): ${message}`).join('; ')}`
