import { auditLine } from '../core/audit/record.ts'
import type { AuditRecord } from '../core/audit/record.ts'
import { mirrorLine } from '../core/mirror/record.ts'
import type { MirrorRecord } from '../core/mirror/record.ts'
import type { Telemetry } from '../core/deps.ts'
import type { AttemptFacts, Exchange, Facts } from '../core/exchange.ts'
import type { Journal } from './decisions/journal.ts'
import type { Outcome } from '../core/feedback/desk.ts'
import { feedbackLine } from '../core/feedback/line.ts'
import { Exposition } from './exposition.ts'
import type { Gauges } from './gauges.ts'
import type { Log } from './log.ts'
import { Metrics } from './metrics.ts'
import { requestLine } from './request-log.ts'
import { Traces } from './traces.ts'

interface Options {
  readonly log: Log
  /** In [0, 1). */
  readonly random: () => number
  /** How things stand, for whoever reads the metrics. */
  readonly gauges: () => Gauges
  readonly journal: Journal
}

/** What becomes of the facts of a request: counts, spans and one log line. Names are those of `names.ts`. */
export class SidecarTelemetry implements Telemetry {
  readonly metrics = new Metrics()
  readonly traces: Traces
  readonly decisions: boolean
  private readonly exposition: Exposition
  private readonly log: Log
  private readonly journal: Journal

  constructor({ log, random, gauges, journal }: Options) {
    this.log = log
    this.journal = journal
    this.decisions = journal.records
    this.traces = new Traces(random, (endpoint) => gauges().endpoints.get(endpoint)?.provider.genAi)
    this.exposition = new Exposition(this.metrics, gauges)
  }

  keeps(): boolean {
    return this.journal.keeps(performance.now())
  }

  attemptStarted(facts: Facts, attempt: AttemptFacts): string | undefined {
    return this.traces.attemptStarted(facts, attempt)
  }

  attemptEnded(facts: Facts, attempt: AttemptFacts): void {
    this.metrics.attemptEnded(facts, attempt)
    this.traces.attemptEnded(facts, attempt)
  }

  exchangeStarted(facts: Facts): void {
    this.traces.exchangeStarted(facts)
  }

  exchangeEnded(facts: Facts, exchange: Exchange): void {
    this.metrics.exchangeEnded(facts)
    this.traces.exchangeEnded(facts)
    const trace = this.traces.traceId(facts)
    this.journal.ended(exchange, trace)
    // What the caller brought about by leaving is nobody's failure.
    const level = facts.code === undefined || facts.aborted ? 'info' : 'warn'
    if (this.log.takes(level)) this.log.line(requestLine(facts, level, trace))
  }

  audited(record: AuditRecord): void {
    this.metrics.audited(record)
    if (record.outcome === 'busy' || record.outcome === 'unaffordable') return
    this.journal.say(auditLine(record, Date.now()))
    const { verdict, route, rule, segment, own, other, version } = record
    if (!verdict?.alarm) return
    const { from, evidence } = verdict.alarm
    const to = Number.isFinite(verdict.threshold) ? verdict.threshold : null
    const fields = { route, rule, segment, weak: own, strong: other, artefact: version, evidence, from, to }
    this.log.warn('Audits have shown that cheap answers lose more than was promised.', fields)
  }

  mirrored(record: MirrorRecord): void {
    this.metrics.mirrored(record)
    const { facts, pair } = record
    if (pair) this.journal.say(mirrorLine(record, Date.now()))
    if (!facts) return
    const level = facts.code === undefined ? 'info' : 'warn'
    if (this.log.takes(level)) this.log.line(requestLine(facts, level, this.traces.traceId(facts), 'mirror'))
  }

  fedBack(outcome: Outcome): void {
    this.metrics.fedBack(outcome)
    this.journal.say(feedbackLine(outcome, Date.now()))
  }

  /** The text that Prometheus reads. */
  exposed(): Promise<string> {
    return this.exposition.text()
  }
}
