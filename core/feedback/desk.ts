import type { Memories } from '../bandits/memory.ts'
import { redacted } from '../decisions/redact.ts'
import type { Recorder } from '../evidence/recorder.ts'
import type { Exchange } from '../exchange.ts'
import type { Signals } from '../signals/signals.ts'
import type { Rule } from '../target.ts'
import { corrects, repeats } from './implicit.ts'
import type { Implicit } from './implicit.ts'
import { Recent } from '../recent.ts'
import type { Feedback } from './said.ts'
import { Traits } from './traits.ts'
import type { KeptTraits, Kinship } from './traits.ts'
import { Upgrades } from './upgrades.ts'
import type { UpgradeSettings } from './upgrades.ts'

/** What a rule makes of feedback. */
export interface FeedbackSettings {
  readonly upgrade: UpgradeSettings
  readonly implicit: ReadonlySet<Implicit>
}

/** A decision that feedback may still come to. */
interface Answered {
  readonly rule: Rule
  /** Of the model that answered. */
  readonly rank: number
  readonly target: string
  /** Undefined where the rule makes nothing of feedback. */
  readonly traits: KeptTraits | undefined
  /** ms; until then. */
  readonly until: number
}

/** What a request is told from others by. */
export interface FeedbackSource {
  readonly signals: Signals
  traits: Traits | undefined
  header(name: string): string | undefined
}

/** What was made of a feedback. */
export interface Outcome {
  readonly feedback: Feedback | undefined
  readonly implicit: Implicit | undefined
  readonly id: string
  /** Undefined: the decision is not known here. */
  readonly known: { readonly route: string; readonly rule: string; readonly target: string } | undefined
  /** Requests like it go to a stronger model for now. */
  readonly upgraded: boolean
  /** A strategy learns from it. */
  readonly learnt: boolean
  /** It counts for the quality of an arm. */
  readonly counted: boolean
  /** The correction, where the route has content written down: redacted. */
  readonly correction: string | undefined
}

/** At least so many decisions, for so long (ms), are known by their id. */
const LEAST = 2048
const WITHIN = 24 * 3_600_000
/** What an implicit signal counts beside a rating. */
const HINT = 0.5

/** Takes feedback to the decisions that it is about: similar requests are upgraded, strategies that learn are rewarded, and it is told. */
export class FeedbackDesk {
  private readonly answered = new Recent<Answered>(LEAST)
  /** The last answer of each conversation, by rule and conversation: its request's id. */
  private readonly last = new Recent<string>(LEAST)
  private readonly upgrades = new Map<string, Upgrades>()
  private readonly memories: Memories | undefined
  private readonly evidence: Recorder | undefined
  private readonly tell: (outcome: Outcome) => void

  /** `tell` hears of every feedback, explicit and implicit. */
  constructor(memories: Memories | undefined, tell: (outcome: Outcome) => void, evidence?: Recorder) {
    this.memories = memories
    this.evidence = evidence
    this.tell = tell
  }

  /** What is known of the answers of a rule; it outlives the configuration that names it. */
  of({ route, name }: Rule): Upgrades {
    const key = `${route} ${name}`
    let known = this.upgrades.get(key)
    if (!known) this.upgrades.set(key, (known = new Upgrades()))
    return known
  }

  /** An exchange was answered well: feedback may come to it from now on. */
  note(exchange: Exchange, rule: Rule, now: number): void {
    const { target, facts } = exchange
    if (!target) return
    const traits = rule.feedback && traitsOf(exchange, rule).kept(kinships(rule.feedback))
    this.answered.set(facts.requestId, { rule, rank: target.rank, target: target.id, traits, until: now + WITHIN })
    if (traits && rule.feedback && rule.feedback.implicit.size > 0) {
      const key = `${rule.route} ${rule.name} ${traits.conversation}`
      this.last.set(key, facts.requestId)
    }
  }

