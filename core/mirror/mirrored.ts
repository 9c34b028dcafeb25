import { detached } from '../aside/aside.ts'
import { obstacle, plenty } from '../availability.ts'
import type { ChatRequest } from '../chat.ts'
import type { ErrorCode } from '../errors.ts'
import { errors } from '../errors.ts'
import { armOf } from '../evidence/arm.ts'
import type { Sample } from '../evidence/counter.ts'
import { costOf, isFailure } from '../evidence/outcome.ts'
import type { AttemptFacts, Exchange, Reply } from '../exchange.ts'
import { markRequest, readMark } from '../gate/mark.ts'
import type { Said } from '../gate/said.ts'
import { requestFields } from '../json-fields.ts'
import { asFailure } from '../layers/errors.ts'
import type { Deps } from '../deps.ts'
import type { Handler } from '../pipeline.ts'
import type { Rule, Target } from '../target.ts'
import { alike } from './alike.ts'
import { capped } from './capped.ts'
import type { MirrorDesk, Post } from './desk.ts'
import type { Marks, MirrorRecord, Pair } from './record.ts'
import { unrepeatable } from './repeatable.ts'
import { saidIn } from './said.ts'
import type { MirrorSettings } from './settings.ts'
import { Skipped } from './skip.ts'
import type { Skip } from './skip.ts'

/** What a rule's mirror is made of. */
export interface House {
  readonly rule: Rule
  readonly settings: MirrorSettings
  readonly deps: Deps
  readonly desk: MirrorDesk
  readonly post: Post
  /** Calls a target once, and nothing else: what comes of it counts for no breaker. Sets aside what the call costs at most, or throws `Skipped`. */
  readonly ask: Handler
  /** What was set aside for calls, by their exchange, picodollars. */
  readonly aside: Map<Exchange, number>
}

/** What the caller got: its bytes, where they were kept. */
export interface Given {
  readonly chunks: readonly Buffer[] | undefined
  readonly streamed: boolean
}

/** Of what is told twice, the second would be taken for the first again, by those who heed it. */
const ONCE: ReadonlySet<string> = new Set(['idempotency-key', 'x-idempotency-key'])

/** One request that was drawn: sent to the candidate once the caller has its answer, and compared with that. */
export class Mirrored {
  readonly #house: House
  readonly #exchange: Exchange
  readonly #given: Given
  readonly #attempts: AttemptFacts[] = []
  #spent = 0

  constructor(house: House, exchange: Exchange, given: Given) {
    this.#house = house
    this.#exchange = exchange
    this.#given = given
  }

  /** Never rejects: what came of it is told to telemetry. */
  async run(): Promise<MirrorRecord> {
    const { post, desk } = this.#house
    let began = false
    try {
      const reason = this.#hindrance()
      if (reason !== undefined) return this.#record(reason)
      began = true
      post.running++
      return await this.#begun()
    } catch (error) {
      // Among others a body that targets of its own dialect have as it came, and that cannot be read here.
      return this.#record(error instanceof Skipped ? error.reason : 'unsupported')
    } finally {
      if (began) {
        post.running--
        desk.leave()
      }
    }
  }

  /** Why it does not begin; the cheapest to find out first. If nothing hinders it, it has begun. */
  #hindrance(): Skip | undefined {
    const { settings, desk, post } = this.#house
    const { target } = settings
    const { facts, target: answered } = this.#exchange
    if (desk.closed) return 'stopping'
    if (facts.code === 'client_closed') return 'left'
    if (facts.code !== undefined && isTheCallers(facts.code)) return 'refused'
    if (answered?.endpoint.name === target.endpoint.name && answered.model.name === target.model.name) return 'same'
    if (target.endpoint.authorization === 'passthrough') return 'passthrough'
    if (post.running >= settings.maxConcurrent) return 'busy'
    if (!this.#free(target) || post.breaker.share() < 1) return 'unavailable'
    const reason = unrepeatable(this.#exchange)
    if (reason !== undefined) return reason
    // What a caller waits for comes first, in every sense.
    return desk.enter() ? undefined : desk.closed ? 'stopping' : 'busy'

    function isTheCallers(code: ErrorCode): boolean {
      const { verdict = 'failure', type }: { readonly verdict?: string; readonly type: string } = errors[code]
      return type === 'invalid_request_error' && verdict !== 'failure' && code !== 'content_refused'
    }
  }

  /** Whether a target has more to give than what callers may need of it. */
  #free(target: Target): boolean {
    const { deps, desk } = this.#house
    return (
      obstacle(target, deps.now()) === undefined &&
      target.model.state.breaker.share() === 1 &&
      plenty(target) === 1 &&
      desk.fits(target.endpoint)
    )
  }

