import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { answerTrailers, TRAILERS } from '../core/answer-headers.ts'
import { Bytes, NO_BYTES } from '../core/bytes.ts'
import { Failure } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import { Exchange, NOBODY } from '../core/exchange.ts'
import type { Reply, Sink } from '../core/exchange.ts'
import type { Deps } from '../core/deps.ts'
import { errors as errorsLayer } from '../core/layers/errors.ts'
import { observe } from '../core/layers/observe.ts'
import type { Handler } from '../core/pipeline.ts'
import { surfaceOf } from '../core/surfaces/index.ts'
import { opaque } from '../core/surfaces/opaque.ts'
import { realtime, realtimeOf } from '../core/surfaces/realtime.ts'
import type { Place } from '../core/surfaces/index.ts'
import { newFacts, readDoor } from './door.ts'
import type { Door } from './door.ts'
import { ExpressLane, KEEP } from './express-lane.ts'
import type { Station } from './express-lane.ts'
import type { Runtime } from './runtime.ts'

/** What passes through what is none of OpenAI's surfaces: bytes, chosen by path. */
export interface PassThrough {
  request(runtime: Runtime, exchange: Exchange, request: IncomingMessage, response: ServerResponse): void
  upgrade(runtime: Runtime, exchange: Exchange, request: IncomingMessage, socket: Duplex, head: Buffer): void
}

interface Options {
  readonly deps: Deps
  /** Undefined while there is no configuration. */
  readonly runtime: () => Runtime | undefined
  readonly passThrough: PassThrough
  /** Largest body of a request, bytes. */
  readonly bodyLimit: number
}

/** Slow or oversized requests are answered and cut off, ms and bytes. */
const LIMITS = {
  headersTimeout: 20_000,
  requestTimeout: 120_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 64 * 1024,
  // Longer than the SDKs keep their connections, so that it is they who close them.
  keepAliveTimeout: KEEP,
}

/** The port that the app's requests come in on. */
export class Traffic implements Station {
  readonly server: Server
  draining = false
  private readonly lanes = new Set<ExpressLane>()
  private readonly options: Options
  private readonly refuse: (failure: Failure) => Handler
  private inFlight = 0
  private idle: (() => void) | undefined

