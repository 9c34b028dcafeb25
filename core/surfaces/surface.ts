import type { Asked, ChatCaller, ChatReader, EmbeddingsCaller, Framing, RerankCaller } from '../dialects/dialect.ts'
import type { ChatEvent } from '../chat.ts'
import type { Failure } from '../errors.ts'
import type { Usage } from '../usage.ts'

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
  | 'models'
  | 'opaque'

/** What `find` makes of a path. */
export interface Found extends Asked {
  /** The path as the dialect's reference has it, such as `/v1/messages`. */
  readonly path: string
  readonly method: 'GET' | 'POST'
}

/** How a surface's own answers are read on their way through, where both ends speak it and bytes pass untouched. */
export interface Watch {
  readonly framing: Framing
  reader(): ChatReader
  /** The events of a whole answer; throws `Malformed`. */
  read(body: unknown): readonly ChatEvent[]
}

/** An API that apps speak to us: a set of paths in one dialect. One file each, one line in the registry. */
export interface Surface {
  /** For logs and metrics: `chat`, `messages`, `generate_content`, … */
  readonly name: string
  readonly operation: Operation
  /** The dialect's name; errors are written in it. */
  readonly dialect: string
  /** Whether the path is this surface's, with or without the base URL's version prefix; without the query. */
  find(path: string): Found | undefined
  /** Exactly one of these for an operation that can be translated; none where bytes can only pass. */
  readonly chat?: ChatCaller
  readonly embeddings?: EmbeddingsCaller
  readonly rerank?: RerankCaller
  /** Reads streamed and whole answers of the surface's own dialect. Absent for surfaces whose answers are not looked into (audio, images). */
  readonly watch?: Watch
  /** The usage in a whole answer of the surface's own dialect, where `watch` is absent. */
  usage?(body: unknown): Usage | undefined
  /** An error as the dialect's SDKs raise it: JSON text and headers of its own (flat list), for any failure. */
  error(failure: Failure, words: string, requestId: string): { readonly body: string; readonly headers?: readonly string[] }
  /** The same as an event in the middle of a stream whose answer was being passed through. */
  errorEvent?(failure: Failure, words: string, requestId: string): Buffer
}
