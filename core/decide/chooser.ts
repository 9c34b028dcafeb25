import type { Deps } from '../deps.ts'
import { Failure } from '../errors.ts'
import { judgedOf } from '../gate/judged.ts'
import type { Exchange } from '../exchange.ts'
import { assignedOf } from '../experiment/assigned.ts'
import type { TargetArm } from '../experiment/assigned.ts'
import type { Assignment } from '../experiment/assignment.ts'
import type { FeedbackSource } from '../feedback/desk.ts'
import type { Asked } from '../match/match.ts'
import type { Signals } from '../signals/signals.ts'
import { strategy } from '../strategies/index.ts'
import type { Choosable, Preference } from '../strategies/strategy.ts'
import type { Rule, Target, Unresolved } from '../target.ts'
import { adjuster, among, boostOf } from './adjust.ts'
import type { Adjusted } from './adjust.ts'
import { limited } from './capable.ts'
import { belowFloor, holdBack, ruledOut, tooWeak, valuesOf } from './consider.ts'
import { decide } from './decide.ts'
import type { Terms, Values } from './decide.ts'
import { pin } from './decision.ts'
import type { ConsideredTarget, Decision } from './decision.ts'
import { INCAPABLE } from './out.ts'
import type { Out } from './out.ts'
import { Conversations } from './warmth.ts'

/** What a choice looks at: an exchange, or a question about one. */
export interface Choosing extends Asked, FeedbackSource {
  readonly signals: Signals
  readonly body: { readonly length: number }
  /** The decision is left there, too, where nobody can be asked. */
  readonly facts: { readonly requestId: string; sticky: boolean; decision: Decision | undefined }
}

/** The share of a target that does not resolve, where it is to fail. */
export interface Gap extends Choosable {
  readonly gap: Unresolved
}
export type Slot = Target | Gap

/** Who is to be asked. */
export interface Chosen {
  /** Gaps among them are shares that fail. */
  readonly order: readonly Slot[]
  readonly preference: Preference<Slot>
  /** Where it was looked into: the request was weighed, or decisions are written down. */
  readonly decision: Decision | undefined
  /** Nothing about the request kept any target of the first priority from being put first. */
  readonly free: boolean
  /** The arm of the rule's experiment that its unit belongs to, whose target is the first; undefined: none. */
  readonly assigned?: Assignment<TargetArm> | undefined
}

/** The targets of one priority with what they are to be judged by. */
interface Group {
  readonly priority: number
  readonly slots: readonly Slot[]
  readonly prefer: (choice: Parameters<ReturnType<ReturnType<typeof strategy>['make']>>[0]) => Preference<Slot>
}

/** What is around a choice. */
type Around = Pick<Deps, 'now' | 'random' | 'wall' | 'telemetry' | 'memories' | 'feedback' | 'guards'>

/** Decides for the requests of one rule. Built once for each rule and configuration. */
export class Chooser {
  /** Whether some share belongs to a target that does not resolve. */
  readonly gaps: boolean
  /** Whether there is something to be learnt from what came of a request. */
  readonly learns: boolean
  private readonly rule: Rule
  private readonly deps: Around
  private readonly groups: readonly Group[]
  private readonly adjust: ((exchange: Choosing) => Adjusted | undefined) | undefined
  private readonly weighs: boolean
  /** Something about the request may keep it from a target. */
  readonly looks: boolean
  /** Others on the request path look into the decision. */
  private readonly asked: boolean
  /** Some target is better or worse at some tasks. */
  private readonly tasks: boolean
  private readonly conversations = new Conversations()

