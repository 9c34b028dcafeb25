import type { Failure } from './errors.ts'
import type { Transcript } from './rescue/transcript.ts'
import type { Usage } from './usage.ts'

/** A streamed answer on its way from target to caller: watched as it passes, or translated. Only what is whole goes on. */
export interface AnswerStream {
  /** Events with data that have come. */
  readonly events: number
  /** The last reason that was given for an answer's end. */
  readonly finishReason: string | undefined
  /** The target says that nothing follows. */
  readonly done: boolean
  /** An error event's data; it and all after it are withheld. */
  readonly error: string | undefined
  /** An event is not what the API says; it and all after it are withheld. */
  readonly malformed: boolean
  /** Every answer that was asked for has its finish reason; or at least one has, and the target says that it is done. */
  readonly complete: boolean
  readonly usage: Usage | undefined
  /** The usage as the caller is told it, where that is another than the target's own: it got part of its answer from another one. */
  readonly told?: Usage | undefined
  /** Something has been said: a token of the answer or of a thought. */
  readonly begun: boolean
  /** It ended well and said nothing; what would tell the caller so is withheld. */
  readonly empty: boolean
  /** So far it has only said what the caller has already. */
  readonly held?: boolean
  /** It does not begin with what the caller has; it and all after it are withheld. */
  readonly diverged?: boolean
  /** What has gone on of it, where that is kept. */
  readonly transcript?: Transcript | undefined
  /** Takes bytes of the answer and returns those that go on. Throws `EventTooLarge`. */
  push(chunk: Buffer): Buffer
  /** At the end of the target's bytes: the rest that goes on. */
  end(): Buffer
  /** The answer is whole: what the caller is still to get. Called once, last. */
  close(): Buffer
  /** The answer stopped before it was whole: how the caller is told in the stream; undefined where its dialect has no way. */
  failure?(failure: Failure, words: string, requestId: string): Buffer
}
