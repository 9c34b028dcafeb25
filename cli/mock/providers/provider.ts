import type { IncomingHttpHeaders } from 'node:http'
import type { Answer, Part } from '../answer.ts'
import type { Voice } from '../mind.ts'
import type { Conversation } from '../realtime.ts'

/** A request as it came in. */
export interface MockRequest {
  readonly method: string
  /** Without the query, percent-encoding as it came. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Parsed; undefined where it is no JSON. */
  readonly body: unknown
  readonly bytes: Buffer
}

/** What the mock serves; an empty list of models takes every name. */
export interface Served {
  readonly models: readonly string[]
  readonly voice: Voice
  /** What requests have to show; undefined where anybody is served. */
  readonly key?: string | undefined
}

/** What goes wrong at any provider; each has words of its own for it. Times are in milliseconds. */
export type Trouble =
  | { readonly kind: 'unauthorised' }
  /** The request is wrong in a way that belongs to no surface: an unreadable fault, a body that is too large. */
  | { readonly kind: 'invalid'; readonly status: number; readonly message: string }
  /** The server failed, or says so: `code` is OpenAI's word, for providers that have one. */
  | { readonly kind: 'failed'; readonly status: number; readonly message: string; readonly code: string }
  /** Too many requests. `form` is how the wait is told: of those in `rate-limit.ts`, `text` has it in the message, `retry-info` in Google's detail. */
  | { readonly kind: 'rate-limit'; readonly wait: number; readonly form: string }
  | { readonly kind: 'quota' }
  /** The prompt is longer than `limit` tokens. */
  | { readonly kind: 'context-length'; readonly limit: number }
  | { readonly kind: 'content-refused' }

/** A simulated provider: a strict server of its API, and its own words for what goes wrong. It knows nothing of the product's translators. */
export interface MockProvider {
  /** What `--provider` takes. */
  readonly name: string
  /** What follows the address in the base URL that an SDK takes, such as `/v1`. */
  readonly basePath: string
  /** A request that shows how it is called. */
  example(model: string): { readonly path: string; readonly body: unknown }
  /** The model that a request names in its path; undefined where the body does. */
  modelOf?(request: MockRequest): string | undefined
  /** Whether the request carries `key` in the way of this provider. */
  authorised(request: MockRequest, key: string): boolean
  /** The honest answer, before any fault. Throws `Refusal` for what the real API refuses, in its words. */
  answer(request: MockRequest, served: Served): Answer
  /** What is said to a WebSocket. Throws `Refusal`; without it there are none. */
  converse?(request: MockRequest, served: Served): Conversation
  /** An error as a whole answer, with the provider's own status and headers. */
  error(trouble: Trouble): Answer
  /** The same as a part in the middle of `answer`. `form` is `event` or `data`: with the event's name or without, where the framing leaves the choice. */
  errorPart(trouble: Trouble, answer: Answer, form: string): Part
  /** Whether a part of a stream says why the answer ended; a stream without such parts is cut short. */
  finishes(part: Part): boolean
  /** Whether a part of a stream only says that nothing follows. */
  terminates(part: Part): boolean
  /** The answer as it is when a content filter ended it. */
  filtered(answer: Answer): Answer
}
