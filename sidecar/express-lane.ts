import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { answerTrailers, TRAILERS } from '../core/answer-headers.ts'
import { Bytes } from '../core/bytes.ts'
import type { Deps, Due } from '../core/deps.ts'
import { Exchange, NOBODY } from '../core/exchange.ts'
import type { Reply, Sink } from '../core/exchange.ts'
import type { Handler } from '../core/pipeline.ts'
import { newFacts, readDoor } from './door.ts'
import { readHead } from './request-head.ts'
import type { RequestHead } from './request-head.ts'

/** What is around the lanes. */
export interface Station {
  readonly deps: Deps
  readonly bodyLimit: number
  /** No further request is taken on a connection. */
  readonly draining: boolean
  handler(): Handler
  /** A request has come in; one has been answered, or its client has left. */
  began(): void
  over(): void
}

/** A body has so long to arrive, and an idle connection so long to be used again, ms. */
const BODY = 120_000
export const KEEP = 120_000
/** Pieces up to this size are written as one string with what surrounds them, bytes. */
const ONE_PIECE = 16 * 1024

/**
 * One connection of an app, for as long as it sends nothing but plain requests to OpenAI's surfaces, which is nearly always: those are
 * read and answered here with one write each. At the first request of any other form, the connection goes over to `node:http` for good,
 * with what has come of it; see `request-head.ts`.
 */
export class ExpressLane implements Sink, Due {
  due = Infinity
  slot = -1
  /** Since when it has been idle, of `Deps.now()`; undefined while it has a request. */
  idleSince: number | undefined
  private readonly station: Station
  private readonly socket: Socket
  private readonly handOver: (lane: ExpressLane) => void
  private head: RequestHead | undefined
  private parts: Buffer[] = []
  private size = 0
  private exchange: Exchange | undefined
  private arrived = 0
  /** What came while a request was being answered. */
  private early: Buffer | undefined
  /** The head of a streamed answer, until the first of its body goes with it. */
  private unsent = ''
  private resume: (() => void) | undefined

  /** The connection closes with the answer that is under way. */
  private closing = false
  private readonly closed: (lane: ExpressLane) => void

  /** `handOver` takes the socket to `node:http`; `closed` hears of its end while it is ours. */
  constructor(
    station: Station,
    socket: Socket,
    handOver: (lane: ExpressLane) => void,
    closed: (lane: ExpressLane) => void,
  ) {
    this.station = station
    this.socket = socket
    this.handOver = handOver
    this.closed = closed
    this.idleSince = station.deps.now()
    socket
      .on('data', this.data)
      .on('end', this.halfClosed)
      .on('error', this.failed)
      .on('drain', this.drained)
      .on('close', this.gone)
  }

  /** Ends the connection, at once if it is idle, else with the answer that is under way. */
  finish(): void {
    if (this.idleSince !== undefined) this.socket.destroy()
  }

  destroy(): void {
    this.socket.destroy()
  }

  // What the client does.

  private readonly data = (chunk: Buffer): void => {
    if (this.exchange) {
      // The next request, before this one is answered: it waits, and so does the client.
      this.early = this.early ? Buffer.concat([this.early, chunk]) : chunk
      this.socket.pause()
    } else if (this.head) this.gather(this.head, chunk)
    else this.begin(chunk)
  }

  private readonly halfClosed = (): void => {
    if (this.exchange || this.head) this.socket.destroy()
    else this.socket.end()
  }

  private readonly failed = (): void => {}

  private readonly drained = (): void => this.resume?.()

  private readonly gone = (): void => {
    const { exchange, head, station } = this
    this.closed(this)
    station.deps.deadlines.remove(this)
    if (!exchange && !head) return
    // First, since what is told next may want to say goodbye to the client.
    this.exchange = this.head = undefined
    station.over()
    exchange?.end('client_closed')
  }

  private begin(chunk: Buffer): void {
    const { station } = this
    const head = readHead(chunk)
    if (!head || head.length > station.bodyLimit) return this.leave(chunk)
    this.idleSince = undefined
    this.arrived = station.deps.now()
    station.began()
    const end = head.start + head.length
    if (chunk.length >= end) {
      if (chunk.length > end) this.early = chunk.subarray(end)
      return this.take(head, [chunk.subarray(head.start, end)])
    }
    this.head = head
    this.parts = [chunk.subarray(head.start)]
    this.size = chunk.length - head.start
    this.due = this.arrived + BODY
    station.deps.deadlines.add(this)
  }

