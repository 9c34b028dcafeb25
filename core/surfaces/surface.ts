import type { AnswerStream } from '../answer-stream.ts'
import type { Keep } from '../answering.ts'
import type { ChatEvent } from '../chat.ts'
import type {
  Asked,
  ChatCaller,
  ChatReader,
  EmbeddingsCaller,
  Frame,
  Framing,
  Json,
  RerankCaller,
} from '../dialects/dialect.ts'
import type { Bytes } from '../bytes.ts'
import type { Failure } from '../errors.ts'
import type { RequestFields } from '../json-fields.ts'
import type { Judged } from '../judge.ts'

/** What a surface is for: a provider serves an operation natively, by translation, or not at all. */
export type Operation =
  | 'chat'
  | 'completions'
  | 'embeddings'
  | 'responses'
  | 'images'
  | 'speech'
  | 'transcriptions'
  | 'moderations'
  | 'rerank'
  | 'count_tokens'
  | 'infer'
  | 'health'
  | 'feedback'
  | 'realtime'
  | 'models'
  | 'opaque'

/** What a path says. */
export interface Found extends Asked {
  /** As the dialect's reference has it, such as `/v1/messages`; without the query. */
  readonly path: string
  readonly method: 'GET' | 'POST'
  /** What follows the model's name in a path that goes on after it. */
  readonly rest?: string
}

/** How a surface's own answers are read on their way through, where both ends speak it and bytes pass untouched. */
export interface Watch {
  readonly framing: Framing
  reader(): ChatReader
  /** The events of a whole answer; throws `Malformed`. */
  read(body: unknown): readonly ChatEvent[]
  /** Whether a frame holds something that the events of `reader` do not have: what follows it is for nobody else to go on with. */
  readonly foreign?: (frame: Frame) => boolean
  /** What a finished stream ends with, where the server left it out: SDKs wait for it. */
  readonly terminator?: Buffer
  /**
   * What becomes of a whole answer of another content type than JSON (given in lower case): `flow`, it passes as it comes (sound); `hold`,
   * once it is all there (text). Undefined: it is none of the API's, and a failure.
   */
  unread?(contentType: string): 'flow' | 'hold' | undefined
  /** Whole answers are held back, so that one which is cut can be asked for again, up to so many bytes; 4 MiB unless given. */
  readonly hold?: number
}

/** What the caller asked of a native stream. */
export interface Passing {
  /** It did not ask for the usage that we asked for. */
  readonly hideUsage: boolean
  /** How many answers it asked for. */
  readonly choices: number
  /** What goes on is to be kept. */
  readonly keep?: Keep | undefined
}

/** The same, written for one dialect because it is the hot path. */
export interface FastWatch {
  stream(passing: Passing): AnswerStream
  /** `wall` is in ms since the epoch. */
  whole(headers: readonly string[], body: Buffer, wall: number): Judged
}

/** An API that apps speak to us: a set of paths in one dialect. One file each, one line in the registry. */
export interface Surface {
  /** For logs and providers' `native`: `chat`, `messages`, `generate_content`, … */
  readonly name: string
  readonly operation: Operation
  /** Paths that take a POST, as the reference has them; callers may leave out a leading `/v1`. */
  readonly paths: readonly string[]
  /** For paths that carry more than their own name; `query` with its `?`, or empty. */
  find?(path: string, query: string): Found | undefined
  /** What the body says of the request, where it is not JSON with `model` and `stream`. Throws `InvalidJson`, `InvalidForm`. */
  readonly reads?: (body: Bytes, contentType: string) => RequestFields
  /** What is asked for where the request may leave `model` out, and does. */
  readonly defaultModel?: string
  /** At most one of these three, for an operation that can be translated. */
  readonly chat?: ChatCaller
  readonly embeddings?: EmbeddingsCaller
  readonly rerank?: RerankCaller
  /** Reads answers of the surface's own dialect. Without either, answers that pass are not looked into (audio, images). */
  readonly watch?: Watch
  readonly fast?: FastWatch
  /**
   * What we answer ourselves where the target does not speak the surface: JSON, and headers of its own (flat list). Throws
   * `invalid_request`.
   */
  local?(body: Json): { readonly body: unknown; readonly headers?: readonly string[] }
  /** `stream_options.include_usage` asks for the usage of a stream. */
  readonly usageOption?: true
  /** The content type of its streams; `text/event-stream` unless given. */
  readonly streamType?: string
  /** An error as the dialect's SDKs raise it: JSON text, and headers of its own (flat list). `words` are for people. */
  error(
    failure: Failure,
    words: string,
    requestId: string,
  ): { readonly body: string; readonly headers?: readonly string[] }
  /** The same in the middle of a stream that was being passed through. */
  errorEvent?(failure: Failure, words: string, requestId: string): Buffer
}