  constructor(rule: Rule, deps: Around) {
    this.rule = rule
    this.deps = deps
    const { type, settings, artefact } = rule.strategy
    const form = strategy(type).memory?.(settings)
    const memory = form && deps.memories?.of({ route: rule.route, rule: rule.name, form })
    const gaps: readonly Gap[] = rule.onUnavailable === 'Fail' ? rule.unresolved.map(toGap) : []
    this.gaps = gaps.length > 0
    const slots: readonly Slot[] = [...rule.targets, ...gaps].filter(({ weight }) => weight > 0)
    this.groups = [...new Set(slots.map(priorityOf))]
      .sort((a, b) => a - b)
      .map((priority) => {
        const own = slots.filter((slot) => priorityOf(slot) === priority)
        const { random, wall, guards } = deps
        const parts = { targets: own, settings, random, wall, artefact, guards, memory }
        return { priority, slots: own, prefer: strategy(type).make(parts) }
      })
    this.adjust = rule.adjust.length === 0 ? undefined : adjuster(rule.adjust, rule.caller)
    this.weighs = strategy(type).weighs?.(settings) ?? false
    this.looks =
      this.weighs ||
      rule.adjust.length > 0 ||
      rule.feedback !== undefined ||
      rule.experiment !== undefined ||
      rule.targets.some(({ model }) => limited(model.capabilities))
    this.asked = rule.speculate !== undefined || rule.feedback !== undefined
    this.tasks = rule.targets.some(({ model }) => (model.quality?.tasks.size ?? 0) > 0)
    this.learns = this.weighs
  }

  /** The order of all targets for a request. Throws `no_capable_target` and `target_not_allowed` where none is left. */
  choose(exchange: Choosing): Chosen {
    const { sticky } = this.rule
    const key = sticky === undefined ? undefined : exchange.header(sticky)
    exchange.facts.sticky = key !== undefined
    const { telemetry } = this.deps
    const records = telemetry.decisions === true
    const [group] = this.groups
    if (group && this.groups.length === 1 && !records && !this.looks) {
      const preference = group.prefer({ key })
      return { order: decide(group.slots, preference), preference, decision: undefined, free: true }
    }
    return this.consider(exchange, key, records || this.asked || telemetry.keeps?.() !== false)
  }

  /** Takes in what came of a request that it decided about, by that preference. */
  learn(exchange: Exchange, preference: Preference<Slot>): void {
    const { facts, target, signals } = exchange
    const { usage } = facts
    if (!target || !usage) return
    target.model.state.lengths.observe(this.tasks ? signals.task : '', usage.output)
    const judged = judgedOf(facts.gate?.answers ?? [])
    preference.answered?.({ decision: facts.requestId, target: target.id, judged, now: this.deps.now() })
    const { sticky } = this.rule
    const key = sticky === undefined ? undefined : exchange.header(sticky)
    if (key !== undefined) this.conversations.remember(key, target.id, usage.input + usage.output, this.deps.now())
  }

