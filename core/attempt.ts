import type { Call, Deadlines, Due, Receiver, Running } from './deps.ts'
import { Failure } from './errors.ts'
import type { ErrorCode } from './errors.ts'
import { estimateUsage, usageOfStream } from './estimated-usage.ts'
import type { Answering } from './answering.ts'
import type { AnswerStream } from './answer-stream.ts'
import type { AttemptFacts, Exchange, Reply, Settled, Sink, Stream, Waiting } from './exchange.ts'
import { headerOf } from './headers.ts'
import { errorInside, judgeType } from './judge.ts'
import { judgeError, judgeWhole } from './judge-whole.ts'
import type { Address, Signer, Target } from './target.ts'
import type { Transcript } from './rescue/transcript.ts'
import { TargetWords } from './target-words.ts'

/** A whole answer is held back up to this size, so that one which is cut can be asked for again; beyond it, it flows. */
const HOLD = 4 * 1024 * 1024
/** Of an error's body no more than this is kept. */
const HOLD_ERROR = 256 * 1024

/** A stream whose end is waited for is held back up to this size, and flows from there on. */
const HOLD_STREAM = 1024 * 1024

const NO_FINISH = 'The stream ended without a finish reason.'

type Phase = 'connect' | 'head' | 'whole' | 'first' | 'flow' | 'raw' | 'over'

interface Context {
  readonly now: () => number
  readonly wall: () => number
  readonly deadlines: Deadlines
  /** Hears what the headers say, whatever the status. */
  readonly head: (headers: readonly string[]) => void
  /** Hears the end, once, before anybody else does. */
  readonly ended: (attempt: AttemptFacts) => void
}

/** What is called: an address, or one with faults in it. */
type Called = Pick<Address, 'call'>

/**
 * One call of one address: connects, waits, judges and passes on, with a clock of its own for each of these. The reply is given once it
 * is known to be good as far as can be known: a whole answer that is finished, or a stream whose first event is no error.
 */
export class Attempt implements Receiver, Due, Waiting, Stream {
  due: number
  slot = -1
  private readonly exchange: Exchange
  private readonly target: Target
  private readonly facts: AttemptFacts
  private readonly context: Context
  private readonly words: TargetWords
  private readonly last: number
  /** Undefined: the answer passes on unseen. */
  private readonly answering: Answering | undefined
  /** From the headers of a streamed answer on. */
  private stream: AnswerStream | undefined
  private phase: Phase = 'connect'
  private running: Running | undefined
  private status = 0
  private headers: readonly string[] = []
  private chunks: Buffer[] = []
  private size = 0
  /** Of an answer of OpenAI's dialect that is passed on unseen. */
  private lastChunk: Buffer | undefined
  private resolve: (reply: Reply) => void = () => {}
  private reject: (failure: Failure) => void = () => {}
  private replied = false
  private sink: Sink | undefined
  private outcome: { readonly code: ErrorCode | undefined; readonly message: string } | undefined
  private readonly listeners: Settled[] = []

  constructor(
    exchange: Exchange,
    target: Target,
    facts: AttemptFacts,
    answering: Answering | undefined,
    context: Context,
  ) {
    this.exchange = exchange
    this.target = target
    this.facts = facts
    this.context = context
    this.answering = answering
    this.words = new TargetWords(exchange, target, facts)
    const { connect, attempt } = target.endpoint.timeouts
    this.last = facts.started + attempt
    this.due = facts.started + Math.min(connect, attempt)
  }

