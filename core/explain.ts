import { obstacle, plenty } from './availability.ts'
import { perMillion } from './cost.ts'
import { decide } from './decide/decide.ts'
import { Failure } from './errors.ts'
import type { ErrorCode } from './errors.ts'
import { inForce } from './faults/fault.ts'
import { describeGate } from './gate/describe.ts'
import { explainChoice } from './explain-choice.ts'
import type { Learnt } from './explain-choice.ts'
import { misses } from './match/index.ts'
import type { Asked } from './match/match.ts'
import { Question } from './question.ts'
import type { Told } from './question.ts'
import type { Route, RouteRule, RouteTable } from './routes.ts'
import { strategy } from './strategies/index.ts'
import type { Choosable } from './strategies/strategy.ts'
import type { Rule } from './target.ts'

/** One target of the rule that answers, and what a request like this one means for it. */
export interface ExplainedTarget {
  /** `namespace/name`, with the model where there is one. */
  readonly target: string
  readonly weight: number
  readonly priority: number
  /** Of requests like this one, the part that goes to it first, 0…1. */
  readonly share: number
  readonly state: 'available' | 'unresolved' | ErrorCode
  /** USD per million tokens, where that is known. */
  readonly price?: { readonly input?: string; readonly output?: string }
  /** What was expected of it where that counts: quality 0…1, cost in USD, ms, and what they come to together. */
  readonly quality?: number
  readonly cost?: number
  readonly latency?: number
  readonly score?: number
  /** Why it has this share, one sentence. */
  readonly why: string
}

/** What would happen to a request, and why. */
export interface Explanation {
  readonly model: string
  readonly path: string
  /** What the caller gets where nobody is asked. */
  readonly error?: { readonly code: ErrorCode; readonly status: number; readonly message: string }
  /** `namespace/name`. */
  readonly route?: string
  readonly rule?: string
  /** How route and rule were found, one sentence. */
  readonly why: string
  /** The rules before it that do not match. */
  readonly passed: readonly { readonly rule: string; readonly why: string }[]
  readonly strategy?: string
  /** The word of `x-tradewind-reason`, where the choice is made by more than weights. */
  readonly reason?: string
  /** Where the rule is sticky: its header, and the key where the request carries it. */
  readonly sticky?: { readonly header: string; readonly key?: string }
  /** Who is assigned to which arm, where the rule has an experiment; one sentence. Shares are those of requests that are of none, or of the request's own arm. */
  readonly experiment?: string
  /** What becomes of the answer, where the rule has a gate; one sentence. */
  readonly gate?: string
  /** What is injected on purpose into the calls of requests like it; left out where nothing is. */
  readonly faults?: readonly string[]
  /** Who else such requests are sent to, and how many of them; one sentence. */
  readonly mirror?: string
  /** In the order in which priorities are tried. */
  readonly targets: readonly ExplainedTarget[]
}

/** Says what the table would do with a request, by the same code that does it. Asks nobody and moves no sequence. `now` and `wall` are of `Deps`. */
export function explain(
  table: RouteTable<unknown>,
  told: Told,
  now: number,
  wall: number,
  learnt: Learnt = {},
): Explanation {
  const request = new Question(told, wall)
  const base = { model: request.model, path: request.path, passed: [], targets: [] }
  try {
    if (request.fault) throw request.fault
    if (request.surface.operation === 'models')
      return { ...base, why: 'The list of models is answered by the sidecar itself.' }
    const through = !request.known || (!table.has(request.model) && table.findPassThrough(request))
    if (!through && request.model === '') throw new Failure('model_required')
    const route = through ? table.passThrough(request).route : table.routeOf(request.model)
    const rule = through ? table.passThrough(request).rule : table.ruleOf(route, request)
    request.rule = rule.rule
    const why = through ? `Its path is the farthest-reaching one that matches.` : claim(table, route, request.model)
    const found = { ...base, ...chosen(route, rule, request, why), ...faultsMet(rule.rule, request, wall) }
    const plain = shares(rule.rule, request, now, wall)
    if (plain.error) return { ...found, ...plain }
    return { ...found, ...plain, ...choice(rule.rule, request, { now, wall }, learnt) }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const { code, message, entry } = error
    const route = code === 'rule_not_found' ? table.routeOf(request.model) : undefined
    return {
      ...base,
      error: { code, status: entry.status, message },
      ...(route ? { route: route.name, passed: passed(route, undefined, request) } : {}),
      why: message,
    }
  }
}

/** The choice itself, where it is made by more than weights; that nobody can be asked, where that is so. */
function choice(
  rule: Rule,
  request: Question,
  at: { readonly now: number; readonly wall: number },
  learnt: Learnt,
): Partial<Pick<Explanation, 'targets' | 'reason' | 'error' | 'experiment'>> {
  const made = explainChoice(rule, request, at, learnt)
  if (!made) return {}
  const { targets, decision, failure, experiment } = made
  if (!failure) return { targets, reason: decision.reason, ...(experiment === undefined ? {} : { experiment }) }
  return { targets, error: { code: failure.code, status: failure.entry.status, message: failure.message } }
}

function claim(table: RouteTable<unknown>, route: Route<unknown>, model: string): string {
  return table.models.get(model) === route
    ? `Route ${route.name} has model ${model}.`
    : `No route has model ${model} by name; route ${route.name} has \`*\`.`
}

