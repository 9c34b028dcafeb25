import type { Deadlines, Due } from '../deps.ts'
import type { ErrorCode } from '../errors.ts'
import type { Settled, Sink, Stream } from '../exchange.ts'
import type { Transcript } from '../rescue/transcript.ts'

/** Bytes that are held back of a stream that goes on while another target is asked; then it waits. */
const MOST = 1024 * 1024

interface Options {
  readonly deadlines: Deadlines
  readonly now: () => number
  /** How long it is waited for, ms. */
  readonly within: number
  /** Asked after each piece: enough has come to be judged. */
  readonly enough: () => boolean
}

/** A stream whose beginning is held back until enough of it has come, or until it was long enough. */
export class Held implements Stream, Sink, Due {
  due: number
  slot = -1
  /** Resolves when it can be judged. */
  readonly judgeable: Promise<void>
  private readonly stream: Stream
  private readonly options: Options
  private chunks: Buffer[] = []
  private size = 0
  private sink: Sink | undefined
  private last: ((sink: Sink) => void) | undefined
  private resolve: () => void = () => {}

  constructor(stream: Stream, options: Options) {
    this.stream = stream
    this.options = options
    this.due = options.now() + options.within
    this.judgeable = new Promise((resolve) => (this.resolve = resolve))
    options.deadlines.add(this)
    stream.settled(() => this.ready())
    stream.flow(this)
  }

  // What the stream says.

  write(chunk: Buffer): boolean {
    if (this.sink) return this.sink.write(chunk)
    this.chunks.push(chunk)
    this.size += chunk.length
    if (this.options.enough()) this.ready()
    return this.size < MOST
  }

  end(): void {
    this.over((sink) => sink.end())
  }

  fail(code: ErrorCode, message: string): void {
    this.over((sink) => sink.fail(code, message))
  }

  expire(): void {
    this.ready()
  }

  // What its taker says.

  flow(sink: Sink): void {
    this.sink = sink
    const waited = this.size >= MOST
    let more = true
    for (const chunk of this.chunks) more = sink.write(chunk)
    this.chunks = []
    if (this.last) this.last(sink)
    else if (waited && more) this.stream.resume()
  }

  resume(): void {
    this.stream.resume()
  }

  settled(listener: Settled): void {
    this.stream.settled(listener)
  }

  failure(code: ErrorCode, message: string): Buffer | undefined {
    return this.stream.failure(code, message)
  }

  get said(): Transcript | undefined {
    return this.stream.said
  }

  private over(last: (sink: Sink) => void): void {
    if (this.sink) last(this.sink)
    else this.last = last
    this.ready()
  }

  private ready(): void {
    this.options.deadlines.remove(this)
    this.resolve()
  }
}
