import type { SafeThreshold } from './certificate.ts'
import { EProcess } from './e-process.ts'
import type { EState } from './e-process.ts'

export interface AuditOptions {
  /** What may be lost in the mean over all requests of the segment, in quality: the certificate's. */
  readonly epsilon: number
  /** The thresholds that were certified, the most cautious first: the certificate's. */
  readonly safe: readonly SafeThreshold[]
  /** The chance that a threshold that keeps its promise is ever alarmed about, in (0, 1). */
  readonly alpha: number
  /** How far one lost answer moves the threshold, in score; 0 for not at all. */
  readonly step: number
}

export const AUDIT_DEFAULTS = { alpha: 0.05, step: 0.001 } as const satisfies Partial<AuditOptions>

/** What stands after an audited request. */
export interface Verdict {
  /** Scores from here on stay cheap; Infinity where nothing does. */
  readonly threshold: number
  /** Evidence that the promise is broken: 1 says nothing, 1 ÷ alpha alarms. */
  readonly evidence: number
  /** It has just alarmed: the threshold it stepped back from, with the evidence. */
  readonly alarm?: { readonly from: number; readonly evidence: number }
}

/** An alarm: from which threshold to which it stepped back, on what evidence, of how many audits. */
export interface Alarm {
  readonly from: number
  /** Absent: nothing stays cheap any more. */
  readonly to?: number
  readonly evidence: number
  readonly audits: number
}

/** What an audit has come to: all that it needs to go on. */
export interface AuditState {
  readonly audits: number
  readonly caution: number
  /** By the thresholds that are still in use, the most cautious first. */
  readonly tests: readonly { readonly threshold: number; readonly process: EState }[]
  /** The last alarm, where there was one. */
  readonly alarm?: Alarm
}

/**
 * Keeps watching a certified threshold in service. It is told of requests that stayed cheap and were answered by the strong endpoint too, by chance.
 *
 * At each certified threshold up to the one in use an e-process tests that what it keeps cheap loses no more than was promised. When that of the one in
 * use alarms, it steps back to the greediest one that the same audits speak against in no way (evidence ≤ 1), or to the strong endpoint; only a new
 * certificate leads forward again. Slow drift is met before: the threshold moves by step × (loss - limit) with each audit, never below what is certified
 * (adaptive conformal inference, Gibbs and Candès 2021, held to the safe side), nor above the most cautious threshold, where nothing might be left to audit.
 */
export class Audit {
  private readonly options: AuditOptions
  private tests: readonly { readonly safe: SafeThreshold; readonly limit: number; readonly process: EProcess }[] = []
  private caution = 0
  /** Audited requests so far. */
  audits = 0
  /** The last one, where there was one. */
  alarm: Alarm | undefined

  constructor(options: AuditOptions) {
    this.options = options
    this.watch(options.safe)
  }

  get verdict(): Verdict {
    const last = this.tests.at(-1)
    if (!last) return { threshold: Infinity, evidence: 0 }
    return { threshold: last.safe.threshold + this.caution, evidence: last.process.evidence }
  }

  /** Takes an audited request: its score, and the strong answer's quality less that of the cheap one, in [-1, 1]. */
  update(score: number, loss: number): Verdict {
    const last = this.tests.at(-1)
    if (!last) return this.verdict
    this.audits++
    for (const { safe, process } of this.tests) if (score >= safe.threshold) process.observe(loss)
    const moved = this.caution + this.options.step * (loss - last.limit)
    this.caution = Math.min(this.widest, Math.max(0, moved))
    const { threshold: from, evidence } = this.verdict
    if (evidence < 1 / this.options.alpha) return this.verdict
    const held = this.tests.findLastIndex(({ process }) => process.evidence <= 1)
    this.watch(this.tests.slice(0, held + 1).map(({ safe }) => safe))
    const { threshold } = this.verdict
    this.alarm = { from, ...(Number.isFinite(threshold) ? { to: threshold } : {}), evidence, audits: this.audits }
    return { ...this.verdict, alarm: { from, evidence } }
  }

  /** How it stands, as JSON, to go on from with `restore`. */
  get state(): AuditState {
    const { audits, caution, alarm } = this
    const tests = this.tests.map(({ safe: { threshold }, process }) => ({ threshold, process: process.state }))
    return { audits, caution, tests, ...(alarm ? { alarm } : {}) }
  }

  /** Goes on from where another one of the same certificate stood. */
  restore({ audits, caution, tests, alarm }: AuditState): void {
    const before = new Map(tests.map(({ threshold, process }) => [threshold, process]))
    this.watch(this.options.safe.filter(({ threshold }) => before.has(threshold)))
    for (const { safe, process } of this.tests) {
      const known = before.get(safe.threshold)
      if (known) process.restore(known)
    }
    this.audits = audits
    this.caution = caution
    this.alarm = alarm
  }

  /** How far the threshold may be from the one in use: up to the most cautious. */
  private get widest(): number {
    const [first, last] = [this.tests[0], this.tests.at(-1)]
    return first && last ? first.safe.threshold - last.safe.threshold : 0
  }

  private watch(safe: readonly SafeThreshold[]): void {
    this.caution = 0
    this.tests = safe.map((it) => {
      // Of those kept cheap each may lose what all may lose together, over their share.
      const limit = Math.min(1, this.options.epsilon / it.share)
      return { safe: it, limit, process: new EProcess(limit) }
    })
  }
}
