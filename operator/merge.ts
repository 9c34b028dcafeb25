import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { WebSocket, WebSocketServer } from 'ws'
import type { ResourceKey } from '../api/compiled.ts'
import { Refused, type Tokens } from './authenticate.ts'
import type { Evidence as Counted, Learned } from '../api/protocol.ts'
import type { Evidence } from './evidence.ts'
import type { Fleet } from './fleet.ts'
import type { Leadership } from './lead.ts'
import type { Learning } from './learning.ts'
import { concernedKeys, partOf, partUpdate, wholeFleet, type Part, type PartUpdate, type Row } from './part.ts'
import { bearerToken, keepAlive, left, refuse } from './sockets.ts'

/** Where followers bring their parts. */
export const MERGE_PATH = '/v1/merge'

const LARGEST = 256 << 20
const PING = 20_000
/** Changes of the fleet come in bursts: an edit is acknowledged by a thousand sidecars in a moment. */
const GATHER = 50

export interface MergeOptions {
  /** What the sidecars of this replica say. */
  readonly own: () => Fleet
  readonly tokens: Tokens
  /** The user that the operator's replicas are to the API server. */
  readonly user: string
  /** Read for each connection: the token is renewed on its file, the roots rotate. */
  readonly token: () => Promise<string>
  readonly trusted: () => string
  /** The name in the leader's certificate. */
  readonly serverName: string
  /** Followers have said something new: whose status may differ. */
  readonly changed: (keys: ReadonlySet<ResourceKey>) => void
  /** Puts together what sidecars learn, where this replica leads. */
  readonly learning: Learning
  /** The same with what became of requests. */
  readonly evidence: Evidence
  /** Has the own sidecars tell anew what they have learnt, and what became of their requests. */
  readonly retell: () => void
  readonly log: Logger
}

type Tell = (text: string) => void
/** What a follower passes on of its sidecars, beside how its part differs. */
interface Passed extends PartUpdate {
  readonly learned?: { readonly pod: string; readonly said: Learned }
  readonly evidence?: { readonly pod: string; readonly said: Counted }
  readonly left?: { readonly pod: string; readonly stopping: boolean }
}
/** What the leader has a follower pass on. */
interface Told {
  readonly pod: string
  readonly text: string
}
/** Bytes that may wait on their way to another replica: what is learnt is told again. */
const WAITING = 64 << 20

/**
 * Makes the fleet whole at the leader: every follower keeps one WebSocket to it and says what its own sidecars say, all of it at first and
 * then what differs. A new leader has a new epoch and starts from nothing; what is said for another epoch is not heard.
 */
