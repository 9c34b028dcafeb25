import { Agent } from 'node:http'
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ProxyServer } from 'http-proxy'
import { answerHeaders } from '../core/answer-headers.ts'
import type { Deps, Due } from '../core/deps.ts'
import { Failure } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { AttemptFacts, Exchange, Reply, Settled, Stream, Waiting } from '../core/exchange.ts'
import { answerHeadersOf, headerOf } from '../core/headers.ts'
import { chooseAddress } from '../core/layers/attempt.ts'
import { replyTo } from '../core/layers/errors.ts'
import type { Target } from '../core/target.ts'
import { translate } from '../core/translate.ts'
import { connect } from './connect.ts'
import { Place } from './endpoints.ts'
import { ForbiddenAddress } from './forbidden.ts'
import { answerRaw } from './raw-answer.ts'

/** Where a request came in: with a response to be given, or a socket to be handed over. */
export type Door =
  | { readonly request: IncomingMessage; readonly response: ServerResponse }
  | { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }

/** Of the caller's request, the headers that are of its body, or of the upgrade: the bytes go on as they are, and so do these. */
const KEPT = ['content-length', 'transfer-encoding', 'content-encoding', 'accept-encoding'] as const
/** A subprotocol that carries the caller's key, for browsers, which can set no header. */
const KEY_IN_PROTOCOL = /openai-insecure-api-key\.[^\s,]+,?\s*/gi

/** A request on its way through to one target: connected first, so that nothing of it is lost on a target that is not there. */
export class Passage implements Stream, Due, Waiting {
  due: number
  slot = -1
  private readonly exchange: Exchange
  private readonly door: Door
  private readonly proxy: ProxyServer
  private readonly deps: Deps
  private readonly target: Target
  private readonly place: Place
  private readonly facts: AttemptFacts
  private readonly traceparent: string | undefined
  private readonly last: number
  private phase: 'connect' | 'ask' | 'answer' | 'open' | 'over' = 'connect'
  private socket: Socket | undefined
  private giveUp: () => void = () => {}
  private resolve: (reply: Reply) => void = () => {}
  private reject: (failure: Failure) => void = () => {}
  private outcome: { readonly code: ErrorCode | undefined } | undefined
  private readonly listeners: Settled[] = []