  private consider(exchange: Choosing, key: string | undefined, records: boolean): Chosen {
    const { now, wall } = this.deps
    const adjusted = this.adjust?.(exchange)
    const warmth = key === undefined || !this.weighs ? undefined : this.conversations.find(key, now())
    const task = this.weighs && this.tasks ? exchange.signals.task : ''
    const least = this.deps.feedback?.minRank(exchange, this.rule, now())
    const { experiment } = this.rule
    const assigned =
      experiment && !adjusted?.pin
        ? assignedOf(experiment, exchange, (target) => !this.out(target, exchange, adjusted, least))
        : undefined
    const order: Slot[] = []
    const looked: Looked[] = []
    let leading: { preference: Preference<Slot>; terms: Terms | undefined; floor: number | undefined } | undefined
    for (const { priority, slots, prefer } of this.groups) {
      const outs: (Out | undefined)[] = slots.map((slot) =>
        isGap(slot) ? undefined : this.out(slot, exchange, adjusted, least),
      )
      const weighed = this.weighs
        ? withGaps(slots, (known) => valuesOf(known, exchange, task, adjusted, warmth, wall()))
        : undefined
      const preferred = prefer({
        key,
        outs: outs.some(Boolean) ? outs : undefined,
        values: weighed,
        ...(this.weighs ? { signals: exchange.signals } : {}),
        ...(this.weighs && adjusted ? { adjusted: forStrategy(adjusted, slots) } : {}),
      })
      const preference: Preference<Slot> =
        assigned && slots.includes(assigned.arm.target) ? { ...BY_ARM, first: assigned.arm.target } : preferred
      for (const [index, out] of preference.outs?.entries() ?? []) outs[index] ??= out
      const values = better(slots, preference, adjusted, weighed ?? preference.values)
      const floor = preference.terms && (adjusted?.floor ?? preference.floor)
      if (floor !== undefined && values)
        for (const [index, value] of values.entries())
          if (!preference.exempt || slots[index] !== preference.first) outs[index] ??= belowFloor(value, floor)
      const terms =
        preference.terms && adjusted?.lambda !== undefined
          ? { ...preference.terms, quality: 1, lambda: adjusted.lambda }
          : preference.terms
      const { first } = preference
      order.push(...decide(slots, { first, outs: outs.some(Boolean) ? outs : undefined, values, terms }))
      leading ??= { preference, terms, floor }
      looked.push({ priority, slots, outs, values, preference })
    }
    if (!leading) throw new Error('a rule without targets was asked to choose')
    const pinned = adjusted?.pin
    const own = assigned?.arm.target
    // An arm's target may have weight 0: none of the requests that are not of the experiment.
    if (own && !order.includes(own)) {
      order.push(own)
      looked.push({ priority: own.priority, slots: [own], outs: [undefined], values: undefined, preference: BY_ARM })
    }
    const final =
      pinned || own
        ? pin(order, (slot) => slot === own || (pinned !== undefined && !isGap(slot) && among(pinned, slot)))
        : order
    const reason = own ? BY_ARM.reason : this.reason(leading.preference, final, adjusted, leading.floor, looked)
    const preference = { ...leading.preference, reason }
    const { confidence, version } = preference
    const decision: Decision | undefined = records
      ? {
          strategy: this.rule.strategy.type,
          reason,
          ...(version === undefined ? {} : { version }),
          ...(task === '' ? {} : { task }),
          adjusted: adjusted?.applied ?? [],
          first: looked.flatMap(({ preference: { first } }) => first?.id ?? []),
          ...((pinned || own) && final[0] ? { pinned: final[0].id } : {}),
          ...(leading.terms ? { terms: leading.terms } : {}),
          ...(leading.floor === undefined ? {} : { floor: leading.floor }),
          ...(confidence === undefined ? {} : { confidence }),
          targets: looked.flatMap(describe),
          order: final.map(({ id }) => id),
        }
      : undefined
    if (final.length === 0) {
      exchange.facts.decision = decision
      throw nobodyLeft(this.rule, looked.flatMap(describe))
    }
    const free = looked[0]?.outs.every((out) => out === undefined) ?? false
    return { order: final, preference, decision, free, assigned }
  }

  private out(
    target: Target,
    exchange: Choosing,
    adjusted: Adjusted | undefined,
    least: number | undefined,
  ): Out | undefined {
    return (
      ruledOut(target, exchange, adjusted) ??
      tooWeak(target, least) ??
      (this.weighs ? holdBack(target, this.deps.random) : undefined)
    )
  }

  private reason(
    { reason }: Preference<Slot>,
    [first]: readonly Slot[],
    adjusted: Adjusted | undefined,
    floor: number | undefined,
    looked: readonly Looked[],
  ): Preference<Slot>['reason'] {
    if (first && adjusted?.pin && !isGap(first) && among(adjusted.pin, first)) return 'pinned'
    if (first && looked.some(({ outs }) => outs.some((out) => out?.code === 'feedback'))) return 'feedback'
    if (floor === undefined || !first) return reason
    const group = looked.find(({ slots }) => slots.includes(first))
    const code = group?.outs[group.slots.indexOf(first)]?.code
    return code === 'quality' || code === 'quality_unknown' ? 'below_floor' : reason
  }
}

