import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Deps, Due } from '../core/deps.ts'
import { Failure } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { AttemptFacts, Exchange, Reply, Settled, Stream, Waiting } from '../core/exchange.ts'
import { addTraceContext } from '../core/headers.ts'
import { chooseAddress } from '../core/layers/attempt.ts'
import { replyTo } from '../core/layers/errors.ts'
import type { Target } from '../core/target.ts'
import { translate } from '../core/translate.ts'
import type { Carried, Carrier } from './carrier.ts'
import { connect } from './connect.ts'
import { Place } from './endpoints.ts'
import { ForbiddenAddress } from './forbidden.ts'
import { passedBack, passedOn } from './passage-headers.ts'
import { answerRaw } from './raw-answer.ts'

/** Where a request came in: with a response to be given, or a socket to be handed over. */
export type Door =
  | { readonly request: IncomingMessage; readonly response: ServerResponse }
  | { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }

/** A request on its way through to one target: connected first, so that nothing of it is lost on a target that is not there. */
export class Passage implements Stream, Due, Waiting, Carried {
  due: number
  slot = -1
  private readonly exchange: Exchange
  private readonly door: Door
  private readonly carrier: Carrier
  private readonly deps: Deps
  private readonly target: Target
  private readonly place: Place
  private readonly facts: AttemptFacts
  private readonly path: string
  private readonly headers: string[]
  private readonly last: number
  private phase: 'connect' | 'ask' | 'answer' | 'open' | 'over' = 'connect'
  private socket: Socket | undefined
  private giveUp: () => void = () => {}
  private resolve: (reply: Reply) => void = () => {}
  private reject: (failure: Failure) => void = () => {}
  private outcome: { readonly code: ErrorCode | undefined } | undefined
  private readonly listeners: Settled[] = []

  /** Throws a `Failure` where the target has no address to call, or nothing for the path. */
  constructor(exchange: Exchange, door: Door, carrier: Carrier, deps: Deps) {
    const { target, rule } = exchange
    if (!target || !rule) throw new Error('no target was set')
    const { endpoint, model } = target
    const place = chooseAddress(endpoint, deps.random, exchange.panic, exchange.lastAddress)
    if (!(place instanceof Place)) throw new Failure('unhealthy', { detail: target.id })
    const { call, model: asked } = translate(exchange, target, deps.now)
    exchange.lastAddress = place
    this.exchange = exchange
    this.door = door
    this.carrier = carrier
    this.deps = deps
    this.target = target
    this.place = place
    this.facts = {
      route: rule.route,
      rule: rule.name,
      endpoint: endpoint.name,
      model: model.name,
      address: place.name,
      why: exchange.why,
      started: deps.now(),
      firstByte: 0,
      ended: 0,
      status: 0,
      code: undefined,
      usage: undefined,
      cost: undefined,
      injected: undefined,
      span: undefined,
    }
    exchange.facts.attempts.push(this.facts)
    exchange.facts.endpoint = endpoint.name
    exchange.facts.model = asked
    this.path = call.path
    this.headers = call.headers
    addTraceContext(this.headers, deps.telemetry.attemptStarted(exchange.facts, this.facts), exchange.facts.tracestate)
    const { connect: connecting, attempt } = endpoint.timeouts
    this.last = this.facts.started + attempt
    this.due = this.facts.started + Math.min(connecting, attempt)
  }