  async #begun(): Promise<MirrorRecord> {
    const { settings, post, deps } = this.#house
    const { surface } = this.#exchange
    const fork = this.#fork()
    const ticket = post.breaker.admit()
    if (ticket === 0) throw new Skipped('unavailable')
    let code: ErrorCode | undefined
    let bytes: readonly Buffer[] = []
    let streamed = false
    try {
      const reply = await this.#call(settings.target, fork, async (answer) => {
        const got = await gathered(answer)
        code = got.code
        bytes = got.chunks
        streamed = fork.facts.stream && !Buffer.isBuffer(answer.body)
      })
      fork.facts.status = reply.status
    } catch (error) {
      if (this.#attempts.length === 0) {
        post.breaker.release(ticket)
        if (error instanceof Skipped) throw error
        throw new Skipped(asFailure(error).code === 'unhealthy' ? 'unavailable' : 'unsupported')
      }
      const failure = asFailure(error)
      code = failure.code
      if (failure.retryAfter !== undefined) post.breaker.hold(failure.retryAfter)
    }
    const { facts } = fork
    facts.ended = deps.now()
    facts.code = code
    if (code === 'draining' || code === 'displaced') {
      post.breaker.release(ticket)
      return this.#record(code === 'draining' ? 'stopping' : 'displaced', fork)
    }
    const failed = isFailure(code, facts.status)
    if (failed) post.breaker.failure(ticket)
    else post.breaker.success(ticket)
    const candidate = this.#candidate(fork, failed)
    const pause = () => this.#house.desk.pause()
    await pause()
    const said = code === undefined ? await saidIn(surface, streamed, bytes, pause) : undefined
    await pause()
    const { chunks, streamed: ownStreamed } = this.#given
    const good = this.#exchange.facts.code === undefined
    const own = good && chunks ? await saidIn(surface, ownStreamed, chunks, pause) : undefined
    const markable = Boolean(settings.judge && surface.chat && own?.text && said?.text)
    const pair: Pair = {
      candidate,
      own: this.#own(),
      code,
      alike: said && own && alike(own, said),
      markable,
      marks: markable && said && own ? await this.#marks(own, said) : undefined,
    }
    return this.#record(failed ? 'failed' : 'answered', fork, pair)
  }

  /** The same request, with a limit on its answer, to be answered by nobody but the candidate. */
  #fork(): Exchange {
    const { settings, rule, deps } = this.#house
    const exchange = this.#exchange
    const body = capped(exchange, settings.target, settings.maxTokens)
    const headers = without(exchange.headers, ONCE)
    const fork = exchange.fork(body ? { headers, body } : { headers })
    if (body) fork.fields = requestFields(body)
    detached(fork, this.#attempts, deps.now() + rule.requestTimeout)
    const { facts } = fork
    Object.assign(facts, {
      started: deps.now(),
      wall: deps.wall(),
      ended: 0,
      firstByte: 0,
      status: 0,
      responseBytes: 0,
    })
    Object.assign(facts, {
      code: undefined,
      error: undefined,
      finishReason: undefined,
      usage: undefined,
      aborted: false,
    })
    return fork
  }

  /** Calls a target, and accounts for it when `then` has taken the answer in. */
  async #call(target: Target, call: Exchange, then: (reply: Reply) => Promise<void>): Promise<Reply> {
    const { deps, desk, ask, aside, post } = this.#house
    call.candidates = [target]
    call.target = target
    call.why = 'mirror'
    call.panic = false
    call.ear = undefined
    const before = this.#attempts.length
    desk.came(target.endpoint, call)
    try {
      return await desk.during(call, deps.deadlines, async () => {
        const reply = await ask(call)
        await then(reply)
        return reply
      })
    } finally {
      desk.left(target.endpoint, call)
      const most = aside.get(call)
      if (most !== undefined) {
        aside.delete(call)
        const cost = charged(this.#attempts[before], most)
        post.purse.settle(most, cost)
        this.#spent += cost
      }
    }
  }

  /** What the judge thinks of both, each by itself, so that no order favours one; undefined where it is not asked, or does not say. */
  async #marks(own: Said, said: Said): Promise<Marks | undefined> {
    const { settings, deps, rule } = this.#house
    const { judge } = settings
    const { chat } = this.#exchange.surface
    if (!judge || !chat || deps.random() * 100 >= judge.percent) return undefined
    let request: ChatRequest
    try {
      request = this.#exchange.read(chat)
    } catch {
      // Only targets of its own dialect understand it.
      return undefined
    }
    const mark = async (text: string): Promise<number | undefined> => {
      if (!this.#free(judge.by)) return undefined
      const asking = markRequest(this.#exchange, request, text, judge.prompt)
      detached(asking, this.#attempts, deps.now() + rule.requestTimeout)
      let answer: Said | undefined
      try {
        await this.#call(judge.by, asking, async (reply) => {
          const { code, chunks } = await gathered(reply)
          answer =
            code === undefined ? await saidIn(asking.surface, false, chunks, () => this.#house.desk.pause()) : undefined
        })
      } catch {
        // How it ended is among the attempts.
        return undefined
      }
      return answer && readMark(answer.text)
    }
    const current = await mark(own.text)
    const candidate = current === undefined ? undefined : await mark(said.text)
    if (current === undefined || candidate === undefined) return undefined
    return { current: current / 10, candidate: candidate / 10 }
  }

  #candidate({ facts }: Exchange, failed: boolean): Sample {
    const [attempt] = this.#attempts
    const { code, started, ended, firstByte, stream, finishReason } = facts
    const answered = code === undefined
    return {
      error: failed,
      truncated: failed && firstByte > 0,
      refused: code === 'content_refused' || finishReason === 'content_filter',
      cost: attempt && costOf([attempt]),
      latency: answered ? ended - started : undefined,
      firstToken: answered && stream && firstByte > 0 ? firstByte - started : undefined,
    }
  }

  /** What the caller got, whoever gave it. */
  #own(): Sample {
    const { facts } = this.#exchange
    const { code, started, ended, firstByte, stream, finishReason, gate } = facts
    const answered = code === undefined
    const error = isFailure(code, facts.status)
    return {
      error,
      truncated: error && facts.firstByte > 0,
      refused: code === 'content_refused' || finishReason === 'content_filter',
      escalated: (gate?.escalations ?? 0) > 0,
      cost: costOf(facts.attempts),
      latency: answered ? ended - started : undefined,
      firstToken: answered && stream && firstByte > 0 ? firstByte - started : undefined,
    }
  }

  #record(outcome: MirrorRecord['outcome'], fork?: Exchange, pair?: Pair): MirrorRecord {
    const { rule, settings } = this.#house
    const { facts, target } = this.#exchange
    return {
      id: facts.requestId,
      route: rule.route,
      rule: rule.name,
      target: armOf({ endpoint: settings.target.endpoint.name, model: settings.target.model.name }),
      current: target && facts.code === undefined ? target.id : '',
      outcome,
      pair,
      spent: this.#spent,
      facts: fork?.facts,
    }
  }
}