  constructor(options: Options) {
    this.options = options
    const { deps } = options
    this.refuse = (failure) => errorsLayer(undefined, deps)(observe(undefined, deps)(() => Promise.reject(failure)))
    this.server = createServer({ ...LIMITS, noDelay: true }, (request, response) => this.take(request, response))
    this.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.takeUpgrade(request, socket, head),
    )
    this.server.on('clientError', cutOff)
    this.layLanes()
  }

  /** New connections begin in the express lane, and come to `node:http` at the first request that is not for it. */
  private layLanes(): void {
    const { server, lanes } = this
    const [ordinary] = server.listeners('connection')
    server.removeAllListeners('connection')
    const closed = (lane: ExpressLane) => lanes.delete(lane)
    server.on('connection', (socket: Socket) => {
      const handOver = (lane: ExpressLane) => {
        lanes.delete(lane)
        ordinary?.call(server, socket)
      }
      lanes.add(new ExpressLane(this, socket, handOver, closed))
    })
    const tidy = () => {
      const before = this.deps.now() - KEEP
      for (const lane of lanes) if (lane.idleSince !== undefined && lane.idleSince < before) lane.destroy()
    }
    setInterval(tidy, LIMITS.connectionsCheckingInterval).unref()
  }

  /** Ends every connection, whatever is on it. */
  closeAllConnections(): void {
    for (const lane of this.lanes) lane.destroy()
    this.server.closeAllConnections()
  }

  /** Takes no new connections, and resolves when what is in flight has been answered. */
  async drain(): Promise<void> {
    this.draining = true
    this.server.close()
    this.server.closeIdleConnections()
    for (const lane of this.lanes) lane.finish()
    if (this.inFlight > 0) await new Promise<void>((resolve) => (this.idle = resolve))
    this.closeAllConnections()
  }

  /** Requests that are being answered. */
  get busy(): number {
    return this.inFlight
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    this.began()
    if (this.draining) response.shouldKeepAlive = false
    const url = request.url ?? '/'
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    const query = mark < 0 ? '' : url.slice(mark)
    const place = surfaceOf(path, query)
    if (!place || (isBroad(place, request) && this.passes(request, path)))
      return this.takeOpaque(request, response, path, query)
    const { method } = place.found
    const inbound = new Inbound(this, request, response, place, query)
    if (request.method !== method)
      return inbound.refuse(new Failure('method_not_allowed', { detail: `It takes ${method}.` }))
    if (method === 'GET') return inbound.handle(NO_BYTES)
    inbound.receive()
  }

  /** Whether a rule passes the path through. */
  private passes({ headers }: IncomingMessage, path: string): boolean {
    const header = (name: string) => {
      const value = headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    }
    return (
      this.options.runtime()?.table.findPassThrough({
        model: '',
        path,
        wall: this.options.deps.wall(),
        signals: undefined,
        header,
      }) !== undefined
    )
  }

  private takeOpaque(request: IncomingMessage, response: ServerResponse, path: string, query: string): void {
    const { runtime, passThrough } = this.options
    const inForce = runtime()
    const inbound = new Inbound(this, request, response, placeOf(request, path), query)
    const exchange = inbound.exchange(NO_BYTES)
    if (!inForce) return inbound.refuse(new Failure('not_configured'))
    if (!inForce.table.findPassThrough(exchange)) return inbound.handle(NO_BYTES)
    passThrough.request(inForce, exchange, request, response)
  }

  private takeUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = request.url ?? '/'
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    const query = mark < 0 ? '' : url.slice(mark)
    const asked = this.passes(request, path) ? undefined : realtimeOf(path, query)
    const incoming = {
      ...(asked ? { surface: realtime, found: asked.found } : placeOf(request, path)),
      method: request.method ?? 'GET',
      query: asked ? asked.query : query,
      headers: request.rawHeaders,
      body: NO_BYTES,
    } as const
    const exchange = new Exchange(
      incoming,
      newFacts(incoming, readDoor(request.rawHeaders), this.options.deps.now(), this.options.deps.wall()),
    )
    const inForce = this.options.runtime()
    this.began()
    socket.once('close', () => this.over())
    if (inForce) return this.options.passThrough.upgrade(inForce, exchange, request, socket, head)
    socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  }

  /** The handler of the configuration in force, or one that says why there is none. */
  handler(): Handler {
    return this.options.runtime()?.handle ?? this.refuse(new Failure('not_configured'))
  }

  refusal(failure: Failure): Handler {
    return this.refuse(failure)
  }

  began(): void {
    this.inFlight++
  }

  over(): void {
    this.inFlight--
    if (this.inFlight === 0) this.idle?.()
  }

  get deps(): Deps {
    return this.options.deps
  }

  get bodyLimit(): number {
    return this.options.bodyLimit
  }
}

/**
 * Whether a rule that names the path was meant for it rather than the surface: the surface is one of many models by their paths, or does
 * not take the method.
 */
const isBroad = ({ surface, found }: Place, { method }: IncomingMessage): boolean =>
  found.method !== method ||
  found.model !== undefined ||
  surface.operation === 'health' ||
  surface.operation === 'feedback'

/** Of a request that is none of our surfaces'. */
const placeOf = ({ method }: IncomingMessage, path: string): Place => ({
  surface: opaque,
  found: { path, method: method === 'POST' ? 'POST' : 'GET' },
})

/** Answers up to this size leave in one piece with their head, bytes. */
const ONE_PIECE = 16 * 1024

/** One request at the door, until its answer has left. */
class Inbound implements Sink {
  private readonly traffic: Traffic
  private readonly request: IncomingMessage
  private readonly response: ServerResponse
  private readonly place: Place
  private readonly query: string
  private readonly arrived: number
  private readonly door: Door
  private current: Exchange | undefined
  private chunks: Buffer[] = []
  private size = 0
  private refused = false