  /** Resolves once the answer has begun, which by then is on its way to the caller. Rejects with a `Failure`. */
  start(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
      this.deps.deadlines.add(this)
      this.giveUp = connect(this.place.destination, (error, socket) => {
        if (socket && this.phase === 'connect') this.ask(socket)
        else if (error instanceof ForbiddenAddress) this.fail('address_forbidden', error)
        else if (error) this.fail('connect_failed', error)
      })
      this.exchange.wait(this)
    })
  }

  expire(now: number): void {
    if (now >= this.last) this.fail('attempt_timeout')
    else this.fail('connect_timeout')
  }

  cancel(code: ErrorCode): void {
    // A client that closes an open WebSocket has had what it wanted.
    if (code === 'client_closed' && this.phase === 'open') this.end(undefined)
    else this.fail(code)
  }

  failure(): undefined {}

  // The bytes flow by themselves.
  flow(): void {}
  resume(): void {}

  settled(listener: Settled): void {
    if (this.outcome) listener(this.outcome.code)
    else this.listeners.push(listener)
  }

  private ask(socket: Socket): void {
    this.phase = 'ask'
    this.socket = socket
    this.due = this.last
    socket.on('error', () => {}) // the proxy hears of it as well; until it listens, nobody would
    const { door, carrier, path, headers } = this
    const { request } = door
    request.url = path
    const { authorization } = this.target.endpoint
    request.headers = passedOn(headers, request.headers, 'socket' in door, authorization === 'passthrough')
    if ('socket' in door) {
      carrier.upgrade(request, door.socket, door.head, socket, this)
      return
    }
    door.response.once('finish', () => this.end(this.facts.code))
    carrier.web(request, door.response, socket, this)
    request.on('data', (chunk: Buffer) => (this.exchange.facts.requestBytes += chunk.length))
  }

  // What the carrier says.

  asking(outgoing: ClientRequest): void {
    outgoing.prependListener('upgrade', (answer: IncomingMessage, opened: Duplex) => this.opened(answer, opened))
    outgoing.prependListener('response', (answer: IncomingMessage) => this.answered(answer))
  }

  failed(error: Error): void {
    this.fail(this.phase === 'answer' ? 'upstream_truncated' : 'connection_reset', error)
  }

  /** An answer that is no upgrade has begun. */
  answered(answer: IncomingMessage): void {
    const { exchange, facts } = this
    const raw = 'socket' in this.door
    if (this.phase !== 'ask') return
    this.phase = 'answer'
    facts.firstByte = exchange.facts.firstByte = this.deps.now()
    facts.status = answer.statusCode ?? 0
    // What the target says goes on as it is; that it is an error counts against it all the same.
    facts.code = facts.status >= 500 ? 'upstream_error' : undefined
    answer.headers = passedBack(answer.rawHeaders, exchange.facts, raw ? { connection: 'close' } : {})
    answer.on('data', (chunk: Buffer) => (exchange.facts.responseBytes += chunk.length))
    answer.once('close', () => {
      if (!answer.complete) this.fail('upstream_truncated')
      else if (raw) this.end(facts.code)
    })
    this.resolve({ status: facts.status, headers: [], body: this })
  }

  /** The upgrade has come about: what flows now is between the two ends. */
  private opened(answer: IncomingMessage, upstream: Duplex): void {
    const { exchange, facts } = this
    if (this.phase !== 'ask') return
    this.phase = 'open'
    facts.firstByte = exchange.facts.firstByte = this.deps.now()
    facts.status = 101
    const { upgrade } = answer.headers
    answer.headers = passedBack(answer.rawHeaders, exchange.facts, {
      connection: 'Upgrade',
      ...(upgrade === undefined ? {} : { upgrade }),
    })
    // Deadlines are of requests and answers; a conversation lasts as long as it lasts.
    this.deps.deadlines.remove(this)
    exchange.due = Infinity
    upstream.once('close', () => this.end(undefined))
    this.resolve({ status: 101, headers: [], body: this })
  }

  private fail(code: ErrorCode, cause?: Error): void {
    if (this.phase === 'over') return
    const { phase, door, exchange } = this
    const failure = new Failure(code, { detail: `(${this.target.id})`, cause })
    this.end(code)
    if (phase === 'connect') {
      this.giveUp()
      this.reject(failure)
    } else if (phase === 'ask') {
      // The body is on its way, or gone: what is left of it is nothing to try again with.
      exchange.over ??= code
      // The proxy ends a client's socket as soon as it has told us.
      if ('socket' in door) answerRaw(door.socket, replyTo(exchange, failure))
      this.socket?.destroy()
      this.reject(failure)
    } else {
      exchange.facts.error = failure.message
      this.socket?.destroy()
      if ('response' in door) door.response.destroy()
      else door.socket.destroy()
    }
  }

  private end(code: ErrorCode | undefined): void {
    if (this.phase === 'over') return
    const { phase, facts, exchange, deps } = this
    this.phase = 'over'
    deps.deadlines.remove(this)
    exchange.wait(undefined)
    facts.code = code
    facts.ended = deps.now()
    deps.telemetry.attemptEnded(exchange.facts, facts)
    this.outcome = { code }
    // A connection is of one request: a body that cannot be sent twice is not put on one that may be dead.
    if (phase === 'open') this.socket?.destroySoon()
    for (const listener of this.listeners) listener(code)
  }
}
