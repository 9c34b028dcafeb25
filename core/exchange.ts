import type { Bytes } from './bytes.ts'
import type { ErrorCode } from './errors.ts'
import type { RequestFields } from './json-fields.ts'
import type { Asked } from './match/match.ts'
import type { Asked as Asking } from './dialects/dialect.ts'
import type { Decision } from './decide/decision.ts'
import type { Due } from './deps.ts'
import type { Fault, FaultType } from './faults/fault.ts'
import type { Json } from './dialects/dialect.ts'
import type { Traits } from './feedback/traits.ts'
import { Ear } from './gate/said.ts'
import type { Assignment } from './experiment/assignment.ts'
import type { GateFacts } from './gate/facts.ts'
import { readJson } from './read-body.ts'
import type { Resume } from './rescue/resume.ts'
import type { Transcript } from './rescue/transcript.ts'
import { Signals } from './signals/signals.ts'
import type { SignalSource } from './signals/signals.ts'
import type { Comparison, Reason } from './strategies/strategy.ts'
import type { Found, Operation, Surface } from './surfaces/surface.ts'
import type { Address, Rule, Target } from './target.ts'
import type { Usage } from './usage.ts'

/**
 * Why this target was asked: picked by the strategy, the same one again, the next one, or the least bad with all of them out; to go on with
 * an answer that stopped; because another one was slow, or might have been; because another one's answer was wanting, or to tell whether
 * it is: by an answer of its own, or by a mark; or to see how a candidate would fare.
 */
export type Why =
  | 'chosen'
  | 'retry'
  | 'fallback'
  | 'panic'
  | 'rescue'
  | 'hedge'
  | 'speculation'
  | 'escalation'
  | 'agreement'
  | 'judge'
  | 'audit'
  | 'mirror'

/** What became of an answer that stopped after its first byte: another target went on with it, or gave the same again; or none could. */
export type Rescued = 'continued' | 'replayed' | 'failed'

/** One call of one target. Times are of `deps.now()`, ms; 0 where it did not come to that. */
export interface AttemptFacts {
  readonly route: string
  readonly rule: string
  /** `namespace/name`. */
  readonly endpoint: string
  /** The endpoint's model (as configured; `*` passes through). */
  readonly model: string
  /** `host:port` that was called; empty where none was. */
  address: string
  readonly why: Why
  readonly started: number
  /** Bytes of the answer began to come. */
  firstByte: number
  ended: number
  /** The target's HTTP status. */
  status: number
  code: ErrorCode | undefined
  usage: Usage | undefined
  /** Picodollars; undefined where nothing was used, or something that has no price. */
  cost: number | undefined
  /** What was done to it on purpose; undefined: nothing. */
  injected?: readonly FaultType[] | undefined
  /** Of telemetry alone: its span, where the exchange is sampled. */
  span: unknown
}

/** One wide record per exchange: layers write it, only telemetry knows what becomes of it. Times are of `deps.now()`, ms. */
export interface Facts {
  /** `x-request-id`: the caller's, or a new one. */
  readonly requestId: string
  /** Its name. */
  readonly surface: string
  readonly operation: Operation
  readonly method: string
  readonly path: string
  readonly started: number
  /** Milliseconds since the epoch, of the start. */
  readonly wall: number
  ended: number
  /** The first byte of the answer's body went to the caller; 0 where none did. */
  firstByte: number
  /** W3C trace context of the caller. */
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
  readonly userAgent: string | undefined
  /** What the caller put in `model`; empty where the request names none. */
  requestedModel: string
  stream: boolean
  /** `namespace/name`; empty until a route was found. */
  route: string
  rule: string
  /** Of the target that gave the answer, or was asked last. */
  endpoint: string
  /** The model name that went to the provider. */
  model: string
  /** Whether the request carried its rule's sticky key. */
  sticky: boolean
  /** Why the first target was chosen; empty where none was. */
  reason: Reason | ''
  /** The candidate that it was drawn to be sent to as well, its id; undefined where it was not. */
  mirror?: string
  /** The arm of an experiment that it belongs to, `experiment/arm`; undefined where it is no part of one. */
  experiment?: string
  /** What that followed from, where it was looked into. */
  decision: Decision | undefined
  readonly attempts: AttemptFacts[]
  /** HTTP status that the caller got. */
  status: number
  /** Set where the caller got an error of ours, or the target's own. */
  code: ErrorCode | undefined
  /** The words behind `code`, for the log line. */
  error: string | undefined
  finishReason: string | undefined
  usage: Usage | undefined
  /** Undefined where the answer did not stop, or no other target was there to be asked. */
  rescue: Rescued | undefined
  /** What the rule's quality gate found; undefined where it has none, or none that looks into such requests. */
  gate: GateFacts | undefined
  /** Fields of the request that could not be said to the target that answered. */
  dropped: readonly string[]
  requestBytes: number
  responseBytes: number
  /** The client left before the answer was whole. */
  aborted: boolean
  /** Of telemetry alone: its span, where the exchange is sampled. */
  span: unknown
}

