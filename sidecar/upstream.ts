import { Client } from 'undici'
import type { Dispatcher } from 'undici'
import type { Call, Receiver, Running } from '../core/deps.ts'
import { connect } from './connect.ts'
import type { Destination } from './connect.ts'
import { ForbiddenAddress } from './forbidden.ts'

/** A reused connection that was idle for so long may have been closed by the other side at this very moment, ms. */
const STALE_AFTER = 1000

/** Whether an error says that the other side had closed the connection. */
const CLOSED = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/** Connections to one destination. The one used last is used first, so that those beyond the need idle out. */
export class Pool {
  private readonly destination: Destination
  private readonly origin: string
  private readonly idle: Connection[] = []
  private readonly all = new Set<Connection>()
  private closed = false

  constructor(destination: Destination) {
    this.destination = destination
    const host = destination.host.includes(':') ? `[${destination.host}]` : destination.host
    this.origin = `${destination.tls ? 'https' : 'http'}://${host}:${destination.port}`
  }

  /** Sends a request; what becomes of it goes to the receiver. */
  call(call: Call, receiver: Receiver): Running {
    const running = new Exchanged(this, call, receiver)
    running.start(this.idle.pop() ?? this.open())
    return running
  }

  open(): Connection {
    const connection = new Connection(this.origin, this.destination, this)
    this.all.add(connection)
    return connection
  }

  release(connection: Connection): void {
    if (this.closed) this.drop(connection)
    else this.idle.push(connection)
  }

  drop(connection: Connection): void {
    if (!this.all.delete(connection)) return
    const at = this.idle.lastIndexOf(connection)
    if (at >= 0) this.idle.splice(at, 1)
    connection.destroy()
  }

  /** Ends idle connections now, and the others when their call is over. */
  close(): void {
    this.closed = true
    for (const connection of [...this.idle]) this.drop(connection)
  }
}

/** One connection with at most one call on it. */
class Connection {
  readonly client: Client
  /** Whether there is an open connection, so that a call now would reuse it. */
  open = false
  /** When the last call ended, of `performance.now()`. */
  idleSince = 0
  private giveUp: (() => void) | undefined

  constructor(origin: string, destination: Destination, pool: Pool) {
    this.client = new Client(origin, {
      connect: (_options, done) => {
        this.giveUp = connect(destination, (error, socket) => {
          this.giveUp = undefined
          // undici takes either an error or a socket.
          if (error) done(error, null)
          else if (socket) done(null, socket)
        })
      },
      allowH2: false,
      pipelining: 1,
      // Deadlines are the attempt's own.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 64 * 1024,
    })
    this.client.on('connect', () => {
      this.open = true
    })
    this.client.on('disconnect', () => {
      this.open = false
      if (this.idleSince > 0) pool.drop(this)
    })
  }

  destroy(): void {
    this.giveUp?.()
    this.client.destroy().catch(() => {})
  }
}

const IDLE = 0
const SENT = 1
const HEAD = 2
const OVER = 3

/** One call, as undici's handler. */
class Exchanged implements Dispatcher.DispatchHandler, Running {
  private readonly pool: Pool
  private readonly request: Call
  private readonly receiver: Receiver
  private connection: Connection | undefined
  private controller: Dispatcher.DispatchController | undefined
  private state = IDLE
  /** The connection had been idle for a while, and may be dead without our having heard of it yet. */
  private doubtful = false

  constructor(pool: Pool, request: Call, receiver: Receiver) {
    this.pool = pool
    this.request = request
    this.receiver = receiver
  }

  start(connection: Connection): void {
    this.connection = connection
    this.doubtful = connection.open && performance.now() - connection.idleSince > STALE_AFTER
    connection.idleSince = 0
    const { method, path, headers, body } = this.request
    connection.client.dispatch({ method, path, headers, body }, this)
  }

  resume(): void {
    this.controller?.resume()
  }

  abort(): void {
    if (this.state === OVER) return
    this.state = OVER
    // Destroying ends a connection that is still being made too.
    if (this.connection) this.pool.drop(this.connection)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.state !== IDLE) return
    this.state = SENT
    this.receiver.sent()
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[]>): void {
    if (this.state === OVER || status < 200) return
    this.state = HEAD
    const flat: string[] = []
    for (const name in headers) {
      const value = headers[name]
      if (typeof value === 'string') flat.push(name, value)
      else if (value) for (const one of value) flat.push(name, one)
    }
    this.receiver.head(status, flat)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.state === HEAD && !this.receiver.data(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    const { connection } = this
    if (this.state === OVER || !connection) return
    this.state = OVER
    connection.idleSince = performance.now()
    this.pool.release(connection)
    this.receiver.ended()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    const { state, connection } = this
    if (state === OVER) return
    if (connection) this.pool.drop(connection)
    if (state === SENT && this.doubtful && CLOSED.has(codeOf(error))) {
      // The other side closed an idle connection just as we used it: it has not seen the request, and nobody need know.
      this.state = IDLE
      this.start(this.pool.open())
      return
    }
    this.state = OVER
    if (state === IDLE) this.receiver.failed(isForbiddenAddress(error) ? 'forbidden' : 'connect', error)
    else this.receiver.failed(state === SENT ? 'reset' : 'cut', error)
  }
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** With several addresses tried, node raises an AggregateError of what became of each. */
function isForbiddenAddress(error: Error): boolean {
  return error instanceof ForbiddenAddress || (error instanceof AggregateError && error.errors.some(isForbiddenAddress))
}
