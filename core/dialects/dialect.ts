import type { ChatAnswer, ChatEvent, ChatRequest } from '../chat.ts'
import type { Embeddings, EmbeddingsRequest } from '../embeddings.ts'
import type { Ranking, RerankRequest } from '../rerank.ts'
import type { Failure } from '../errors.ts'

/**
 * A dialect is how one family of providers writes requests, answers and streams. It has two halves: `caller`, for apps that speak it to us,
 * and `target`, for providers that we speak it to. Both go through the canonical forms (`chat.ts`, `embeddings.ts`, `rerank.ts`).
 */

/** A parsed JSON object. */
export type Json = Readonly<Record<string, unknown>>

/** A piece of a stream as its framing cuts it: one server-sent event, or one message of an AWS event stream. */
export interface Frame {
  /** The event's name: `event:` of SSE, `:event-type` or `:exception-type` of AWS; empty where there is none. */
  readonly type: string
  /** Text of the payload; for SSE the `data` lines. */
  readonly data: string
}

/** How the bytes of a stream are cut into frames. */
export type Framing = 'sse' | 'aws-event-stream'

/** Thrown by readers where an answer is not what the provider documents; becomes `upstream_malformed`. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}

/** Reads one stream of a target. */
export interface ChatReader {
  /**
   * A frame that said words and nothing else says them again, with other words in it, for as long as no frame of another kind has come; and
   * to read it changes nothing in the reader. Then such a frame need not be handed to it.
   */
  readonly steady?: true
  /** The events that a frame holds; throws `Malformed`. */
  read(frame: Frame): readonly ChatEvent[]
  /** At the end of the bytes: what is still owed (closing a call's arguments); never a finish that the provider did not give. */
  end(): readonly ChatEvent[]
}

/** Writes one stream to a caller. All methods return the bytes to send now, possibly none. */
export interface ChatWriter {
  write(event: ChatEvent): Buffer
  /** The answer is whole: whatever the dialect ends with. */
  end(): Buffer
  /** The answer stopped before it was whole: an error event as the dialect's SDKs raise it; no terminator that means success. */
  fail(failure: Failure, words: string, requestId: string): Buffer
}

/** What a caller's path and query say, beside the body. */
export interface Asked {
  /** Where the path names the model (Gemini, Bedrock). */
  readonly model?: string | undefined
  /** Where the path says whether to stream. */
  readonly stream?: boolean | undefined
}

/** What a caller's half needs to know to write an answer. */
export interface AnswerContext {
  readonly request: ChatRequest
  /** Of our own; ids of answers are made of it where the provider gives none. */
  readonly requestId: string
  /** Seconds since the epoch. */
  readonly now: number
  /** Whole milliseconds since the request went out, for dialects whose answers say so. */
  readonly elapsed?: () => number
}

/** The half of a dialect that apps speak to us. */
export interface ChatCaller {
  /** Throws `Failure('invalid_request', {detail})` naming the field and what to do, for what the dialect's own API would refuse. */
  read(body: Json, asked: Asked): ChatRequest
  /** The JSON body of a whole answer. */
  answer(answer: ChatAnswer, context: AnswerContext): unknown
  writer(context: AnswerContext): ChatWriter
}

/** What a target's half needs to know of the target. */
export interface TargetContext {
  /** The provider's own name for the model. */
  readonly model: string
  /** `spec.provider.<member>`, defaults filled in; undefined for providers without one. */
  readonly settings: Json
  readonly capabilities: Capabilities
  /** Stable for the request: ids that a provider does not give are made of it. */
  readonly requestId: string
}

/** What a model is known to take, from its endpoint's `capabilities`; undefined: not known. */
export interface Capabilities {
  readonly contextWindow: number | undefined
  readonly maxOutputTokens: number | undefined
  /** Undefined: not said, and taken to be possible. */
  readonly prefill: boolean | undefined
  readonly tools?: boolean | undefined
  readonly jsonSchema?: boolean | undefined
  /** What a request may consist of; undefined: not said. */
  readonly input?: ReadonlySet<string> | undefined
}

/** A request in a target's own words. */
export interface Outgoing {
  /** After the base URL, from the slash on; with its query. */
  readonly path: string
  /** Flat list of names in lower case and values, besides content-type and authorization. */
  readonly headers?: readonly string[]
  readonly body: unknown
  /** What could not be said: request fields by canonical name, such as `seed` or `messages.2.audio`. */
  readonly dropped: readonly string[]
}

/** The half of a dialect that we speak to providers. */
export interface ChatTarget {
  /** Whose artefacts (signatures, file ids) it takes. */
  readonly artefacts: readonly string[]
  readonly framing: Framing
  /**
   * Builds each request anew from the canonical one. Throws `Failure('not_translatable', {detail})` only for what would change the meaning
   * if it were left out (an image for a model without eyes); everything else goes into `dropped`.
   */
  write(request: ChatRequest, context: TargetContext): Outgoing
  /** The events of a whole answer, as the same answer streamed would give them, `end` included. Throws `Malformed`. */
  read(body: unknown, context: TargetContext): readonly ChatEvent[]
  reader(context: TargetContext): ChatReader
}

/** Callers and targets of what is not chat. */
export interface EmbeddingsCaller {
  read(body: Json, asked: Asked): EmbeddingsRequest
  /** `requestId`: of our own, for dialects whose answers have an id that the target gave none for. */
  answer(answer: Embeddings, request: EmbeddingsRequest, requestId: string): unknown
}
export interface EmbeddingsTarget {
  write(request: EmbeddingsRequest, context: TargetContext): Outgoing
  read(body: unknown, request: EmbeddingsRequest, context: TargetContext): Embeddings
}
export interface RerankCaller {
  read(body: Json, asked: Asked): RerankRequest
  answer(answer: Ranking, request: RerankRequest, requestId: string): unknown
}
export interface RerankTarget {
  write(request: RerankRequest, context: TargetContext): Outgoing
  read(body: unknown, request: RerankRequest, context: TargetContext): Ranking
}
