import { obstacle } from './availability.ts'
import { perMillion } from './cost.ts'
import { Chooser } from './decide/chooser.ts'
import type { Choosing } from './decide/chooser.ts'
import type { Decision } from './decide/decision.ts'
import { putOff, replayed } from './decisions/replayed.ts'
import type { ReplayedTarget } from './decisions/replayed.ts'
import type { Deps } from './deps.ts'
import { Failure } from './errors.ts'
import { describeExperiment } from './experiment/describe.ts'
import type { ExplainedTarget } from './explain.ts'
import { seeded } from './learning/random.ts'
import type { Question } from './question.ts'
import { Signals } from './signals/signals.ts'
import { strategy } from './strategies/index.ts'
import type { Rule } from './target.ts'

/** What a sidecar has learnt, as far as choices depend on it. */
export type Learnt = Pick<Deps, 'memories' | 'feedback' | 'guards'>

/** What would be decided about a request: the very decision, where something is weighed or looked at. */
export interface ExplainedChoice {
  readonly decision: Decision
  /** Why nobody can be asked, where that is so. */
  readonly failure: Failure | undefined
  /** Where the rule has an experiment: one sentence. */
  readonly experiment: string | undefined
  readonly targets: readonly ExplainedTarget[]
}

/**
 * Decides about a request that nobody has sent, by the function that decides about those that are; undefined where the rule looks at nothing
 * but weights. Nothing is counted of it. What a sidecar's caches hold of a conversation is not known.
 */
export function explainChoice(
  rule: Rule,
  question: Question,
  { now, wall }: { readonly now: number; readonly wall: number },
  learnt: Learnt,
): ExplainedChoice | undefined {
  const deps = {
    ...learnt,
    now: () => now,
    wall: () => wall,
    random: seeded(1),
    telemetry: { ...SILENT, decisions: true },
  }
  const chooser = new Chooser(rule, deps)
  if (!chooser.looks) return undefined
  const asked: Choosing = {
    model: question.model,
    path: question.path,
    wall,
    body: question.body,
    signals: question.signals ?? new Signals(question),
    facts: { requestId: '', sticky: false, decision: undefined },
    traits: undefined,
    header: (name) => question.header(name),
  }
  const { type, settings } = rule.strategy
  const form = strategy(type).memory?.(settings)
  const memory = form && learnt.memories?.find({ route: rule.route, rule: rule.name, form })
  const { guards } = learnt
  const ask = () => {
    try {
      const { decision, assigned } = chooser.choose(asked)
      return { decision, assigned, failure: undefined }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return { decision: asked.facts.decision, assigned: undefined, failure: error }
    }
  }
  const choose = () => (guards ? guards.hold(ask) : ask())
  const { decision, assigned, failure } = memory ? memory.purse.hold(choose) : choose()
  if (!decision) return undefined
  const { targets } = replayed(decision)
  return {
    decision,
    failure,
    experiment: rule.experiment && describeExperiment(rule.experiment, assigned?.arm.name),
    targets: targets.map((target) => explained(target, decision, rule, { model: question.model, now, wall })),
  }
}

function explained(
  considered: ReplayedTarget,
  decision: Decision,
  rule: Rule,
  { model, now, wall }: { readonly model: string; readonly now: number; readonly wall: number },
): ExplainedTarget {
  const { target: id, weight, priority, place, propensity, quality, cost, latency, score } = considered
  const target = rule.targets.find((it) => it.id === id)
  const price = target?.model.pricing(target.model.name === '*' ? model : target.model.name, wall)
  return {
    target: id,
    weight,
    priority,
    share: propensity ?? (place === 1 ? 1 : 0),
    state: target ? (obstacle(target, now) ?? 'available') : 'unresolved',
    ...(price ? { price: perMillion(price) } : {}),
    ...(quality === undefined ? {} : { quality }),
    ...(cost === undefined ? {} : { cost: cost / 1e12 }),
    ...(latency === undefined ? {} : { latency }),
    ...(score === undefined ? {} : { score }),
    why: why(considered, decision),
  }
}

function why(target: ReplayedTarget, { reason, pinned }: Decision): string {
  const { out, place, score, propensity } = target
  if (out && !putOff(target)) return `It ${out.detail}: it is not asked.`
  if (out) return `It ${out.detail}: it is asked ${place === 1 ? 'since nobody else is left' : 'after the others'}.`
  if (target.target === pinned)
    return reason === 'experiment' ? 'It is of the arm that the unit belongs to.' : 'An adjustment puts it first.'
  if (propensity !== undefined)
    return `It is asked first in ${Number((100 * propensity).toFixed(1))} % of such requests.`
  const worth = score === undefined ? '' : ` Its score is ${Number(score.toFixed(4))}.`
  if (place === 1) return `It is asked first (${reason}).${worth}`
  return `It is number ${place ?? 0} to be asked.${worth}`
}

const SILENT = {
  attemptStarted: () => undefined,
  attemptEnded() {},
  exchangeStarted() {},
  exchangeEnded() {},
}