/** Of a request whose unit belongs to an arm of an experiment. */
const BY_ARM = { reason: 'experiment' } as const

/** What was found of the targets of one priority. */
interface Looked {
  readonly priority: number
  readonly slots: readonly Slot[]
  readonly outs: readonly (Out | undefined)[]
  readonly values: readonly Values[] | undefined
  readonly preference: Preference<Slot>
}

function describe({ priority, slots, outs, values, preference }: Looked): readonly ConsideredTarget[] {
  const propensities = preference.propensities?.()
  return slots.map((slot, index) => described(slot, priority, values?.[index], outs[index], propensities?.[index]))
}

const UNKNOWN: Values = { quality: Number.NaN, cost: Number.NaN, latency: 0 }

/** The values of slots, of which those that do not resolve have none. */
function withGaps(slots: readonly Slot[], of: (known: readonly Target[]) => readonly Values[]): readonly Values[] {
  const known = slots.filter((slot): slot is Target => !isGap(slot))
  const values = of(known)
  return known.length === slots.length
    ? values
    : slots.map((slot) => (isGap(slot) ? UNKNOWN : (values[known.indexOf(slot)] ?? UNKNOWN)))
}

/** What of the adjustments is for the strategy to weigh. */
const forStrategy = (adjusted: Adjusted, slots: readonly Slot[]) => ({
  lambda: adjusted.lambda,
  floor: adjusted.floor,
  boosts: slots.map((slot) => (isGap(slot) ? 0 : boostOf(adjusted, slot))),
})

/** The values with what the strategy knows better of quality. */
function better(
  slots: readonly Slot[],
  { quality }: Preference<Slot>,
  adjusted: Adjusted | undefined,
  values: readonly Values[] | undefined,
): readonly Values[] | undefined {
  if (!quality || !values) return values
  return values.map((value, index) => {
    const known = quality[index] ?? Number.NaN
    const slot = slots[index]
    if (Number.isNaN(known) || !slot) return value
    const boost = adjusted && !isGap(slot) ? boostOf(adjusted, slot) : 0
    return { ...value, quality: Math.min(1, Math.max(0, known + boost)) }
  })
}

function described(
  slot: Slot,
  priority: number,
  values: Values | undefined,
  out: Out | undefined,
  propensity: number | undefined,
): ConsideredTarget {
  const { id: target, rank, weight } = slot
  return {
    target,
    endpoint: isGap(slot) ? '' : slot.endpoint.name,
    model: isGap(slot) ? '' : slot.model.name,
    priority,
    rank,
    weight,
    ...(values && !Number.isNaN(values.quality) ? { quality: values.quality } : {}),
    ...(values && !Number.isNaN(values.cost) ? { cost: values.cost } : {}),
    ...(values && Number.isFinite(values.latency) ? { latency: values.latency } : {}),
    ...(out ? { out } : {}),
    ...(propensity === undefined ? {} : { propensity }),
  }
}

/** Why every target was ruled out, each in a sentence of its own. */
function nobodyLeft(rule: Rule, targets: readonly ConsideredTarget[]): Failure {
  const outs = targets.flatMap(({ target, out }) => (out ? [{ target, out }] : []))
  const code = outs.some(({ out }) => INCAPABLE.has(out.code)) ? 'no_capable_target' : 'target_not_allowed'
  const words = outs.map(({ target, out }) => `${target} ${out.detail}`).join('; ')
  return new Failure(code, { detail: `Route ${rule.route}, rule ${rule.name}: ${words}.` })
}

export const isGap = (slot: Slot): slot is Gap => 'gap' in slot
const priorityOf = (slot: Slot): number => (isGap(slot) ? slot.gap.priority : slot.priority)
const toGap = (gap: Unresolved): Gap => ({
  gap,
  id: gap.id,
  weight: gap.weight,
  rank: 0,
  load: () => 0,
  available: () => 1,
})
