import type { ErrorCode } from '../errors.ts'
import type { Settled, Sink, Stream } from '../exchange.ts'
import type { Transcript } from '../rescue/transcript.ts'

/** A stream that goes its way untouched, and is judged when it has ended, before anybody else hears of that. */
export class Audited implements Stream {
  private readonly stream: Stream
  private readonly over: Promise<ErrorCode | undefined>

  constructor(stream: Stream, audit: () => Promise<void>) {
    this.stream = stream
    this.over = new Promise((resolve) => {
      stream.settled((code) => {
        // Whatever comes of the audit, the answer has ended.
        audit().then(
          () => resolve(code),
          () => resolve(code),
        )
      })
    })
  }

  flow(sink: Sink): void {
    this.stream.flow(sink)
  }

  resume(): void {
    this.stream.resume()
  }

  failure(code: ErrorCode, message: string): Buffer | undefined {
    return this.stream.failure(code, message)
  }

  settled(listener: Settled): void {
    void this.over.then(listener)
  }

  get said(): Transcript | undefined {
    return this.stream.said
  }
}

/** A whole answer as a stream: the caller has it before it is judged. */
export class Whole implements Stream {
  private readonly body: Buffer
  private readonly listeners: Settled[] = []
  private gone = false

  constructor(body: Buffer) {
    this.body = body
  }

  flow(sink: Sink): void {
    sink.write(this.body)
    sink.end()
    this.gone = true
    for (const listener of this.listeners) listener(undefined)
  }

  resume(): void {}

  failure(): undefined {}

  settled(listener: Settled): void {
    if (this.gone) listener(undefined)
    else this.listeners.push(listener)
  }
}
