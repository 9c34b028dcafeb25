import { setTimeout as sleep } from 'node:timers/promises'
import { EnvHttpProxyAgent, request } from 'undici'
import { signed } from './message.ts'
import type { Message } from './message.ts'
import type { Subscription } from './subscription.ts'

/** What became of a message; `retried` is not its end. */
export type Outcome = 'delivered' | 'retried' | 'failed' | 'dropped'

export interface DeliveryOptions {
  /** Hears of each outcome; `why` has no secrets in it. */
  readonly outcome: (outcome: Outcome, message: Message, why: string) => void
  /** Before a second try, ms; twice as long before each further one, a minute at most. */
  readonly backOff?: number
}

/** Messages that wait for one receiver; more, and the oldest is dropped. */
const WAITING = 500
const TRIES = 8
const LONGEST = 60_000
const PATIENCE = 10_000

/** Takes messages to one receiver, one at a time and in order, each up to eight times within some five minutes. Nobody ever waits for it. */
export class Delivery {
  readonly #subscription: Subscription
  readonly #options: DeliveryOptions
  readonly #agent = new EnvHttpProxyAgent()
  readonly #queue: Message[] = []
  #stop = new AbortController()
  #running = false

  constructor(subscription: Subscription, options: DeliveryOptions) {
    this.#subscription = subscription
    this.#options = options
  }

  /** How many messages have not come to their end. */
  get waiting(): number {
    return this.#queue.length
  }

  take(message: Message): void {
    this.#queue.push(message)
    // The first is on its way.
    if (this.#queue.length > WAITING)
      for (const dropped of this.#queue.splice(1, 1)) this.#options.outcome('dropped', dropped, 'too many wait')
    if (!this.#running) void this.#run()
  }

  /** Forgets what has not arrived, and gives it back. */
  clear(): readonly Message[] {
    this.#stop.abort()
    this.#stop = new AbortController()
    return this.#queue.splice(0)
  }

  async close(): Promise<void> {
    this.clear()
    await this.#agent.destroy()
  }

  async #run(): Promise<void> {
    this.#running = true
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      const { signal } = this.#stop
      await this.#deliver(next, signal)
      if (!signal.aborted) this.#queue.shift()
    }
    this.#running = false
  }

  async #deliver(message: Message, signal: AbortSignal): Promise<void> {
    const { outcome, backOff = 1000 } = this.#options
    for (let tries = 1; !signal.aborted; tries++) {
      const why = await this.#post(message, signal)
      if (signal.aborted) return
      if (why === undefined) return outcome('delivered', message, '')
      if (tries === TRIES || why.final) return outcome('failed', message, why.words)
      outcome('retried', message, why.words)
      const wait = Math.min(LONGEST, backOff * 2 ** (tries - 1)) * (0.75 + Math.random() / 2)
      await sleep(wait, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  /** Undefined where it was taken. */
  async #post(
    message: Message,
    signal: AbortSignal,
  ): Promise<{ readonly words: string; readonly final: boolean } | undefined> {
    const { url, secret } = this.#subscription
    try {
      const { statusCode, body } = await request(url, {
        method: 'POST',
        dispatcher: this.#agent,
        headers: {
          'content-type': message.contentType,
          'user-agent': 'tradewind-operator',
          ...signed(message, secret, Math.floor(Date.now() / 1000)),
        },
        body: message.body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
      })
      await body.dump()
      if (statusCode < 300) return undefined
      // What it does not take now it will not take later, but for what it says of itself.
      return { words: `it answered ${statusCode}`, final: statusCode < 500 && ![408, 425, 429].includes(statusCode) }
    } catch (error) {
      // An error's message can have the URL in it, and that a token.
      return { words: String(Object(error).code ?? Object(error).name ?? 'it cannot be reached'), final: false }
    }
  }
}
