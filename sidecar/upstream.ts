import type { Socket } from 'node:net'
import type { Call, Receiver, Running } from '../core/deps.ts'
import { connect } from './connect.ts'
import type { Destination } from './connect.ts'
import { ForbiddenAddress } from './forbidden.ts'
import { ResponseReader } from './response-reader.ts'
import type { Listener } from './response-reader.ts'

/** An idle connection is kept for so long, ms, unless the other side says how long it keeps it: many servers close theirs after 5 s. */
const KEEP = 4000
/** It is given up so much before the other side would close it, ms. */
const MARGIN = 1000
/** A reused connection that was idle for so long may have been closed by the other side at this very moment, ms. */
const STALE_AFTER = 1000
/** Bodies up to this size go out in one piece with their head, bytes. */
const ONE_PIECE = 16 * 1024

/** Connections to one destination. The one used last is used first, so that those beyond the need idle out. */
export class Pool {
  private readonly destination: Destination
  /** The one that has been idle for longest comes first. */
  private readonly idle: Connection[] = []
  private timer: NodeJS.Timeout | undefined
  private closed = false

  constructor(destination: Destination) {
    this.destination = destination
  }

  /** Sends a request; what becomes of it goes to the receiver. */
  call(call: Call, receiver: Receiver): Running {
    const running = new Calling(this, call, receiver)
    running.start(this.idle.pop() ?? this.open())
    return running
  }

  open(): Connection {
    return new Connection(this, this.destination)
  }

  release(connection: Connection): void {
    if (this.closed) return connection.destroy()
    this.idle.push(connection)
    this.timer ??= setInterval(() => this.tidy(), 1000).unref()
  }

  /** An idle connection has gone. */
  forget(connection: Connection): void {
    const at = this.idle.lastIndexOf(connection)
    if (at >= 0) this.idle.splice(at, 1)
  }

  /** Ends idle connections now, and the others when their call is over. */
  close(): void {
    this.closed = true
    clearInterval(this.timer)
    for (const connection of [...this.idle]) connection.destroy()
  }

  private tidy(): void {
    const now = performance.now()
    for (const connection of this.idle.filter(({ expires }) => expires <= now)) connection.destroy()
    if (this.idle.length > 0) return
    clearInterval(this.timer)
    this.timer = undefined
  }
}

/** What is read goes here first, from all connections: each read is dealt with before the next one. */
const shared = Buffer.allocUnsafeSlow(64 * 1024)

/** One connection with at most one call on it. */
class Connection implements Listener {
  /** When it is given up, if it stays idle, of `performance.now()`. */
  expires = 0
  private readonly pool: Pool
  private readonly reader = new ResponseReader(this)
  private calling: Calling | undefined
  private socket: Socket | undefined
  private giveUp: (() => void) | undefined
  private idleSince = 0
  private paused = false
  private error: Error | undefined

  constructor(pool: Pool, destination: Destination) {
    this.pool = pool
    const read = (size: number) => this.read(shared.subarray(0, size), true)
    this.giveUp = connect(
      destination,
      (error, socket, reads) => {
        this.giveUp = undefined
        if (!socket) return this.calling?.failed('connect', error ?? new Error('no connection'))
        this.socket = socket
        socket
          .on('error', (error) => (this.error = error))
          .on('end', () => this.calling ?? this.destroy()) // an idle one that the other side ends takes no further call
          .on('close', () => this.closed())
        if (!reads) socket.on('data', (chunk: Buffer) => void (this.read(chunk, false) || socket.pause()))
        // It may have been left alone while it was being made.
        if (this.calling) this.send(this.calling)
      },
      { buffer: shared, callback: read },
    )
  }

  /** Whether it has been idle for so long that it may be dead without our having heard of it. */
  get doubtful(): boolean {
    return this.idleSince > 0 && performance.now() - this.idleSince > STALE_AFTER
  }

  take(calling: Calling): void {
    this.calling = calling
    if (this.socket) this.send(calling)
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.socket?.resume()
  }

  destroy(): void {
    this.calling = undefined
    this.pool.forget(this)
    this.giveUp?.()
    this.socket?.destroy()
  }

