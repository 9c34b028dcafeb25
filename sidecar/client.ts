import { readFile } from 'node:fs/promises'
import { WebSocket } from 'ws'
import { CONFIG_PATH } from '../api/protocol.ts'
import type { Follower } from './follower.ts'

export interface ClientOptions {
  /** `wss://tradewind.tradewind-system.svc:8443`, with no path. */
  readonly operator: string
  /** Both are read anew for each connection, since kubelet renews them in place. Left out: none is shown, and the system's CAs are trusted. */
  readonly tokenFile?: string | undefined
  readonly caFile?: string | undefined
  readonly follower: Follower
  /** In [0, 1). */
  readonly random?: () => number
  /** Hears of each connection that came about, or ended, or failed, and why. */
  readonly changed?: (connected: boolean, why: string) => void
  /** How often both sides compare digests, and the token file is looked at, ms. */
  readonly checkEvery?: number
  /** Waits between attempts: full jitter over an exponential from `base` to `cap`, ms. */
  readonly retry?: { readonly base: number; readonly cap: number }
}

const CHECK_EVERY = 30_000
const RETRY = { base: 200, cap: 15_000 }
const HANDSHAKE = 10_000
/** A connection that lived so long was a good one: the next wait begins small again, ms. */
const STEADY = 10_000
const MOST = 512 << 20
/** A renewed token is shown at so many checks in a row. */
const SHOWINGS = 3

/**
 * Keeps a connection to the operator for as long as it runs, and carries the follower's messages over it. While there is none, what is in
 * force serves on.
 */
export class Client {
  connected = false
  readonly #options: ClientOptions
  readonly #checkEvery: number
  #socket: WebSocket | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #attempts = 0
  #token = ''
  /** How often the token is still to be shown: the operator may not have been able to review it at once. */
  #showings = 0
  #opened = 0
  #heard = 0

  constructor(options: ClientOptions) {
    this.#options = options
    this.#checkEvery = options.checkEvery ?? CHECK_EVERY
  }

  start(): void {
    void this.#connect()
  }

  /** Says farewell and connects no more. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    const socket = this.#socket
    socket?.close(1000, 'The sidecar is stopping.')
    setTimeout(() => socket?.terminate(), 500).unref()
  }

  async #connect(): Promise<void> {
    const { operator, tokenFile, caFile } = this.#options
    let ca: string | undefined
    try {
      this.#token = tokenFile === undefined ? '' : (await readFile(tokenFile, 'utf8')).trim()
      ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8')
    } catch (error) {
      return this.#again(error instanceof Error ? error.message : String(error))
    }
    if (this.#stopped) return
    const socket = new WebSocket(new URL(CONFIG_PATH, operator), {
      ...(ca === undefined ? {} : { ca }),
      headers: this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` },
      handshakeTimeout: HANDSHAKE,
      maxPayload: MOST,
      perMessageDeflate: false,
    })
    this.#socket = socket
    let why = ''
    socket.on('open', () => this.#open(socket))
    socket.on('message', (data: Buffer) => this.#hear(socket, data.toString()))
    socket.on('pong', () => (this.#heard = performance.now()))
    socket.on('error', (error) => (why = error.message))
    socket.on('close', (code, reason) => {
      clearTimeout(this.#timer)
      this.#options.follower.close()
      this.#again(why || reason.toString() || `closed with code ${code}`)
    })
  }

  #open(socket: WebSocket): void {
    this.connected = true
    this.#opened = this.#heard = performance.now()
    this.#options.changed?.(true, 'connected')
    this.#options.follower.open((text) => socket.send(text))
    this.#tend(socket)
  }

  #hear(socket: WebSocket, text: string): void {
    this.#heard = performance.now()
    try {
      this.#options.follower.hear(text)
    } catch (error) {
      socket.close(1002, error instanceof Error ? error.message.slice(0, 100) : 'not a message')
    }
  }

  /** Every so often: digests are compared, a renewed token is shown, and an operator that has gone silent is given up. */
  #tend(socket: WebSocket): void {
    this.#timer = setTimeout(() => {
      void (async () => {
        if (performance.now() - this.#heard > 2.5 * this.#checkEvery) return socket.terminate()
        const { tokenFile, follower } = this.#options
        const token =
          tokenFile === undefined
            ? ''
            : await readFile(tokenFile, 'utf8').then(
                (text) => text.trim(),
                () => this.#token,
              )
        if (socket.readyState !== WebSocket.OPEN) return
        if (token !== this.#token) {
          this.#token = token
          this.#showings = SHOWINGS
        }
        if (this.#showings > 0) {
          this.#showings--
          follower.renew(token)
        }
        follower.check()
        socket.ping()
        this.#tend(socket)
      })()
    }, this.#checkEvery)
  }

  #again(why: string): void {
    const wasConnected = this.connected
    this.connected = false
    if (this.#stopped) return
    if (wasConnected && performance.now() - this.#opened > STEADY) this.#attempts = 0
    const { base, cap } = this.#options.retry ?? RETRY
    const wait = (this.#options.random ?? Math.random)() * Math.min(cap, base * 2 ** this.#attempts++)
    this.#options.changed?.(false, why)
    this.#timer = setTimeout(() => void this.#connect(), wait)
  }
}