/** Failures before anything went out. */
const NEVER_SENT: ReadonlySet<ErrorCode> = new Set([
  'connect_failed',
  'connect_timeout',
  'address_forbidden',
  'credentials_unavailable',
])

/** What a call has cost, picodollars: as it said itself; nothing where it was refused, or never went out; else what it costs at most. */
function charged(attempt: AttemptFacts | undefined, most: number): number {
  if (!attempt) return 0
  const { usage, cost, code, status } = attempt
  if (usage && !usage.estimated && cost !== undefined) return cost
  if (code !== undefined && (status >= 400 || NEVER_SENT.has(code))) return 0
  return Math.max(most, cost ?? 0)
}

/** Takes an answer that nobody waits for, to its end, as fast as it comes. */
function gathered({
  body,
}: Reply): Promise<{ readonly code: ErrorCode | undefined; readonly chunks: readonly Buffer[] }> {
  if (Buffer.isBuffer(body)) return Promise.resolve({ code: undefined, chunks: [body] })
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    body.settled((code) => resolve({ code, chunks: size > MOST ? [] : chunks }))
    const write = (chunk: Buffer): boolean => {
      size += chunk.length
      if (size <= MOST) chunks.push(chunk)
      return true
    }
    body.flow({ write, end: () => {}, fail: () => {} })
  })
}

/** Of a longer answer nothing is compared, bytes. */
const MOST = 1024 * 1024

/** A flat list of names and values without some; names in lower case. */
function without(headers: readonly string[], names: ReadonlySet<string>): readonly string[] {
  return headers.filter((_, i) => !names.has((headers[i - (i % 2)] ?? '').toLowerCase()))
}
