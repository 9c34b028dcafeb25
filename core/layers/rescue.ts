import { envelope, Failure } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import type { Exchange, Reply, Settled, Sink, Stream } from '../exchange.ts'
import type { Handler, Layer } from '../pipeline.ts'
import type { Rule } from '../target.ts'

/**
 * What happens when an answer stops after its first byte has gone to the caller: an error event in the caller's own dialect, so that a
 * truncated answer never looks like a whole one. The SDKs raise it as an API error.
 */
export const rescue: Layer<Rule> = () => (next) => (exchange) =>
  exchange.fields?.stream ? rescued(next, exchange) : next(exchange)

async function rescued(next: Handler, exchange: Exchange): Promise<Reply> {
  const reply = await next(exchange)
  if (Buffer.isBuffer(reply.body) || !isEventStream(reply)) return reply
  return { ...reply, body: new Rescued(reply.body, exchange.facts.requestId) }
}

class Rescued implements Stream {
  private readonly stream: Stream
  private readonly requestId: string

  constructor(stream: Stream, requestId: string) {
    this.stream = stream
    this.requestId = requestId
  }

  flow(sink: Sink): void {
    const { requestId } = this
    this.stream.flow({
      write: (chunk) => sink.write(chunk),
      end: () => sink.end(),
      fail: (code, message) => {
        sink.write(errorEvent(code, message, requestId))
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

/** An error as OpenAI's API puts it into a stream: https://platform.openai.com/docs/guides/error-codes */
function errorEvent(code: ErrorCode, message: string, requestId: string): Buffer {
  return Buffer.from(`data: ${envelope(new Failure(code), requestId, message)}\n\n`)
}

function isEventStream({ headers }: Reply): boolean {
  const at = headers.findIndex((name, i) => i % 2 === 0 && name === 'content-type')
  return (headers[at + 1] ?? '').startsWith('text/event-stream')
}