  /** Starts the call. Rejects with a `Failure` while nothing has gone to the caller; what goes wrong later, the sink hears. */
  start(address: Called, call: Call): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
      this.context.deadlines.add(this)
      const { authorization } = this.target.endpoint
      if (typeof authorization === 'object' && 'sign' in authorization) this.authorise(authorization, address, call)
      else this.call(address, call)
    })
  }

  private call(address: Called, call: Call): void {
    const running = address.call(call, this)
    this.running = running
    // It may have failed, or been given up, before it could be named.
    if (this.phase === 'over') running.abort()
    else this.exchange.wait(this)
  }

  /** The call goes out once it is signed, which may need a token that has yet to come. */
  private authorise(signer: Signer, address: Called, call: Call): void {
    const go = (added: readonly string[]) => {
      if (this.phase === 'over') return
      call.headers.push(...added)
      this.call(address, call)
    }
    const signed = signer.sign(call, this.context.wall())
    if (!(signed instanceof Promise)) return go(signed)
    this.exchange.wait(this)
    signed.then(go, (error: unknown) =>
      this.phase === 'over'
        ? undefined
        : this.end(error instanceof Failure ? error : new Failure('internal', { cause: error })),
    )
  }

  // What the connection says.

  sent(): void {
    this.phase = 'head'
    const { timeouts } = this.target.endpoint
    this.due = this.exchange.facts.stream ? Math.min(this.last, this.context.now() + timeouts.firstToken) : this.last
  }

  head(status: number, headers: readonly string[]): void {
    this.facts.status = this.status = status
    this.headers = headers
    this.context.head(headers)
    const good = status >= 200 && status < 300
    if (!good) this.phase = 'whole'
    else if (!this.answering) this.flowRaw()
    else if (encoded(headers)) this.fail('upstream_malformed', 'It is encoded, though identity was asked for.')
    else if (this.exchange.facts.stream && headerOf(headers, 'content-type').startsWith(this.answering.streamType)) {
      this.phase = 'first'
      this.stream = this.answering.stream()
    } else if (this.answering.flows?.(headers)) this.phase = 'raw'
    else this.phase = 'whole'
  }

  data(chunk: Buffer): boolean {
    if (this.facts.firstByte === 0) this.facts.firstByte = this.context.now()
    switch (this.phase) {
      case 'whole':
        return this.gather(chunk)
      case 'first':
      case 'flow':
        return this.events(chunk)
      case 'raw':
        return this.raw(chunk)
      default:
        return true
    }
  }

  ended(): void {
    switch (this.phase) {
      case 'whole':
        return this.judge()
      case 'first':
      case 'flow':
        return this.endOfStream()
      case 'raw':
        return this.endOfRaw()
      default:
        return this.fail('upstream_malformed', 'It has no headers.')
    }
  }

  failed(stage: 'forbidden' | 'connect' | 'reset' | 'cut' | 'malformed', error: Error): void {
    const code = (
      {
        forbidden: 'address_forbidden',
        connect: 'connect_failed',
        reset: 'connection_reset',
        cut: 'upstream_truncated',
        malformed: 'upstream_malformed',
      } as const
    )[stage]
    this.fail(code, reason(error), error)
  }

  // What the clock and the exchange say.

  expire(now: number): void {
    if (now >= this.last) this.fail('attempt_timeout')
    else if (this.phase === 'connect') this.fail('connect_timeout')
    else if (this.phase === 'first' && this.stream && this.stream.events > 0) this.fail('idle_timeout')
    else this.fail(this.phase === 'flow' || this.phase === 'raw' ? 'idle_timeout' : 'first_token_timeout')
  }

  cancel(code: ErrorCode): void {
    this.fail(code)
  }

  // What the caller's side says.

  flow(sink: Sink): void {
    this.sink = sink
    const held = this.chunks
    this.chunks = []
    let more = true
    for (const chunk of held) more = sink.write(chunk)
    if (!more) this.due = this.last
    this.tellSink()
  }

  resume(): void {
    if (this.phase === 'flow' || (this.phase === 'raw' && this.answering?.flows))
      this.due = Math.min(this.last, this.context.now() + this.target.endpoint.timeouts.idle)
    this.running?.resume()
  }

  failure(code: ErrorCode, message: string): Buffer | undefined {
    const { exchange, stream } = this
    const failure = new Failure(code)
    const { requestId } = exchange.facts
    if (stream?.failure) return stream.failure(failure, message, requestId)
    return stream && exchange.surface.errorEvent?.(failure, message, requestId)
  }

  get said(): Transcript | undefined {
    return this.stream?.transcript
  }

  settled(listener: Settled): void {
    if (this.outcome) listener(this.outcome.code)
    else this.listeners.push(listener)
  }

  // Whole answers.

  private gather(chunk: Buffer): boolean {
    const good = this.status < 300
    if (good || this.size < HOLD_ERROR) this.chunks.push(chunk)
    this.size += chunk.length
    if (good && this.size > (this.answering?.hold ?? HOLD) && this.answering?.native) {
      this.exchange.facts.responseBytes = this.size
      if (!judgeType(this.headers)) this.lastChunk = chunk
      this.flowRaw()
    }
    return true
  }

  /** What passes unseen: with the first of it there is a reply, and from then on it must not stall. */
  private raw(chunk: Buffer): boolean {
    const { answering } = this
    if (this.lastChunk) this.lastChunk = chunk
    if (!this.replied) this.flowRaw()
    const more = this.pass(chunk)
    if (answering?.flows)
      this.due = more ? Math.min(this.last, this.context.now() + this.target.endpoint.timeouts.idle) : this.last
    return more
  }

  /** An answer too large to be held: that it ends as JSON does is all that is known of it. */
  private endOfRaw(): void {
    const { lastChunk } = this
    if (!this.replied) this.fail('upstream_truncated', 'It is empty.')
    else if (lastChunk && lastChunk.toString('latin1').trimEnd().at(-1) !== '}') this.fail('upstream_truncated')
    else this.finish()
  }

  private judge(): void {
    const body = this.chunks.length === 1 && this.chunks[0] ? this.chunks[0] : Buffer.concat(this.chunks)
    const { exchange, status, headers, answering, words } = this
    const whole = { status, headers, body, wall: this.context.wall() }
    if (status < 200 || status >= 300) {
      const cut = this.size > body.length
      return this.end(judgeError(whole, cut, this.target.endpoint, words, answering?.native ?? true))
    }
    if (!answering) return this.end(new Failure('internal'))
    const { outcome, usage, finishReason } = judgeWhole(whole, answering, exchange, words)
    this.facts.usage = exchange.facts.usage = usage
    exchange.facts.finishReason = finishReason
    if (outcome instanceof Failure) return this.end(outcome)
    this.reply(outcome)
    this.finish()
  }

  // Streams.

  private events(chunk: Buffer): boolean {
    const { stream } = this
    if (!stream) return true
    const before = stream.events
    let out: Buffer
    try {
      out = stream.push(chunk)
    } catch (error) {
      this.fail('upstream_too_large', undefined, error)
      return true
    }
    const more = out.length === 0 || this.pass(out)
    if (this.spoiled(stream)) return true
    if (stream.events > before) {
      if (this.phase === 'first' && this.isReady(stream)) this.begin()
      // A caller that takes nothing in is no fault of the target's.
      this.due = more ? Math.min(this.last, this.context.now() + this.target.endpoint.timeouts.idle) : this.last
    }
    return more
  }

  private endOfStream(): void {
    const { stream } = this
    if (!stream) return
    const out = stream.end()
    if (out.length > 0) this.pass(out)
    if (this.spoiled(stream)) return
    if (!stream.complete) return this.fail('upstream_truncated', NO_FINISH)
    if (this.phase === 'first') this.begin()
    this.finish()
  }

  /** Whether an event says that the answer failed; then it is over. */
  private spoiled(stream: AnswerStream): boolean {
    if (stream.error !== undefined) {
      this.end(this.words.failureOf(errorInside(stream.error, this.context.wall())))
      return true
    }
    if (stream.empty) this.fail('upstream_empty')
    else if (stream.diverged) this.fail('replay_diverged')
    else if (stream.malformed) this.fail('upstream_malformed', 'An event is not what the API says.')
    else if (stream.done && !stream.complete) this.fail('upstream_truncated', NO_FINISH)
    else return false
    return true
  }

  /** Whether a stream has shown what it must before there is a reply. */
  private isReady(stream: AnswerStream): boolean {
    if (stream.complete) return true
    if (stream.held) return false
    const { until } = this.exchange
    return until === 'event' || (until === 'token' ? stream.begun : this.size > HOLD_STREAM)
  }

  /** The first event is good: from here on there is a reply. */
  private begin(): void {
    this.phase = 'flow'
    this.exchange.facts.firstByte ||= this.context.now()
    const headers = this.answering?.native
      ? this.words.passedOn(this.headers)
      : this.words.saidAnew(this.headers, this.answering?.callerType)
    this.reply({ status: this.status, headers, body: this })
  }

  /** Passes on what comes, unseen. */
  private flowRaw(): void {
    this.phase = 'raw'
    this.exchange.facts.firstByte = this.context.now()
    this.due = this.last
    this.reply({
      status: this.status,
      headers: this.words.passedOn(this.headers, this.answering !== undefined),
      body: this,
    })
  }

  private pass(chunk: Buffer): boolean {
    this.exchange.facts.responseBytes += chunk.length
    if (this.sink) return this.sink.write(chunk)
    this.chunks.push(chunk)
    this.size += chunk.length
    return true
  }

  // The end.

  private fail(code: ErrorCode, detail?: string, cause?: unknown): void {
    if (this.phase === 'over') return
    // What comes after the finish reason is not needed for a whole answer.
    if (this.stream?.complete && !this.stream.diverged && code !== 'client_closed') {
      this.running?.abort()
      // It may have come in one piece with what is wrong after it.
      if (this.phase === 'first') this.begin()
      return this.finish()
    }
    this.end(new Failure(code, { detail: this.words.named(detail), cause }))
  }

  private finish(): void {
    const rest = this.stream?.close()
    if (rest && rest.length > 0) this.pass(rest)
    this.end(undefined)
  }

  private end(failure: Failure | undefined): void {
    const { phase } = this
    if (phase === 'over') return
    this.phase = 'over'
    const { facts, exchange, context, stream } = this
    context.deadlines.remove(this)
    exchange.wait(undefined)
    if (failure) this.running?.abort()
    if (stream) {
      facts.usage = usageOfStream(exchange, stream, failure?.code)
      exchange.facts.usage = stream.told ?? facts.usage
      exchange.facts.finishReason = stream.finishReason
    } else if (failure && phase !== 'connect' && this.status < 300)
      facts.usage ??= estimateUsage(exchange, { stream, bytes: this.size, code: failure.code })
    facts.code = failure?.code
    facts.ended = context.now()
    context.ended(facts)
    this.outcome = { code: failure?.code, message: failure?.message ?? '' }
    if (!this.replied) {
      // What was held back of a stream has not gone out.
      exchange.facts.responseBytes = exchange.resume ? exchange.facts.responseBytes - (stream ? this.size : 0) : 0
      if (failure) this.reject(failure)
      return
    }
    if (failure) exchange.facts.error = failure.message
    this.tellSink()
    for (const listener of this.listeners) listener(this.outcome.code)
  }

  private reply(reply: Reply): void {
    this.replied = true
    this.resolve(reply)
  }

  private tellSink(): void {
    if (!this.sink || !this.outcome) return
    const { code, message } = this.outcome
    if (code === undefined) this.sink.end()
    else this.sink.fail(code, message)
  }
}

function encoded(headers: readonly string[]): boolean {
  const encoding = headerOf(headers, 'content-encoding')
  return encoding !== '' && encoding !== 'identity'
}

/** The code of a system error, such as ECONNREFUSED, else its message. */
function reason(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