  /** Throws a `Failure` where the target has no address to call. */
  constructor(exchange: Exchange, door: Door, proxy: ProxyServer, deps: Deps) {
    const { target, rule } = exchange
    if (!target || !rule) throw new Error('no target was set')
    const { endpoint, model } = target
    const place = chooseAddress(endpoint, deps.random, exchange.panic, exchange.lastAddress)
    if (!(place instanceof Place)) throw new Failure('unhealthy', { detail: target.id })
    exchange.lastAddress = place
    this.exchange = exchange
    this.door = door
    this.proxy = proxy
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
      span: undefined,
    }
    exchange.facts.attempts.push(this.facts)
    exchange.facts.endpoint = endpoint.name
    this.traceparent = deps.telemetry.attemptStarted(exchange.facts, this.facts)
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
    const { door, proxy } = this
    const { path, headers } = translate(this.exchange, this.target, this.traceparent).call
    const { request } = door
    const upgrading = 'socket' in door
    request.url = path
    request.headers = this.requestHeaders(headers, request, upgrading)
    const options = {
      target: { protocol: 'http:', host: this.place.host, port: this.place.port },
      agent: new Given(socket),
    }
    const failed = (error: Error) =>
      this.fail(this.phase === 'answer' ? 'upstream_truncated' : 'connection_reset', error)
    if (upgrading) {
      const heard = (outgoing: ClientRequest, asking: IncomingMessage) => {
        if (asking !== request) return
        proxy.off('proxyReqWs', heard)
        outgoing.prependListener('upgrade', (answer: IncomingMessage, opened: Duplex) => this.opened(answer, opened))
        outgoing.prependListener('response', (answer: IncomingMessage) => this.answered(answer, true))
      }
      proxy.on('proxyReqWs', heard)
      proxy.ws(request, door.socket, door.head, options, failed)
      return
    }
    const heard = (answer: IncomingMessage, asking: IncomingMessage) => {
      if (asking !== request) return
      proxy.off('proxyRes', heard)
      this.answered(answer, false)
    }
    proxy.on('proxyRes', heard)
    this.settled(() => proxy.off('proxyRes', heard))
    door.response.once('finish', () => this.end(this.facts.code))
    proxy.web(request, door.response, options, failed)
    request.on('data', (chunk: Buffer) => (this.exchange.facts.requestBytes += chunk.length))
  }

  /** The headers that go on: those of any request, and what belongs to bytes that are not looked into. */
  private requestHeaders(
    flat: readonly string[],
    request: IncomingMessage,
    upgrading: boolean,
  ): IncomingMessage['headers'] {
    const { headers: caller } = request
    const headers: Record<string, string | string[]> = {}
    for (let i = 0; i < flat.length; i += 2) {
      const [name = '', value = ''] = [flat[i], flat[i + 1]]
      const before = headers[name]
      headers[name] = before === undefined ? value : [before, value].flat()
    }
    delete headers['accept-encoding']
    for (const name of KEPT) {
      const value = caller[name]
      if (value !== undefined) headers[name] = value
    }
    if (!upgrading) return headers
    headers['connection'] = 'Upgrade'
    headers['upgrade'] = caller.upgrade ?? 'websocket'
    const protocols = headers['sec-websocket-protocol']
    if (typeof protocols !== 'string' || this.target.endpoint.authorization === 'passthrough') return headers
    const others = protocols.replaceAll(KEY_IN_PROTOCOL, '').replace(/,\s*$/, '')
    if (others === '') delete headers['sec-websocket-protocol']
    else headers['sec-websocket-protocol'] = others
    return headers
  }

  /** An answer that is no upgrade has begun. */
  private answered(answer: IncomingMessage, raw: boolean): void {
    const { exchange, facts } = this
    if (this.phase !== 'ask') return
    this.phase = 'answer'
    facts.firstByte = exchange.facts.firstByte = this.deps.now()
    facts.status = answer.statusCode ?? 0
    // What the target says goes on as it is; that it is an error counts against it all the same.
    facts.code = facts.status >= 500 ? 'upstream_error' : undefined
    answer.headers = this.answerHeaders(answer, raw ? { connection: 'close' } : {})
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
    answer.headers = this.answerHeaders(answer, {
      connection: 'Upgrade',
      ...(upgrade === undefined ? {} : { upgrade }),
    })
    // Deadlines are of requests and answers; a conversation lasts as long as it lasts.
    this.deps.deadlines.remove(this)
    exchange.due = Infinity
    upstream.once('close', () => this.end(undefined))
    this.resolve({ status: 101, headers: [], body: this })
  }

  private answerHeaders(answer: IncomingMessage, more: Record<string, string>): IncomingMessage['headers'] {
    const headers: Record<string, string | string[]> = {}
    const flat = [...answerHeadersOf(answer.rawHeaders), ...answerHeaders(this.exchange.facts)]
    for (let i = 0; i < flat.length; i += 2) {
      const [name = '', value = ''] = [flat[i], flat[i + 1]]
      const before = headers[name]
      headers[name] = before === undefined ? value : [before, value].flat()
    }
    for (const name of ['content-length', 'content-encoding']) {
      const value = headerOf(answer.rawHeaders, name)
      if (value !== '') headers[name] = value
    }
    return { ...headers, ...more }
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

/** Gives a request the connection that was made for it. */
class Given extends Agent {
  private readonly socket: Socket

  constructor(socket: Socket) {
    super({ keepAlive: false })
    this.socket = socket
  }

  override createConnection(): Socket {
    return this.socket
  }
}
