import type { AuditDesk } from './audit/desk.ts'
import type { AuditRecord } from './audit/record.ts'
import type { Memories } from './bandits/memory.ts'
import type { Bytes } from './bytes.ts'
import type { Recorder } from './evidence/recorder.ts'
import type { AttemptFacts, Exchange, Facts } from './exchange.ts'
import type { FeedbackDesk, Outcome } from './feedback/desk.ts'
import type { Guards } from './learning/guards.ts'
import type { MirrorDesk } from './mirror/desk.ts'
import type { MirrorRecord } from './mirror/record.ts'
import type { SchemaCompiler } from './gate/checks/check.ts'

/** Something with a time by which it must be over. The list of live ones is scanned, so that setting a deadline costs a store and no timer. */
export interface Due {
  /** Of `Deps.now()`, ms; may be moved at will. */
  due: number
  /** Of the list alone: its place there. */
  slot?: number
  /** Called once `due` has passed, at each scan until it is moved or removed. */
  expire(now: number): void
}

export interface Deadlines {
  add(item: Due): void
  remove(item: Due): void
}

/** What the layers tell of; `sidecar/telemetry.ts` makes metrics, spans and log lines of it. */
export interface Telemetry {
  /** Whether each decision is to be written down with all that it followed from. */
  readonly decisions?: boolean
  /** Whether a decision that was looked into is kept now, to be explained; undefined: it is. */
  readonly keeps?: () => boolean
  /** Before an attempt goes out. Returns the `traceparent` for it, or undefined to send none. */
  attemptStarted(facts: Facts, attempt: AttemptFacts): string | undefined
  attemptEnded(facts: Facts, attempt: AttemptFacts): void
  exchangeStarted(facts: Facts): void
  exchangeEnded(facts: Facts, exchange: Exchange): void
  /** A request was answered by both models. */
  audited?(record: AuditRecord): void
  /** A request was drawn to be sent to a candidate as well. */
  mirrored?(record: MirrorRecord): void
  /** Somebody has said what they think of an answer. */
  fedBack?(outcome: Outcome): void
}

/** One HTTP call, as the engine takes it. */
export interface Call {
  readonly method: string
  readonly path: string
  /** Flat list of names and values, without framing headers. */
  readonly headers: string[]
  readonly body: Bytes
}

/** Hears what becomes of a call. After `failed` or `ended` nothing follows. */
export interface Receiver {
  /** The call is on its way on an open connection. */
  sent(): void
  /** Status and headers (flat list of names and values). */
  head(status: number, headers: readonly string[]): void
  /** False: hold back until `Running.resume`. */
  data(chunk: Buffer): boolean
  ended(): void
  /**
   * `stage` says how far it came: no connection, or no answer yet, or in the middle of it. `forbidden`: the address is not to be called;
   * `malformed`: what came is not HTTP.
   */
  failed(stage: 'forbidden' | 'connect' | 'reset' | 'cut' | 'malformed', error: Error): void
}

/** A call that is under way. */
export interface Running {
  resume(): void
  /** Ends the call at once, at any stage; the receiver hears nothing more. */
  abort(): void
}

/** Time, chance and everything outside, as the layers see it. */
export interface Deps {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since the epoch. */
  readonly wall: () => number
  /** In [0, 1). */
  readonly random: () => number
  /** Resolves after so many ms, or at once when the exchange is over. */
  readonly sleep: (ms: number, exchange: Exchange) => Promise<void>
  readonly deadlines: Deadlines
  readonly telemetry: Telemetry
  /** What strategies that learn have learnt; undefined: each begins anew with its configuration. */
  readonly memories?: Memories
  /** Takes feedback; undefined: none is taken. */
  readonly feedback?: FeedbackDesk
  /** What was found of artefacts in service; undefined: each begins anew with its configuration. */
  readonly guards?: Guards
  /** Undefined: nothing is audited. */
  readonly audits?: AuditDesk
  /** Undefined: nothing is mirrored. */
  readonly mirrors?: MirrorDesk
  /** Counts what becomes of exchanges; undefined: nobody does. */
  readonly evidence?: Recorder
  /** Undefined: schemas of callers are not checked. */
  readonly schemas?: SchemaCompiler
}
