import { decisionLine } from '../../core/decisions/line.ts'
import { recordOf } from '../../core/decisions/record.ts'
import type { DecisionRecord } from '../../core/decisions/record.ts'
import type { Exchange } from '../../core/exchange.ts'
import { Log } from '../log.ts'
import { RotatedFile } from './file.ts'
import type { FileSettings } from './file.ts'
import { OtlpLogs } from './otlp.ts'
import { Outbox } from './outbox.ts'

/** Where lines of decisions can go. `memory`: nowhere, but all are kept for a while, to be explained. */
export const DESTINATIONS = ['memory', 'stdout', 'file', 'otlp'] as const
export type Destination = (typeof DESTINATIONS)[number]

export interface JournalSettings {
  /** None: only decisions that had to be weighed are kept in memory, and none is written. */
  readonly to: readonly Destination[]
  /** For `file`. */
  readonly file: FileSettings | undefined
}

interface Options {
  readonly settings: JournalSettings
  /** The sidecar's own. */
  readonly log: Log
  /** In [0, 1). */
  readonly random: () => number
}

/** So many decisions are kept to be explained. */
const KEPT = 256
/**
 * Unless all are to be kept, no more than one in so many ms is: what outlives its request costs the collector more than the decision took,
 * and a busy sidecar would have forgotten it at once.
 */
const APART = 10

/** The decision log: takes the record of every exchange with a rule, keeps the latest, and sends lines to where they are to go. */
export class Journal {
  /** Whether each decision is to be recorded with all that it followed from. */
  readonly records: boolean
  private readonly keepsAll: boolean
  private readonly random: () => number
  private readonly kept: (DecisionRecord | undefined)[] = []
  private next = 0
  private restUntil = 0
  private readonly outboxes = new Map<string, Outbox>()
  private readonly lines: ((line: string) => void)[] = []
  private readonly ends: (() => Promise<void>)[] = []
  private readonly log: Log

  constructor({ settings, log, random }: Options) {
    this.records = settings.to.length > 0
    this.keepsAll = settings.to.includes('memory')
    this.random = random
    this.log = log
    if (settings.to.includes('stdout')) this.toStdout(log)
    if (settings.to.includes('file') && settings.file) {
      const file = new RotatedFile(settings.file)
      this.through(
        'file',
        (lines) => file.write(lines),
        () => file.close(),
      )
    }
    if (settings.to.includes('otlp')) {
      const logs = new OtlpLogs()
      this.through(
        'otlp',
        (lines) => logs.write(lines),
        () => logs.close(),
      )
    }
  }

  /** Whether a decision that ends at such a time is kept, of `performance.now()`. */
  keeps(now: number): boolean {
    return this.records || now >= this.restUntil
  }

  /** An exchange has ended. */
  ended(exchange: Exchange, trace: string | undefined): void {
    const { rule, facts } = exchange
    if (!rule || (!this.records && !facts.decision)) return
    const keep = this.keepsAll || facts.ended >= this.restUntil
    const write = this.lines.length > 0 && this.picks(exchange)
    if (!keep && !write) return
    const record = recordOf(exchange, trace, this.records)
    if (keep) this.keep(record)
    if (write) this.say(decisionLine(record))
  }

  private keep(record: DecisionRecord): void {
    this.restUntil = record.facts.ended + APART
    this.kept[this.next] = record
    this.next = (this.next + 1) % KEPT
  }

  /** Writes a line, one JSON object without a line break. */
  say(line: string): void {
    for (const write of this.lines) write(line)
  }

  /** The line of one of the latest decisions by its request's id. */
  find(id: string): string | undefined {
    const found = this.recent().find(({ facts }) => facts.requestId === id)
    return found && decisionLine(found)
  }

  /** The latest decisions, the youngest first. */
  recent(): readonly DecisionRecord[] {
    const all = [...this.kept.slice(this.next), ...this.kept.slice(0, this.next)]
    return all.filter((it) => it !== undefined).toReversed()
  }

  /** Lines that were dropped, by where they were to go; those of standard output are counted with its other lines. */
  get dropped(): ReadonlyMap<string, number> {
    return new Map([...this.outboxes].map(([name, { dropped }]) => [name, dropped]))
  }

  /** Writes what is held, and lets go. */
  async stop(): Promise<void> {
    await Promise.all(this.ends.map((end) => end()))
  }

  /** Whether a line is written, as its route has it. What is to be written with content was picked before it was asked. */
  private picks({ rule, sampled }: Exchange): boolean {
    const { percent = 100, content } = rule?.log ?? {}
    if (sampled || percent >= 100) return true
    const before = ((content?.percent ?? 0) * percent) / 10_000
    return this.random() < (percent / 100 - before) / (1 - before)
  }

  private toStdout(log: Log): void {
    const own = log.fd === 1 ? undefined : new Log('info', 1)
    this.lines.push((line) => (own ?? log).line(line))
    if (own) this.ends.push(() => Promise.resolve(own.end()))
  }

  private through(name: Destination, write: (lines: readonly string[]) => Promise<void>, close: () => Promise<void>) {
    let told = 0
    const outbox = new Outbox(write, (error) => {
      // Once a minute is enough: it is the same each time.
      if (Date.now() - told < 60_000) return
      told = Date.now()
      this.log.warn('Decisions could not be written.', { to: name, error: String(error) })
    })
    this.outboxes.set(name, outbox)
    this.lines.push((line) => outbox.add(line))
    this.ends.push(async () => {
      await outbox.end()
      await close()
    })
  }
}
