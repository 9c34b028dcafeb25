import type { Call, Deps, Due, Receiver, Running } from '../deps.ts'
import type { AttemptFacts } from '../exchange.ts'
import type { Address } from '../target.ts'
import type { Fault, FaultType } from './fault.ts'

const PLAIN_TEXT = ['content-type', 'text/plain; charset=utf-8']
const WORDS = Buffer.from('This error was injected on purpose, by the faults of a rule of Tradewind.')

/**
 * A call of an address with faults in it: it stands between the address and whoever hears what becomes of the call, so that everything
 * above takes what it hears for real. The attempt's facts say what was injected, once it is.
 *
 * Delays add up, and the call goes out after them: they count for the first token, the attempt and the request, not for the connection. Of
 * the other types the first counts. A call that stalls is given up below, and never heard of above: its target is kept busy no longer.
 */
export class Tampered implements Receiver, Running, Due {
  due = Infinity
  slot = -1
  private readonly attempt: AttemptFacts
  private readonly receiver: Receiver
  private readonly deps: Pick<Deps, 'now' | 'deadlines'>
  private readonly delay: number
  private readonly other: Exclude<Fault, { type: 'Delay' }> | undefined
  private running: Running | undefined
  private go: () => void = () => {}
  private passed = 0
  private over = false

  constructor(
    faults: readonly Fault[],
    attempt: AttemptFacts,
    receiver: Receiver,
    deps: Pick<Deps, 'now' | 'deadlines'>,
  ) {
    this.attempt = attempt
    this.receiver = receiver
    this.deps = deps
    this.delay = faults.reduce((sum, fault) => sum + (fault.type === 'Delay' ? fault.delay : 0), 0)
    this.other = faults.find((fault) => fault.type !== 'Delay')
  }

  start(address: Pick<Address, 'call'>, call: Call): this {
    const { delay, deps, other } = this
    this.go = () => {
      if (other?.type === 'Abort') return this.refuse(other.status)
      this.running = address.call(call, this)
      // It may have failed before it could be named.
      if (this.over) this.running.abort()
    }
    if (delay === 0) this.go()
    else {
      this.mark('Delay')
      this.receiver.sent()
      this.due = deps.now() + delay
      deps.deadlines.add(this)
    }
    return this
  }

  /** The delay has passed. */
  expire(): void {
    this.deps.deadlines.remove(this)
    this.go()
  }

  resume(): void {
    this.running?.resume()
  }

  abort(): void {
    this.over = true
    this.deps.deadlines.remove(this)
    this.running?.abort()
  }

  sent(): void {
    // A second time it would move the deadline of the first token.
    if (this.delay === 0) this.receiver.sent()
  }

  head(status: number, headers: readonly string[]): void {
    this.receiver.head(status, headers)
  }

  data(chunk: Buffer): boolean {
    const { other, receiver, passed } = this
    this.passed += chunk.length
    if (!other || other.type === 'Abort' || this.passed <= other.afterBytes) return receiver.data(chunk)
    const rest = other.afterBytes - passed
    this.mark(other.type)
    if (rest > 0) receiver.data(chunk.subarray(0, rest))
    // What it has got may have been all that it wanted.
    if (this.over) return true
    this.abort()
    if (other.type === 'Cut') receiver.failed('cut', new Error('injected'))
    return true
  }

  ended(): void {
    this.receiver.ended()
  }

  failed(...args: Parameters<Receiver['failed']>): void {
    this.receiver.failed(...args)
  }

  /** An answer of its own, in the place of the target's. */
  private refuse(status: number): void {
    const { receiver } = this
    this.mark('Abort')
    if (this.delay === 0) receiver.sent()
    receiver.head(status, PLAIN_TEXT)
    receiver.data(WORDS)
    receiver.ended()
  }

  private mark(type: FaultType): void {
    this.attempt.injected = [...(this.attempt.injected ?? []), type]
  }
}