  // What the reader finds.

  head(status: number, headers: readonly string[]): void {
    this.calling?.head(status, headers)
  }

  body(chunk: Buffer): void {
    if (this.calling && !this.calling.data(chunk)) this.paused = true
  }

  complete(): void {
    const { calling, reader, socket } = this
    if (!calling || !socket) return
    this.calling = undefined
    // Whoever could take no more of this answer has it all: the next one on this connection is not to wait for that.
    this.resume()
    // A body that is still on its way would be taken for the next request.
    if (reader.reusable && socket.writableLength === 0) {
      const keep = reader.keepFor === undefined ? KEEP : reader.keepFor - MARGIN
      this.idleSince = performance.now()
      this.expires = this.idleSince + keep
      if (keep > 0) this.pool.release(this)
      else this.destroy()
    } else this.destroy()
    calling.ended()
  }

  /** False: read no more for now. */
  private read(chunk: Buffer, borrowed: boolean): boolean {
    try {
      this.reader.push(chunk, borrowed)
    } catch (error) {
      const { calling } = this
      this.destroy()
      calling?.failed('malformed', error instanceof Error ? error : new Error(String(error)))
    }
    return !this.paused
  }

  private closed(): void {
    const { calling, reader, error = new Error('the other side closed the connection') } = this
    if (!calling) return this.pool.forget(this)
    this.calling = undefined
    if (reader.endsWithConnection && this.error === undefined) calling.ended()
    else calling.failed(calling.answered ? 'cut' : 'reset', error)
  }

  private send(calling: Calling): void {
    const { socket } = this
    if (!socket) return
    const { method, path, headers, body } = calling.request
    this.reader.expect(method)
    this.paused = false
    let head = `${method} ${path} HTTP/1.1\r\n`
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
    if (body.length > 0 || method === 'POST' || method === 'PUT') head += `content-length: ${body.length}\r\n\r\n`
    else head += '\r\n'
    if (body.length <= ONE_PIECE) {
      // One character a byte, so that its bytes stay what they are.
      for (const piece of body.pieces) head += piece.toString('latin1')
      socket.write(head, 'latin1')
    } else {
      socket.cork()
      socket.write(head, 'latin1')
      for (const piece of body.pieces) socket.write(piece)
      socket.uncork()
    }
    calling.sent()
  }
}

/** One call, on a connection, or on a second one where the first turned out to be dead. */
class Calling implements Running {
  readonly request: Call
  /** The head of the response has come. */
  answered = false
  private readonly pool: Pool
  private readonly receiver: Receiver
  private connection: Connection | undefined
  private doubtful = false
  private over = false

  constructor(pool: Pool, request: Call, receiver: Receiver) {
    this.pool = pool
    this.request = request
    this.receiver = receiver
  }

  start(connection: Connection): void {
    this.connection = connection
    this.doubtful = connection.doubtful
    connection.take(this)
  }

  resume(): void {
    if (!this.over) this.connection?.resume()
  }

  abort(): void {
    if (this.over) return
    this.over = true
    this.connection?.destroy()
  }

  sent(): void {
    if (!this.over) this.receiver.sent()
  }

  head(status: number, headers: readonly string[]): void {
    this.answered = true
    if (!this.over) this.receiver.head(status, headers)
  }

  data(chunk: Buffer): boolean {
    return this.over || this.receiver.data(chunk)
  }

  ended(): void {
    if (this.over) return
    this.over = true
    this.receiver.ended()
  }

  failed(stage: 'connect' | 'reset' | 'cut' | 'malformed', error: Error): void {
    if (this.over) return
    if (stage === 'reset' && this.doubtful) {
      // The other side closed an idle connection just as we used it: it has not seen the request, and nobody need know.
      return this.start(this.pool.open())
    }
    this.over = true
    this.receiver.failed(stage === 'connect' && isForbiddenAddress(error) ? 'forbidden' : stage, error)
  }
}

/** With several addresses tried, node raises an AggregateError of what became of each. */
function isForbiddenAddress(error: Error): boolean {
  return error instanceof ForbiddenAddress || (error instanceof AggregateError && error.errors.some(isForbiddenAddress))
}
