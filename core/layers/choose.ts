import { obstacle } from '../availability.ts'
import { Failure } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import type { Deps } from '../deps.ts'
import type { Layer } from '../pipeline.ts'
import { strategy } from '../strategies/index.ts'
import type { Choice, Choosable } from '../strategies/strategy.ts'
import type { Rule, Target, Unresolved } from '../target.ts'

/** Puts the targets in the order in which they are to be asked: by the rule's strategy within each priority. */
export const choose: Layer<Rule> = (rule, deps) => {
  const decide = chooser(rule, deps)
  return (next) => (exchange) => {
    try {
      decide(exchange)
    } catch (error) {
      return Promise.reject(error)
    }
    return next(exchange)
  }
}

/** The share of a target that does not resolve, where it is to fail. */
interface Gap extends Choosable {
  readonly gap: Unresolved
}

/** Fills in `candidates`; throws where there is nobody to ask. */
function chooser(rule: Rule, { now, random }: Deps): (exchange: Exchange) => void {
  const { sticky, onUnavailable } = rule
  const gaps: readonly Gap[] = onUnavailable === 'Fail' ? rule.unresolved.map(toGap) : []
  const slots: readonly (Target | Gap)[] = [...rule.targets, ...gaps].filter(({ weight }) => weight > 0)
  const priorities = [...new Set(slots.map(priorityOf))].sort((a, b) => a - b)
  const groups = priorities.map((priority) =>
    strategy(rule.strategy).make(
      slots.filter((slot) => priorityOf(slot) === priority),
      random,
    ),
  )
  const targets = rule.targets.filter(({ weight }) => weight > 0)
  const nobody = targets.length === 0 ? noTarget(rule) : undefined
  const [only] = groups
  const alone = groups.length === 1 && gaps.length === 0 ? only : undefined

  return (exchange) => {
    exchange.rule = rule
    exchange.facts.rule = rule.name
    if (nobody) throw new Failure(nobody.code, { detail: nobody.detail })
    const key = sticky === undefined ? undefined : exchange.header(sticky)
    exchange.facts.sticky = key !== undefined
    const choice: Choice = { key }
    if (alone) {
      // Without gaps every slot is a target.
      exchange.candidates = alone(choice) as readonly Target[]
    } else {
      const order = groups.flatMap((group) => group(choice))
      const first = order[0]
      if (first && isGap(first)) throw new Failure('no_target', { detail: describe(rule, [first.gap]) })
      exchange.candidates = order.filter((slot): slot is Target => !isGap(slot))
    }
    const [first] = exchange.candidates
    const at = now()
    const why = first && obstacle(first, at)
    if (why === undefined) return
    if (onUnavailable === 'Fail')
      throw new Failure('target_unavailable', { detail: `${first?.id ?? ''} (${why}), of route ${rule.route}.` })
    panicIfAllAreOut(exchange, at)
  }
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

const isGap = (slot: Target | Gap): slot is Gap => 'gap' in slot
const priorityOf = (slot: Target | Gap): number => (isGap(slot) ? slot.gap.priority : slot.priority)
const toGap = (gap: Unresolved): Gap => ({
  gap,
  id: gap.id,
  weight: gap.weight,
  rank: 0,
  load: () => 0,
  available: () => 1,
})

function noTarget(rule: Rule): { code: 'no_target' | 'all_weights_zero'; detail: string } {
  const missing = rule.unresolved.filter(({ weight }) => weight > 0)
  return missing.length > 0
    ? { code: 'no_target', detail: describe(rule, missing) }
    : { code: 'all_weights_zero', detail: `Route ${rule.route}, rule ${rule.name}.` }
}

const describe = (rule: Rule, missing: readonly Unresolved[]): string =>
  `Route ${rule.route}, rule ${rule.name}: ${missing.map(({ id, reason, message }) => `${id} (${reason}): ${message}`).join('; ')}`