/** What came in at the door. */
export interface Incoming {
  readonly surface: Surface
  /** What the path says of the request besides. */
  readonly found: Found
  readonly method: string
  /** With its `?`, or empty. */
  readonly query: string
  /** Flat list of names and values as they came. */
  readonly headers: readonly string[]
  readonly body: Bytes
}

/** Something that waits on behalf of an exchange and ends at once when the exchange is over. */
export interface Waiting {
  cancel(code: ErrorCode): void
}

/**
 * One request and all that is done about it. At most one thing waits for it at a time (an attempt, a back-off), so that leaving is one
 * call and the request path needs no AbortController.
 */
export class Exchange implements Due, Asked, SignalSource {
  readonly surface: Surface
  readonly found: Found
  readonly method: string
  /** As the API's reference has it, `/v1/chat/completions`, whether or not the caller's base URL ended in `/v1`; without the query. */
  readonly path: string
  readonly query: string
  readonly headers: readonly string[]
  readonly body: Bytes
  facts: Facts
  /** The top-level fields of a JSON body. */
  fields: RequestFields | undefined = undefined
  /** The whole of it, where somebody has asked. */
  private parsed: Json | undefined = undefined
  /** The request in the canonical form of its operation, read once for all the targets that need it. */
  private canonical: unknown = undefined
  private seen: Signals | undefined = undefined
  rule: Rule | undefined = undefined
  /** In the order in which they are to be asked. */
  candidates: readonly Target[] = []
  /** The one that is being asked. */
  target: Target | undefined = undefined
  /** The address that was called last. */
  lastAddress: Address | undefined = undefined
  why: Why = 'chosen'
  /** All candidates are out, and the least bad is asked nevertheless. */
  panic = false
  /** No target is left to ask, so that asking us again would only multiply what we did. */
  exhausted = false
  /** With that: how long until the first target can be asked again, ms. */
  retryAfter: number | undefined = undefined
  /** The answer that stopped, while it is being gone on with. */
  resume: Resume | undefined = undefined
  /** Asked besides `target`, because that was slow. */
  hedged: Target | undefined = undefined
  /** What a streamed answer must have shown before there is a reply: a first good event, a first token, or its end. */
  until: 'event' | 'token' | 'end' = 'event'
  /** Why the first of the candidates is asked, where it is not to answer the request itself. */
  opening: Why | undefined = undefined
  /** In what it may be like others, where somebody has asked. */
  traits: Traits | undefined = undefined
  /** What is asked and answered is to be written down with the decision. */
  sampled = false
  /** Its answer is worth comparing with another target's. */
  comparison: Comparison<Target> | undefined = undefined
  /** The target whose share it is by chance, where it could have been any of those of its priority and the rule gathers evidence. */
  drawn: Target | undefined = undefined
  /** That target took no request at that moment, and another was asked in its place. */
  displaced = false
  /** Where its unit belongs in the rule's experiment, while that is not decided. */
  assigned: Assignment | undefined = undefined
  /** Listens to what targets say. */
  ear: Ear | undefined = undefined
  /** The hosts that the caller's own keys are for, by the key: each goes to one only, whichever fork asks. */
  keys: Map<string, string> | undefined = undefined
  /** Which faults of its rule it meets, where chance has decided: whichever fork asks. */
  faultsMet: Map<Fault, boolean> | undefined = undefined
  /** The fork whose answer is this one's. */
  private winner: Exchange | undefined = undefined
  /** When the whole request is to be over, of `deps.now()`. */
  due = Infinity
  slot = -1
  /** Why nobody waits for the answer any more. */
  over: ErrorCode | undefined = undefined
  private waiting: Waiting | undefined = undefined

  constructor(incoming: Incoming, facts: Facts) {
    this.surface = incoming.surface
    this.found = incoming.found
    this.method = incoming.method
    this.path = incoming.found.path
    this.query = incoming.query
    this.headers = incoming.headers
    this.body = incoming.body
    this.facts = facts
  }

