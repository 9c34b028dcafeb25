import { connect, type Socket } from 'node:net'
import { now, paths, stamp } from '../wire.ts'

/** Where to send requests, and what the system asks to be sent. */
export interface Destination {
  readonly port: number
  readonly headers: Readonly<Record<string, string>>
  /** OpenAI's unless given. */
  readonly path?: string
}

/** A chat request on the wire. */
export function encode({ headers, path = paths.openai }: Destination, body: string): string {
  const lines = Object.entries({
    host: '127.0.0.1',
    'content-type': 'application/json',
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
  })
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}

/** Hears of each event's delay (ms from its sending to its reading, by the stamp it carries) and of the end of the answer. */
interface Listener {
  readonly onEvent?: (delay: number) => void
  /** `whole` is false where the connection broke. */
  readonly onEnd?: (whole: boolean) => void
}

/**
 * One kept connection that sends the same request and reads the answers. On raw sockets with one buffer for all, since it shares its core
 * with the upstream; it knows only what the benchmarks' upstreams answer: chunked streams, and JSON with a content length.
 */
export class Connection {
  private readonly socket: Socket
  private listener: Listener = {}
  private tail = ''
  private left = Number.NaN
  readonly opened: Promise<void>

  constructor({ port }: Destination, buffer: Buffer) {
    this.socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer,
        callback: (size) => {
          this.read(buffer.subarray(0, size))
          return true
        },
      },
    })
    this.opened = new Promise((resolve, reject) => this.socket.once('connect', resolve).once('error', reject))
    this.opened.catch(() => {}) // reported by `close` to whoever waits for an answer
    this.socket.on('error', () => {})
    this.socket.on('close', () => this.listener.onEnd?.(false))
  }

  send(request: string, listener: Listener): void {
    this.listener = listener
    this.tail = ''
    this.left = Number.NaN
    this.socket.write(request, 'latin1')
  }

  destroy(): void {
    this.listener = {}
    this.socket.destroy()
  }

  private read(bytes: Buffer): void {
    if (Number.isNaN(this.left)) this.left = bodyLeft(bytes)
    else if (this.left !== Infinity) this.left -= bytes.length
    if (this.left === Infinity) this.events(bytes)
    const ended = this.left === Infinity ? endsChunked(bytes) : this.left <= 0
    if (!ended) return
    const { onEnd } = this.listener
    this.listener = {}
    onEnd?.(true)
  }

  private events(bytes: Buffer): void {
    const at = now()
    let from = 0
    if (this.tail !== '') {
      const text = this.tail + bytes.toString('latin1', 0, stamp.length)
      if (text.length >= stamp.length) this.listener.onEvent?.(at - Number(text.slice(1, stamp.length)))
      from = stamp.length - this.tail.length
      this.tail = ''
    }
    for (;;) {
      const mark = bytes.indexOf(stamp.mark, from)
      if (mark < 0) return
      if (mark + stamp.length > bytes.length) {
        this.tail = bytes.toString('latin1', mark)
        return
      }
      this.listener.onEvent?.(at - Number(bytes.toString('latin1', mark + 1, mark + stamp.length)))
      from = mark + stamp.length
    }
  }
}

/** Bytes of the body that are still to come after the first read, which has the headers; Infinity for a chunked one. */
function bodyLeft(first: Buffer): number {
  const text = first.toString('latin1')
  if (!text.startsWith('HTTP/1.1 200')) throw new Error(`the answer was ${text.slice(0, 400)}`)
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
  return length === undefined ? Infinity : Number(length) - (first.length - (text.indexOf('\r\n\r\n') + 4))
}

/** Whether a chunked body ends here: its last chunk is `0`. No event of ours ends so. */
function endsChunked(bytes: Buffer): boolean {
  const text = bytes.toString('latin1', Math.max(0, bytes.length - 512))
  // Trailers may stand between the last chunk and the end.
  return text.endsWith('\r\n\r\n') && (text.startsWith('0\r\n') || text.includes('\n0\r\n'))
}