  /** Looks for what a request says, unasked, of the answer before it; before the request is decided, so that it counts for it. */
  overhear(exchange: Exchange, rule: Rule, now: number): void {
    const { feedback } = rule
    if (!feedback || feedback.implicit.size === 0 || !exchange.signals.readable) return
    // SDKs ask again after a failure of ours: that says nothing of the answer.
    if (Number(exchange.header('x-stainless-retry-count') ?? 0) > 0) return
    const traits = traitsOf(exchange, rule)
    const id = this.last.get(`${rule.route} ${rule.name} ${traits.key('Conversation')}`)
    const before = id === undefined ? undefined : this.find(id, now)
    if (id === undefined || !before?.traits) return
    const implicit = this.hint(exchange, rule, feedback, before.traits)
    if (!implicit) return
    const upgraded = this.of(rule).rate(before.traits, before.rank, 0, HINT, feedback.upgrade, now)
    // It has been said of that answer now, and is not said again of the same.
    this.last.delete(`${rule.route} ${rule.name} ${traits.key('Conversation')}`)
    this.tell({
      feedback: undefined,
      implicit,
      id,
      known: named(before),
      upgraded,
      learnt: false,
      counted: false,
      correction: undefined,
    })
  }

  /** Takes a feedback. `now` in ms of the same clock as decisions. */
  take(feedback: Feedback, now: number): Outcome {
    const { id, reward, correction } = feedback
    const found = this.find(id, now)
    const settings = found?.rule.feedback
    const upgraded =
      found?.traits && settings && reward !== undefined
        ? this.of(found.rule).rate(found.traits, found.rank, reward, 1, settings.upgrade, now)
        : false
    const learnt = reward === undefined ? false : (this.memories?.reward(id, reward, now) ?? false)
    const counted = reward === undefined ? false : (this.evidence?.rate(id, reward) ?? false)
    const content = found?.rule.log?.content
    const outcome: Outcome = {
      feedback,
      implicit: undefined,
      id,
      known: found && named(found),
      upgraded,
      learnt,
      counted,
      correction: content && correction !== undefined ? redacted(correction, content.redact) : undefined,
    }
    this.tell(outcome)
    return outcome
  }

  /** The least rank that a request is to be answered by, for what was said of others like it; undefined: any. */
  minRank(exchange: FeedbackSource, rule: Rule, now: number): number | undefined {
    const { feedback } = rule
    if (!feedback) return undefined
    const upgrades = this.of(rule)
    return upgrades.active ? upgrades.minRank(traitsOf(exchange, rule), feedback.upgrade, now) : undefined
  }

  private hint(
    exchange: Exchange,
    rule: Rule,
    { implicit, upgrade }: FeedbackSettings,
    before: KeptTraits,
  ): Implicit | undefined {
    const { signals } = exchange
    if (implicit.has('Correction') && corrects(signals)) return 'Correction'
    if (!implicit.has('Repeat')) return undefined
    // Where a key says whose conversation it is, it need not be sent along to be known as such.
    const keyed = rule.sticky !== undefined && exchange.header(rule.sticky) !== undefined
    const again = keyed && traitsOf(exchange, rule).key('Text') === before.text
    return again || repeats(signals, upgrade.nearness) ? 'Repeat' : undefined
  }

  private find(id: string, now: number): Answered | undefined {
    const found = this.answered.get(id)
    return found && found.until > now ? found : undefined
  }
}

/** What a request has in common with others, worked out once. */
function traitsOf(exchange: FeedbackSource, { sticky }: Rule): Traits {
  exchange.traits ??= new Traits(exchange.signals, sticky === undefined ? undefined : exchange.header(sticky))
  return exchange.traits
}

const kinships = ({ upgrade }: FeedbackSettings): ReadonlySet<Kinship> => upgrade.similar
const named = ({ rule, target }: Answered) => ({ route: rule.route, rule: rule.name, target })
