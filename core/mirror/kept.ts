import type { ErrorCode } from '../errors.ts'
import type { Settled, Sink, Stream } from '../exchange.ts'
import type { Transcript } from '../rescue/transcript.ts'

/** Of one answer no more than this is kept, bytes. */
const MOST = 1024 * 1024

/** Room for what is kept of all answers, so that a thousand long streams cannot fill the memory. */
export interface Room {
  /** False: there is none for so many bytes more. */
  take(bytes: number): boolean
  give(bytes: number): void
}

/**
 * A stream that goes its way untouched, whose bytes are kept as they lie: they are read when it has ended, if ever. It may have settled before it begins to flow.
 */
export class Kept implements Stream, Sink {
  readonly #stream: Stream
  readonly #room: Room
  #sink: Sink | undefined
  #chunks: Buffer[] = []
  #size = 0
  #lost = false
  #over: ((chunks: readonly Buffer[] | undefined) => void) | undefined

  /** `over` gets all of it once it has gone to the caller, or has failed; undefined where it was too much to keep. */
  constructor(stream: Stream, room: Room, over: (chunks: readonly Buffer[] | undefined) => void) {
    this.#stream = stream
    this.#room = room
    this.#over = over
    stream.settled((code) => (code === undefined ? undefined : this.#end()))
  }

  write(chunk: Buffer): boolean {
    if (!this.#lost) this.#keep(chunk)
    return this.#sink?.write(chunk) ?? true
  }

  end(): void {
    this.#sink?.end()
    this.#end()
  }

  fail(code: ErrorCode, message: string): void {
    this.#sink?.fail(code, message)
  }

  flow(sink: Sink): void {
    this.#sink = sink
    this.#stream.flow(this)
  }

  resume(): void {
    this.#stream.resume()
  }

  failure(code: ErrorCode, message: string): Buffer | undefined {
    return this.#stream.failure(code, message)
  }

  settled(listener: Settled): void {
    this.#stream.settled(listener)
  }

  get said(): Transcript | undefined {
    return this.#stream.said
  }

  #keep(chunk: Buffer): void {
    if (this.#size + chunk.length > MOST || !this.#room.take(chunk.length)) {
      this.#lost = true
      return this.#drop()
    }
    this.#chunks.push(chunk)
    this.#size += chunk.length
  }

  #end(): void {
    const chunks = this.#lost ? undefined : this.#chunks
    this.#drop()
    this.#over?.(chunks)
    this.#over = undefined
  }

  #drop(): void {
    this.#room.give(this.#size)
    this.#chunks = []
    this.#size = 0
  }
}