  private gather(head: RequestHead, chunk: Buffer): void {
    this.parts.push(chunk)
    this.size += chunk.length
    if (this.size < head.length) return
    const { parts } = this
    this.station.deps.deadlines.remove(this)
    this.head = undefined
    this.parts = []
    const beyond = this.size - head.length
    if (beyond > 0) {
      this.early = chunk.subarray(chunk.length - beyond)
      parts[parts.length - 1] = chunk.subarray(0, chunk.length - beyond)
    }
    this.take(head, parts)
  }

  /** The body has not come in time. */
  expire(): void {
    this.socket.end('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    this.socket.destroySoon()
    this.station.deps.deadlines.remove(this)
  }

  private take({ place, headers, close }: RequestHead, parts: readonly Buffer[]): void {
    const { station, arrived } = this
    const body = new Bytes(parts)
    const { surface, found } = place
    const incoming = { surface, found, method: 'POST', query: '', headers, body }
    const exchange = new Exchange(incoming, newFacts(incoming, readDoor(headers), arrived, station.deps.wall()))
    this.exchange = exchange
    station
      .handler()(exchange)
      .then((reply) => this.reply(reply, close || station.draining))
      .catch(() => this.socket.destroy()) // the errors layer answers all there are; this is for what nobody foresaw
  }

  /** The connection is `node:http`'s from now on. */
  private leave(chunk: Buffer): void {
    const { socket } = this
    socket
      .off('data', this.data)
      .off('end', this.halfClosed)
      .off('error', this.failed)
      .off('drain', this.drained)
      .off('close', this.gone)
    this.handOver(this)
    socket.unshift(chunk)
  }

  // What is answered.

  private reply({ status, headers, body }: Reply, close: boolean): void {
    const { socket } = this
    if (socket.destroyed) return Buffer.isBuffer(body) ? undefined : body.flow(NOBODY)
    const now = this.station.deps.now()
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
    head += close
      ? `date: ${date(now)}\r\nconnection: close\r\n`
      : `date: ${date(now)}\r\nconnection: keep-alive\r\nkeep-alive: timeout=${KEEP / 1000}\r\n`
    this.closing = close
    if (!Buffer.isBuffer(body)) {
      this.unsent = `${head}trailer: ${TRAILERS}\r\ntransfer-encoding: chunked\r\n\r\n`
      this.resume = () => body.resume()
      body.flow(this)
      return
    }
    head += `content-length: ${body.length}\r\n\r\n`
    // One character a byte, so that its bytes stay what they are.
    if (body.length <= ONE_PIECE) socket.write(head + body.toString('latin1'), 'latin1')
    else {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(body)
      socket.uncork()
    }
    this.answered()
  }
  write(chunk: Buffer): boolean {
    const { socket, unsent } = this
    if (chunk.length === 0) return true
    this.unsent = ''
    const size = `${unsent}${chunk.length.toString(16)}\r\n`
    if (chunk.length <= ONE_PIECE) return socket.write(`${size}${chunk.toString('latin1')}\r\n`, 'latin1')
    socket.cork()
    socket.write(size, 'latin1')
    socket.write(chunk)
    const more = socket.write('\r\n', 'latin1')
    socket.uncork()
    return more
  }

  end(): void {
    let last = `${this.unsent}0\r\n`
    const trailers = this.exchange ? answerTrailers(this.exchange.facts) : []
    for (let i = 0; i < trailers.length; i += 2) last += `${trailers[i]}: ${trailers[i + 1]}\r\n`
    this.socket.write(`${last}\r\n`, 'latin1')
    this.answered()
  }

  /** The answer was cut, and its form has no place to say so: neither may the connection end as if it were whole. */
  fail(): void {
    this.socket.destroy()
  }

  private answered(): void {
    const { station, socket, early } = this
    // A client that left has been accounted for.
    if (!this.exchange) return
    this.exchange = undefined
    this.resume = undefined
    this.unsent = ''
    station.over()
    if (this.closing || station.draining) {
      socket.end()
      return
    }
    this.idleSince = station.deps.now()
    if (!early) return
    this.early = undefined
    this.begin(early)
    socket.resume()
  }
}

let second = 0
let text = ''

/** The `date` header, worked out once a second. */
function date(now: number): string {
  const at = Math.floor(now / 1000)
  if (at !== second || text === '') {
    second = at
    text = new Date().toUTCString()
  }
  return text
}
