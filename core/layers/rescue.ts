import type { ErrorCode } from '../errors.ts'
import type { Exchange, Reply, Settled, Sink, Stream } from '../exchange.ts'
import type { Handler, Layer } from '../pipeline.ts'
import type { Rule } from '../target.ts'

/**
 * What happens when an answer stops after its first byte has gone to the caller: an error event in the caller's own dialect, so that a
 * truncated answer never looks like a whole one. The SDKs raise it as an API error.
 */
export const rescue: Layer<Rule> = () => (next) => (exchange) =>
  exchange.facts.stream ? rescued(next, exchange) : next(exchange)

async function rescued(next: Handler, exchange: Exchange): Promise<Reply> {
  const reply = await next(exchange)
  return Buffer.isBuffer(reply.body) ? reply : { ...reply, body: new Rescued(reply.body) }
}

class Rescued implements Stream {
  private readonly stream: Stream

  constructor(stream: Stream) {
    this.stream = stream
  }

  failure(code: ErrorCode, message: string): Buffer | undefined {
    return this.stream.failure(code, message)
  }

  flow(sink: Sink): void {
    this.stream.flow({
      write: (chunk) => sink.write(chunk),
      end: () => sink.end(),
      fail: (code, message) => {
        const event = this.stream.failure(code, message)
        if (!event) return sink.fail(code, message)
        sink.write(event)
        sink.end()
      },
    })
  }

  resume(): void {
    this.stream.resume()
  }

  settled(listener: Settled): void {
    this.stream.settled(listener)
  }
}
