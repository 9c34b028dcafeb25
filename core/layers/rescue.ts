import { Failure, wordsForLog } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import type { Exchange, Reply, Settled, Sink, Stream } from '../exchange.ts'
import type { Handler, Layer } from '../pipeline.ts'
import type { Rule, Target } from '../target.ts'
import { asFailure } from './errors.ts'
import { isCovered } from './fallback.ts'

/**
 * What happens when an answer stops after its first byte has gone to the caller. The targets that have not been asked yet are asked in turn:
 * to go on with it, or for the same answer again (`core/rescue/`); with none left an error event in the caller's own dialect, so that a
 * truncated answer never looks like a whole one. The SDKs raise it as an API error.
 */
export const rescue: Layer<Rule> = (rule) => (next) => (exchange) =>
  exchange.facts.stream ? rescued(rule, next, exchange) : next(exchange)

async function rescued(rule: Rule, next: Handler, exchange: Exchange): Promise<Reply> {
  if (rule.rescue === 'Buffer') exchange.until = 'end'
  const reply = await next(exchange)
  return Buffer.isBuffer(reply.body) ? reply : { ...reply, body: new Rescued(rule, next, exchange, reply.body) }
}

class Rescued implements Stream {
  private readonly rule: Rule
  private readonly next: Handler
  private readonly exchange: Exchange
  private stream: Stream
  private sink: Sink | undefined
  private outcome: { readonly code: ErrorCode | undefined } | undefined
  private readonly listeners: Settled[] = []

  constructor(rule: Rule, next: Handler, exchange: Exchange, stream: Stream) {
    this.rule = rule
    this.next = next
    this.exchange = exchange
    this.stream = stream
  }

  failure(code: ErrorCode, message: string): Buffer | undefined {
    return this.stream.failure(code, message)
  }

  flow(sink: Sink): void {
    this.sink = sink
    this.stream.flow({
      write: (chunk) => sink.write(chunk),
      end: () => this.end(undefined),
      fail: (code, message) => this.stopped(code, message),
    })
  }

  resume(): void {
    this.stream.resume()
  }

  settled(listener: Settled): void {
    if (this.outcome) listener(this.outcome.code)
    else this.listeners.push(listener)
  }

  private stopped(code: ErrorCode, message: string): void {
    const { exchange, rule, stream, sink } = this
    const { said } = stream
    const candidates = this.left()
    const may = rule.rescue !== 'Off' && said !== undefined && !said.lost && isCovered(new Failure(code), rule)
    if (!may || exchange.over || candidates.length === 0 || !sink) return this.fail(code, message)
    exchange.resume = { said, way: 'replay' }
    exchange.candidates = candidates
    // Whoever goes on must have said something new before it is taken for the one.
    exchange.until = 'token'
    void this.goOn(sink, code, message)
  }

  private async goOn(sink: Sink, code: ErrorCode, message: string): Promise<void> {
    const { exchange, next } = this
    const { endpoint, model, dropped, usage, finishReason } = exchange.facts
    // All have to be told of the end of the first one first: this may be of the same endpoint, which takes only so many.
    await Promise.resolve()
    try {
      const { body } = await next(exchange)
      if (Buffer.isBuffer(body)) throw new Error('it was asked to go on with a stream')
      exchange.facts.rescue = exchange.resume?.way === 'continue' ? 'continued' : 'replayed'
      exchange.facts.error = undefined
      this.stream = body
      this.flow(sink)
    } catch (error) {
      // What the caller has is the first one's.
      Object.assign(exchange.facts, { endpoint, model, dropped, usage, finishReason, rescue: 'failed' })
      // How targets failed is in `attempts`; a fault of ours is told nowhere else.
      const failure = asFailure(error)
      this.fail(exchange.over ?? code, message, failure.code === 'internal' ? wordsForLog(failure) : message)
    }
  }

  /** The targets that come after the one whose answer stopped. */
  private left(): readonly Target[] {
    const { candidates, target } = this.exchange
    return target ? candidates.slice(candidates.indexOf(target) + 1) : []
  }

  /** The answer stays as it is, and the caller is told so. */
  private fail(code: ErrorCode, message: string, logged = message): void {
    const { sink, exchange } = this
    exchange.facts.error = logged
    const event = this.stream.failure(code, message)
    if (!sink || !event) {
      sink?.fail(code, message)
      return this.settle(code)
    }
    sink.write(event)
    this.end(code)
  }

  private end(code: ErrorCode | undefined): void {
    this.sink?.end()
    this.settle(code)
  }

  private settle(code: ErrorCode | undefined): void {
    this.outcome = { code }
    for (const listener of this.listeners) listener(code)
  }
}