function chosen(route: Route<unknown>, found: RouteRule<unknown>, asked: Asked, why: string) {
  const gate = describeGate(found.rule)
  const { mirror } = found.rule
  const matched = found.rule.matches.length === 0 ? 'has no matches, and so takes all' : 'is the first that matches'
  return {
    route: route.name,
    rule: found.rule.name,
    why: `${why} Rule ${found.rule.name} ${matched}.`,
    passed: passed(route, found, asked),
    strategy: found.rule.strategy.type,
    ...(gate === undefined ? {} : { gate }),
    ...(mirror
      ? {
          mirror: `${mirror.percent} % of such requests are sent to ${mirror.target.id} as well, once callers have their answers.`,
        }
      : {}),
  }
}

/** The faults of a rule that a request meets. */
function faultsMet({ faults = [] }: Rule, asked: Asked, wall: number): Pick<Explanation, 'faults'> {
  const met = faults.filter((fault) => inForce(fault, wall) && (fault.test?.(asked) ?? true))
  return met.length === 0 ? {} : { faults: met.map(({ said }) => said) }
}

/** The rules before the one that was found, each with what keeps it from matching. */
function passed(route: Route<unknown>, found: RouteRule<unknown> | undefined, asked: Asked): Explanation['passed'] {
  const until = found ? route.rules.indexOf(found) : route.rules.length
  return route.rules
    .slice(0, until)
    .filter(({ test }) => !test(asked))
    .map(({ rule: { name, matches, caller } }) => ({
      rule: name,
      why: matches.map((match) => misses(match, asked, caller)).join('; or '),
    }))
}

/** A slot of a priority: a target, or the share of one that does not resolve and is to fail. */
type Slot = Choosable & { readonly priority: number }

function shares(
  rule: Rule,
  asked: Asked,
  now: number,
  wall: number,
): Pick<Explanation, 'targets' | 'sticky' | 'error'> {
  const key = rule.sticky === undefined ? undefined : asked.header(rule.sticky)
  const gaps = rule.onUnavailable === 'Fail' ? rule.unresolved : []
  const slots: readonly Slot[] = [
    ...rule.targets,
    ...gaps.map(({ id, weight, priority }) => ({ id, weight, priority, rank: 0, load: () => 0, available: () => 1 })),
  ].filter(({ weight }) => weight > 0)
  const first = Math.min(...slots.map(({ priority }) => priority))
  const group = slots.filter(({ priority }) => priority === first)
  const part = portions(rule, group, key, wall)
  const none = rule.targets.every(({ weight }) => weight === 0)
  const failing = none && (rule.unresolved.some(({ weight }) => weight > 0) ? 'no_target' : 'all_weights_zero')
  const failure = failing ? new Failure(failing) : undefined

  const describe = (state: ExplainedTarget['state'], weight: number, priority: number, id: string): string => {
    if (weight === 0) return 'Its weight is 0: it is never asked.'
    if (priority > first) return `It is asked when those of lower priority are exhausted.`
    if (state !== 'available')
      return rule.onUnavailable === 'Fail' ? 'Its share of requests fails.' : 'The others take its share.'
    if (key !== undefined) return part(id) > 0 ? 'The sticky key belongs to it.' : 'The sticky key belongs to another.'
    if (rule.strategy.type === 'LeastLatency')
      return part(id) > 0 ? 'It is the fastest at the moment.' : 'Another is faster at the moment.'
    return `Its weight is ${weight} of ${group.reduce((sum, slot) => sum + slot.weight, 0)}.`
  }
  const share = (id: string): number => (failing ? 0 : part(id))
  const known = rule.targets.map((target) => {
    const { id, weight, priority } = target
    const state: ExplainedTarget['state'] = obstacle(target, now) ?? 'available'
    const why = describe(state, weight, priority, id)
    const part = state === 'available' && rule.onUnavailable === 'Redistribute' ? plenty(target) : 1
    const scarce = part < 1 ? ` Its rate limit is nearly used up: ${Math.round(part * 100)} % of that for now.` : ''
    const { model } = target
    const price = model.pricing(model.name === '*' ? asked.model : model.name, wall)
    return {
      target: id,
      weight,
      priority,
      share: share(id),
      state,
      ...(price ? { price: perMillion(price) } : {}),
      why: why + scarce,
    }
  })
  const unknown = rule.unresolved.map(({ id, weight, priority, reason, message }) => ({
    target: id,
    weight,
    priority,
    share: share(id),
    state: 'unresolved' as const,
    why: `${reason}: ${message} ${describe('unresolved', weight, priority, id)}`,
  }))
  return {
    targets: [...known, ...unknown].sort((a, b) => a.priority - b.priority),
    ...(rule.sticky === undefined ? {} : { sticky: { header: rule.sticky, ...(key === undefined ? {} : { key }) } }),
    ...(failure ? { error: { code: failure.code, status: failure.entry.status, message: failure.message } } : {}),
  }
}

/** What part of requests like this each slot of the first priority gets: all of it or nothing where the strategy leaves no choice. */
function portions(rule: Rule, group: readonly Slot[], key: string | undefined, wall: number): (id: string) => number {
  if (rule.strategy.type === 'LeastLatency' || key !== undefined) {
    const { type, settings, artefact } = rule.strategy
    const preference = strategy(type).make({ targets: group, settings, random: () => 0, wall: () => wall, artefact })({
      key,
    })
    const [winner] = decide(group, preference)
    return (id) => (id === winner?.id ? 1 : 0)
  }
  const usable = group.map((slot) => slot.weight * slot.available())
  const sum = usable.reduce((total, weight) => total + weight, 0)
  // With all of them out, the weights alone decide who is tried first.
  const weights = sum > 0 ? usable : group.map(({ weight }) => weight)
  const total = weights.reduce((all, weight) => all + weight, 0)
  return (id) => (weights[group.findIndex((slot) => slot.id === id)] ?? 0) / total
}
