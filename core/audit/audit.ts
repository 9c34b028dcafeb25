import { detached } from '../aside/aside.ts'
import { obstacle } from '../availability.ts'
import type { Deps } from '../deps.ts'
import type { AttemptFacts, Exchange } from '../exchange.ts'
import { agreement } from '../gate/agreement.ts'
import { drain } from '../gate/drain.ts'
import { markRequest, readMark } from '../gate/mark.ts'
import { Ear } from '../gate/said.ts'
import type { Handler } from '../pipeline.ts'
import type { Comparison } from '../strategies/strategy.ts'
import type { Rule, Target } from '../target.ts'
import { priced } from './desk.ts'
import type { AuditDesk, Purse } from './desk.ts'
import type { AuditRecord, ComparedBy } from './record.ts'
import type { AuditSettings } from './settings.ts'

interface Options {
  readonly rule: Rule
  readonly settings: AuditSettings
  readonly deps: Deps
  readonly desk: AuditDesk
  readonly purse: Purse
  readonly next: Handler
}

type Said = Pick<AuditRecord, 'outcome' | 'by' | 'quality'>

/**
 * One audit: the request again, to the other model, once the caller has its answer; then both answers beside one another. It has an exchange and
 * facts of its own, so that neither the caller's record nor its end knows of it; its calls count as `audit`.
 */
export class Audit {
  private readonly options: Options
  private readonly exchange: Exchange
  private readonly comparison: Comparison<Target>
  private readonly attempts: AttemptFacts[] = []

  constructor(options: Options, exchange: Exchange, comparison: Comparison<Target>) {
    this.options = options
    this.exchange = exchange
    this.comparison = comparison
  }

  /** Never rejects: what came of it goes to telemetry. */
  async run(): Promise<void> {
    let said: Said
    try {
      said = await this.compare()
    } catch {
      // How its calls ended is in `attempts`.
      said = { outcome: 'failed', by: undefined, quality: undefined }
    }
    this.options.purse.balance -= priced(this.attempts)
    const { quality } = said
    this.tell(said, quality && this.comparison.heard(quality.own, quality.other))
  }

  /** It was drawn, and does not begin. */
  skip(outcome: 'busy' | 'unaffordable'): void {
    this.tell({ outcome, by: undefined, quality: undefined }, undefined)
  }

  private tell(said: Said, verdict: AuditRecord['verdict']): void {
    const { options, exchange, comparison, attempts } = this
    const { kind, version, segment, score, own, other } = comparison
    const { route, name: rule } = options.rule
    const { requestId: id } = exchange.facts
    options.deps.telemetry.audited?.({
      ...{ id, route, rule, version, kind, segment, score, own: own.id, other: other.id },
      ...{ ...said, verdict, attempts },
    })
  }

  private async compare(): Promise<Said> {
    const { exchange, comparison, options } = this
    const { judge } = options.settings
    const { other } = comparison
    // The gate found the cheap answer wanting: what the caller has is the strong one already.
    if (exchange.target === other) return { outcome: 'compared', by: 'Escalation', quality: { own: 1, other: 1 } }
    const mine = textOf(exchange)
    if (mine === undefined) return incomparable()
    const theirs = await this.ask(other, this.detached(exchange.fork()))
    if (theirs === undefined) return { outcome: 'failed', by: undefined, quality: undefined }
    return judge ? this.marked(judge, mine, theirs) : agreed(mine, theirs)
  }

  /** Each answer gets a mark by itself, so that no order favours one. */
  private async marked(judge: NonNullable<AuditSettings['judge']>, mine: string, theirs: string): Promise<Said> {
    const { exchange } = this
    const { chat } = exchange.surface
    if (!chat) return incomparable()
    const request = exchange.read(chat)
    const mark = async (text: string) => {
      const asking = this.detached(markRequest(exchange, request, text, judge.prompt))
      return readMark((await this.ask(judge.by, asking)) ?? '')
    }
    const [own, other] = [await mark(mine), await mark(theirs)]
    if (own === undefined || other === undefined) return incomparable('Judge')
    return { outcome: 'compared', by: 'Judge', quality: { own: own / 10, other: other / 10 } }
  }

  private detached(fork: Exchange): Exchange {
    const { deps, rule } = this.options
    return detached(fork, this.attempts, deps.now() + rule.requestTimeout)
  }

  /** What a target says to it; undefined where it cannot be asked, or said nothing that is one whole answer in words. */
  private async ask(target: Target, fork: Exchange): Promise<string | undefined> {
    const { deps, desk, next } = this.options
    if (obstacle(target, deps.now()) !== undefined) return undefined
    fork.candidates = [target]
    fork.opening = 'audit'
    fork.panic = false
    fork.ear = new Ear(false)
    return desk.during(fork, deps.deadlines, async () => ((await drain(await next(fork))) ? textOf(fork) : undefined))
  }
}

const incomparable = (by?: ComparedBy): Said => ({ outcome: 'incomparable', by, quality: undefined })

/** Whether both come to the same short answer; one that does not counts as lost, since nobody says which is right. */
function agreed(mine: string, theirs: string): Said {
  const share = agreement(theirs, [mine])
  if (share === undefined) return incomparable('Agreement')
  return { outcome: 'compared', by: 'Agreement', quality: { own: share, other: 1 } }
}

/** What was said, where it was one whole answer in words. */
function textOf({ ear }: Exchange): string | undefined {
  if (!ear?.whole || ear.lost || ear.said.length !== 1) return undefined
  return ear.said[0]?.text || undefined
}