  constructor(traffic: Traffic, request: IncomingMessage, response: ServerResponse, place: Place, query: string) {
    this.traffic = traffic
    this.request = request
    this.response = response
    this.place = place
    this.query = query
    this.arrived = traffic.deps.now()
    this.door = readDoor(request.rawHeaders)
    response.on('close', () => {
      // A client that leaves before its request is whole has nobody asked of anything.
      if (!response.writableFinished) this.current?.end('client_closed')
      traffic.over()
    })
  }

  /** Gathers the body, then has it answered. */
  receive(): void {
    const { request, traffic, door } = this
    if (door.encoding !== undefined && door.encoding !== 'identity')
      return this.refuse(new Failure('encoding_not_supported'))
    if (door.length > traffic.bodyLimit) return this.refuse(this.tooLarge())
    request.on('data', (chunk: Buffer) => this.gather(chunk))
    request.on('end', () => {
      if (this.refused) return
      this.handle(new Bytes(this.chunks))
    })
  }

  exchange(body: Bytes): Exchange {
    const { request, place, query } = this
    const incoming = { ...place, method: request.method ?? 'GET', query, headers: request.rawHeaders, body }
    this.current ??= new Exchange(incoming, newFacts(incoming, this.door, this.arrived, this.traffic.deps.wall()))
    return this.current
  }

  /** Answers with an error. A body that is still coming is read and thrown away: with a reset the client might never see the answer. */
  refuse(failure: Failure): void {
    this.refused = true
    this.chunks = []
    this.request.resume()
    this.run(this.traffic.refusal(failure), this.exchange(NO_BYTES))
  }

  handle(body: Bytes): void {
    this.run(this.traffic.handler(), this.exchange(body))
  }

  // What a streamed answer says.

  write(chunk: Buffer): boolean {
    return this.response.write(chunk)
  }

  end(): void {
    const { response, current } = this
    const trailers = current && response.chunkedEncoding ? answerTrailers(current.facts) : []
    if (trailers.length > 0) response.addTrailers(pairs(trailers))
    response.end()
  }

  /** The answer was cut, and its form has no place to say so: neither may the connection end as if it were whole. */
  fail(_code: ErrorCode): void {
    this.response.destroy()
  }

  private gather(chunk: Buffer): void {
    if (this.refused) return
    this.size += chunk.length
    if (this.size > this.traffic.bodyLimit) return this.refuse(this.tooLarge())
    this.chunks.push(chunk)
  }

  private run(handler: Handler, exchange: Exchange): void {
    handler(exchange)
      .then((reply) => this.reply(reply))
      .catch(() => this.response.destroy()) // the errors layer answers all there are; this is for what nobody foresaw
  }

  private reply({ status, headers, body }: Reply): void {
    const { response } = this
    if (response.destroyed) return Buffer.isBuffer(body) ? undefined : body.flow(NOBODY)
    if (Buffer.isBuffer(body)) {
      headers.push('content-length', String(body.length))
      response.writeHead(status, headers)
      // As a string it goes out with the head in one write; one character a byte, so that its bytes stay what they are.
      if (body.length <= ONE_PIECE) response.end(body.toString('latin1'), 'latin1')
      else response.end(body)
      return
    }
    // HTTP/1.0 has no chunks, and so no place after them.
    if (this.request.httpVersion !== '1.0') headers.push('trailer', TRAILERS)
    response.writeHead(status, headers)
    response.on('drain', () => body.resume())
    body.flow(this)
  }

  private tooLarge(): Failure {
    return new Failure('body_too_large', { detail: `It may hold ${this.traffic.bodyLimit} bytes.` })
  }
}

/** A flat list of names and values as a list of pairs. */
function pairs(flat: readonly string[]): [string, string][] {
  const list: [string, string][] = []
  for (let i = 0; i + 1 < flat.length; i += 2) list.push([flat[i] ?? '', flat[i + 1] ?? ''])
  return list
}

const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/** What is no HTTP, or too slow or too large for us, gets a status line and the end of the connection. */
function cutOff(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  socket.end(
    `HTTP/1.1 ${CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  )
}