export class Merge {
  readonly #options: MergeOptions
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: LARGEST })
  readonly #parts = new Map<WebSocket, Map<string, Row>>()
  /** Ways to the own sidecars that learn, or gather evidence, by pod. */
  readonly #tellers = new Map<string, Tell>()
  readonly #ping = setInterval(() => keepAlive(this.#server), PING)
  #lead: Leadership = { leading: false, epoch: 0, address: undefined }
  #upward: WebSocket | undefined
  #said: Part = new Map()
  #timer: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  #failures = 0
  #closed = false

  constructor(options: MergeOptions) {
    this.#options = options
  }

  /** The fleet as far as this replica knows it: whole at the leader, its own part elsewhere. */
  fleet(): Fleet {
    return wholeFleet(this.#options.own(), this.#parts.values())
  }

  /** Who leads has changed. */
  lead(now: Leadership): void {
    this.#lead = now
    for (const socket of this.#parts.keys()) socket.close(1012, 'Another epoch has begun.')
    this.#parts.clear()
    this.#failures = 0
    this.#options.learning.clear()
    this.#options.evidence.clear()
    if (now.leading) this.#options.retell()
    this.#connect()
  }

  /** What one of the own sidecars has learnt. `pod`: its uid. */
  learned(pod: string, said: Learned, tell: Tell): void {
    if (this.#lead.leading) return this.#options.learning.hear(pod, said, tell)
    this.#tellers.set(pod, tell)
    this.#pass({ learned: { pod, said } })
  }

  /** What became of the requests of one of the own sidecars. `pod`: its uid. */
  counted(pod: string, said: Counted, tell: Tell): void {
    if (this.#lead.leading) return this.#options.evidence.hear(pod, said, tell)
    this.#tellers.set(pod, tell)
    this.#pass({ evidence: { pod, said } })
  }

  /** One of the own sidecars has left; `stopping`: for good. */
  left(pod: string, tell: Tell, stopping: boolean): void {
    const known = this.#tellers.get(pod) === tell && this.#tellers.delete(pod)
    if (this.#lead.leading) return this.#gone(pod, tell, stopping)
    if (known) this.#pass({ left: { pod, stopping } })
  }

  /** The own part has changed. */
  changed(): void {
    if (this.#upward?.readyState !== WebSocket.OPEN || this.#timer) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#say()
    }, GATHER)
  }

  /** Resolves when no connection is left. */
  async close(): Promise<void> {
    this.#closed = true
    for (const timer of [this.#ping, this.#timer, this.#retry]) clearTimeout(timer)
    this.#upward?.terminate()
    for (const socket of this.#server.clients) socket.close(1001, 'The operator is stopping.')
    await left(this.#server)
  }

  /** Takes a follower's connection. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    try {
      const { user } = await this.#options.tokens.review(bearerToken(request))
      if (user !== this.#options.user) throw new Refused(403, 'Only replicas of the operator merge.')
      if (!this.#lead.leading) throw new Refused(503, 'This replica does not lead.')
      if (!socket.destroyed) this.#server.handleUpgrade(request, socket, head, (it) => this.#follow(it))
    } catch (error) {
      refuse(socket, error)
    }
  }

  #gone(pod: string, tell: Tell, stopping: boolean): void {
    this.#options.learning.left(pod, tell, stopping)
    this.#options.evidence.left(pod, tell, stopping)
  }

  #follow(socket: WebSocket): void {
    const { epoch } = this.#lead
    const part = new Map<string, Row>()
    const tellers = new Map<string, Tell>()
    this.#parts.set(socket, part)
    socket.on('error', () => socket.terminate())
    socket.on('message', (data: Buffer) => {
      try {
        // From our own kind, its token says so; while an upgrade rolls out, maybe of another release.
        const { epoch: of, drop, set, learned, evidence, left } = JSON.parse(data.toString()) as Passed
        if (of !== epoch || !this.#parts.has(socket)) return socket.close(1008, 'Another epoch.')
        if (learned) this.#options.learning.hear(learned.pod, learned.said, way(socket, learned.pod, tellers))
        if (evidence) this.#options.evidence.hear(evidence.pod, evidence.said, way(socket, evidence.pod, tellers))
        const leaving = left && tellers.get(left.pod)
        if (leaving) this.#gone(left.pod, leaving, left.stopping)
        const gone = drop.flatMap((name) => part.get(name) ?? [])
        for (const name of drop) part.delete(name)
        for (const [name, row] of Object.entries(set)) part.set(name, row)
        this.#options.changed(concernedKeys(gone, Object.values(set)))
      } catch (error) {
        this.#options.log.warn({ error: String(error) }, 'a follower says what is not understood')
        socket.close(1007, 'Not understood.')
      }
    })
    socket.on('close', () => {
      for (const [pod, tell] of tellers) this.#gone(pod, tell, false)
      if (this.#parts.delete(socket)) this.#options.changed(concernedKeys([...part.values()], []))
    })
  }

  /** Connects to the leader of the moment, again and again. */
  #connect(): void {
    clearTimeout(this.#retry)
    this.#upward?.terminate()
    this.#upward = undefined
    const { leading, address, epoch } = this.#lead
    if (this.#closed || leading || !address) return
    const again = (why: string) => {
      if (this.#lead.epoch !== epoch || this.#closed) return
      this.#failures++
      if (this.#failures === 5) this.#options.log.warn({ leader: address, why }, 'the leader is not reached')
      clearTimeout(this.#retry)
      this.#retry = setTimeout(() => this.#connect(), Math.random() * Math.min(5000, 100 * 2 ** this.#failures))
    }
    this.#options.token().then(
      (token) => {
        if (this.#lead.epoch !== epoch || this.#closed) return
        const options = {
          headers: { authorization: `Bearer ${token}` },
          ca: this.#options.trusted(),
          // Its address is an IP address; its certificate has the Service's name.
          servername: this.#options.serverName,
          handshakeTimeout: 5000,
        }
        const socket = new WebSocket(`wss://${address}${MERGE_PATH}`, options)
        this.#upward = socket
        let why = ''
        socket.on('error', (error) => {
          why = error.message
        })
        socket.on('open', () => {
          this.#failures = 0
          this.#said = new Map()
          this.#say()
          this.#options.retell()
        })
        socket.on('message', (data: Buffer) => {
          const { pod, text } = JSON.parse(data.toString()) as Told // of the leader, whose certificate was checked
          this.#tellers.get(pod)?.(text)
        })
        socket.on('close', (_, reason) => {
          if (this.#upward === socket) again(why || String(reason))
        })
      },
      (error: unknown) => again(String(error)),
    )
  }

  #pass(passed: Omit<Passed, keyof PartUpdate>): void {
    const upward = this.#upward
    if (upward?.readyState !== WebSocket.OPEN || upward.bufferedAmount > WAITING) return
    upward.send(JSON.stringify({ epoch: this.#lead.epoch, set: {}, drop: [], ...passed } satisfies Passed))
  }

  #say(): void {
    if (this.#upward?.readyState !== WebSocket.OPEN) return
    const now = partOf(this.#options.own())
    const update = partUpdate(this.#said, now, this.#lead.epoch)
    this.#said = now
    if (update) this.#upward.send(JSON.stringify(update))
  }
}

/** The way to a sidecar of a follower: the same one each time. */
function way(socket: WebSocket, pod: string, known: Map<string, Tell>): Tell {
  const made =
    known.get(pod) ??
    ((text) => {
      if (socket.readyState === WebSocket.OPEN && socket.bufferedAmount < WAITING)
        socket.send(JSON.stringify({ pod, text } satisfies Told))
    })
  known.set(pod, made)
  return made
}
