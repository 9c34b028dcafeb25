import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { WebSocketServer, type WebSocket } from 'ws'
import { Refused, type Tokens } from './authenticate.ts'
import { CLOSE, type Channel, type Identity } from './channel.ts'
import { Pieces } from './pieces.ts'
import type { AttachedSession } from './push.ts'
import type { PodView } from './world.ts'

export interface SidecarSocketsOptions {
  readonly tokens: Tokens
  /** The pod of that name as the watches have it. */
  readonly pod: (name: string) => PodView | undefined
  readonly attach: (channel: Channel, identity: Identity) => AttachedSession
  readonly refused: () => void
  readonly log: Logger
}

interface Open {
  readonly identity: Identity
  readonly session: AttachedSession
  /** When its token ends, ms since the epoch. */
  expires: number
}

/** Sidecars say little: a hello with what they have, reports. */
const LARGEST = 32 << 20
const SWEEP = 1000
const PING = 20_000
/** A pod that has just started may connect before the watch has brought it. */
const PATIENCE = 3000

/**
 * The sidecars' WebSockets. Each is let in by its pod's own token, as the API server knows it, and stays as long as the pod is there and
 * its token is good or is renewed on the socket.
 */
export class SidecarSockets {
  readonly #options: SidecarSocketsOptions
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: LARGEST, perMessageDeflate: false })
  readonly #open = new Map<AttachedSession, Open>()
  readonly #timers: readonly NodeJS.Timeout[]

  constructor(options: SidecarSocketsOptions) {
    this.#options = options
    this.#timers = [setInterval(() => this.sweep(), SWEEP), setInterval(() => keepAlive(this.#server), PING)]
  }

  /** Takes an upgrade, or refuses it with 401 and the reason. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    try {
      const { identity, expires } = await this.#identify(bearerToken(request))
      if (socket.destroyed) return
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        const session = this.#options.attach(channel(webSocket), identity)
        this.#open.set(session, { identity, session, expires })
        webSocket.on('close', () => this.#open.delete(session))
      })
    } catch (error) {
      refuse(socket, error)
      this.#options.refused()
      const reason = error instanceof Refused ? error.message : String(error)
      this.#options.log.info({ from: request.socket.remoteAddress, reason }, 'a sidecar was refused')
    }
  }

  /** Takes a renewed token of an open socket; one that is not good, or another pod's, ends the connection. */
  async renew(session: AttachedSession, token: string): Promise<void> {
    const open = this.#open.get(session)
    if (!open) return
    try {
      const { identity, expires } = await this.#identify(token)
      if (identity.uid !== open.identity.uid) throw new Refused(401, 'The renewed token is another pod’s.')
      open.expires = Math.max(open.expires, expires)
    } catch (error) {
      // That the API server could not be asked is not the sidecar's fault: its token before is still good, and it will send this one again.
      if (error instanceof Refused && error.status === 503) return
      session.close(
        CLOSE.unauthorized,
        error instanceof Refused ? error.message : 'The renewed token could not be reviewed.',
      )
    }
  }

  /** Closes the sockets of pods that are gone, and those whose token has ended. */
  sweep(): void {
    const now = Date.now()
    for (const { identity, session, expires } of this.#open.values()) {
      const pod = this.#options.pod(`${identity.namespace}/${identity.pod}`)
      if (pod?.uid !== identity.uid) session.close(CLOSE.unauthorized, 'The pod is gone.')
      else if (expires <= now) session.close(CLOSE.unauthorized, 'The token has expired and was not renewed.')
    }
  }

  /** Stops looking after the sockets, which have been told to close; resolves when none is left. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await left(this.#server)
  }

  async #identify(token: string | undefined): Promise<{ identity: Identity; expires: number }> {
    const { pod: bound, user, expires } = await this.#options.tokens.review(token)
    if (!bound)
      throw new Refused(401, 'The token is not bound to a pod: use the projected token of the sidecar’s own pod.')
    const name = `${bound.namespace}/${bound.name}`
    const until = Date.now() + PATIENCE
    for (;;) {
      const pod = this.#options.pod(name)
      if (pod?.uid === bound.uid && pod.injected) {
        const { namespace, name, uid, labels } = pod
        return { identity: { namespace, pod: name, uid, labels, serviceAccount: user.split(':')[3] ?? '' }, expires }
      }
      if (Date.now() > until)
        throw new Refused(
          401,
          pod?.uid === bound.uid
            ? `Pod ${name} has no sidecar of ours: the label tradewind.dev/injected is missing.`
            : `Pod ${name} (${bound.uid}) is not there, or not in a namespace that the operator serves.`,
        )
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** The token of an `Authorization: Bearer` header. */
export function bearerToken({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
}

/** Answers an upgrade that is not taken. */
export function refuse(socket: Duplex, error: unknown): void {
  const { status, message } = error instanceof Refused ? error : { status: 500, message: 'The operator failed.' }
  const body = JSON.stringify({ error: { message } })
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...(status === 401 ? ['www-authenticate: Bearer'] : []),
    ...(status === 503 ? ['retry-after: 1'] : []),
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** A WebSocket as a channel of texts. */
function channel(webSocket: WebSocket): Channel {
  webSocket.on('error', () => webSocket.terminate())
  const pieces = new Pieces(webSocket)
  return {
    send: (text) => pieces.send(text),
    // RFC 6455 leaves 123 bytes for the reason.
    close: (code, reason) =>
      webSocket.close(
        code,
        Buffer.from(reason)
          .subarray(0, 120)
          .toString()
          .replace(/\uFFFD$/, ''),
      ),
    buffered: () => pieces.buffered,
    onMessage: (listener) =>
      webSocket.on('message', (data: Buffer, isBinary) => listener(isBinary ? '' : data.toString())),
    onClose: (listener) => webSocket.on('close', (code, reason) => listener(code, String(reason))),
  }
}

/** How long the other end has to answer a close, ms. */
const FAREWELL = 1000

/** Resolves when all clients have left; those that stay are cut off after a moment. */
export async function left(server: WebSocketServer): Promise<void> {
  const until = performance.now() + FAREWELL
  while (server.clients.size > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
  for (const client of server.clients) client.terminate()
  server.close()
}

const silent = new WeakSet<WebSocket>()

/** Pings every client, and ends those that did not answer the ping before: their node may be gone without a word. */
export function keepAlive(server: WebSocketServer): void {
  for (const client of server.clients) {
    if (silent.has(client)) {
      client.terminate()
      continue
    }
    silent.add(client)
    client.once('pong', () => silent.delete(client))
    client.ping()
  }
}