  /**
   * The same request, to be answered besides this one by a target of its own: it has its own end and its own facts until `join`, but for the
   * list of attempts. `instead`: with other headers, or another body, whose fields are then still to be read.
   */
  fork(instead: Partial<Pick<Incoming, 'headers' | 'body'>> = {}): Exchange {
    const { surface, found, method, query, headers, body, facts } = this
    const fork = new Exchange({ surface, found, method, query, headers, body, ...instead }, { ...facts })
    if (!instead.body) {
      fork.fields = this.fields
      fork.parsed = this.parsed
      fork.canonical = this.canonical
      fork.seen = this.seen
    }
    fork.rule = this.rule
    fork.candidates = this.candidates
    fork.target = this.target
    fork.why = this.why
    fork.panic = this.panic
    fork.due = this.due
    fork.keys = this.keys ??= new Map()
    if (this.rule?.faults) fork.faultsMet = this.faultsMet ??= new Map()
    fork.until = this.until
    fork.opening = this.opening
    fork.drawn = this.drawn
    fork.ear = this.ear && new Ear(this.ear.wantsLogprobs)
    return fork
  }

  /** The answer of the fork is the answer: what comes of it from here on is written to these facts. */
  join(fork: Exchange): void {
    const { facts } = this
    const { endpoint, model, dropped, usage, finishReason, firstByte, responseBytes, rescue } = fork.facts
    Object.assign(facts, { endpoint, model, dropped, usage, finishReason, firstByte, responseBytes, rescue })
    // Whoever has forked from the fork writes there, too.
    for (let it: Exchange | undefined = fork; it; it = it.winner) it.facts = facts
    this.winner = fork
    this.displaced ||= fork.displaced
    this.ear = fork.ear
    this.target = fork.target
    this.lastAddress = fork.lastAddress
  }

  /** Names what is to be cancelled when the exchange is over; nothing, where the wait has ended. */
  wait(waiting: Waiting | undefined): void {
    this.waiting = waiting
    if (waiting && this.over) waiting.cancel(this.over)
  }

  /** Ends all that is done for it: the client left, or the deadline of the whole request passed. */
  end(code: ErrorCode): void {
    if (this.over) return
    this.over = code
    this.waiting?.cancel(code)
  }

  /** What the caller put in `model`; empty where the request names none. */
  get model(): string {
    return this.facts.requestedModel
  }

  /** The deadline of the whole request passed. */
  expire(): void {
    this.end('request_timeout')
  }

  /** The body as JSON; the scan of its fields has found its structure to be right. Throws `invalid_json`. */
  get json(): Json {
    this.parsed ??= readJson(this.body)
    return this.parsed
  }

  /** The request as the surface reads it, whose caller's half is given: read once. Throws what that throws. */
  read<T>(caller: { read(body: Json, asked: Asking): T }): T {
    this.canonical ??= caller.read(this.json, { model: this.found.model, stream: this.found.stream })
    return this.canonical as T // an exchange has one surface, and that one caller's half
  }

  get wall(): number {
    return this.facts.wall
  }

  /** What is known of the request: worked out when it is asked for. */
  get signals(): Signals {
    this.seen ??= new Signals(this)
    return this.seen
  }

  /** The value of a request header by its name in lower case; undefined where it is not there. */
  header(name: string): string | undefined {
    const { headers } = this
    for (let i = 0; i < headers.length; i += 2) {
      const key = headers[i]
      if (key !== undefined && key.length === name.length && key.toLowerCase() === name) return headers[i + 1]
    }
    return undefined
  }
}

/** The outcome of a streamed answer, once it is known. `code` is undefined for a finished answer. */
export type Settled = (code: ErrorCode | undefined) => void

/** Takes a streamed answer. */
export interface Sink {
  /** False: write no more until the stream is resumed. */
  write(chunk: Buffer): boolean
  /** The answer is whole. */
  end(): void
  /** The answer stopped before it was finished, and the caller must be told. */
  fail(code: ErrorCode, message: string): void
}

/** Takes a streamed answer that nobody waits for any more: only what flows comes to an end of which all hear. */
export const NOBODY: Sink = { write: () => true, end: () => {}, fail: () => {} }

/** A streamed answer whose beginning has been seen to be good. */
export interface Stream {
  /** How the caller is told, in the stream itself, that the answer stopped: undefined where its form has no place for that. */
  failure(code: ErrorCode, message: string): Buffer | undefined
  /** Starts the flow into the sink: first what has come already. Called once. */
  flow(sink: Sink): void
  /** The sink can take more. */
  resume(): void
  /** Calls back once, when the outcome is known. */
  settled(listener: Settled): void
  /** What has gone to the sink, where that is kept; asked once it has stopped. */
  readonly said?: Transcript | undefined
}

/** What goes back to the caller: whole, or as a stream. */
export interface Reply {
  readonly status: number
  /** Flat list; no framing headers. */
  readonly headers: string[]
  readonly body: Buffer | Stream
}
