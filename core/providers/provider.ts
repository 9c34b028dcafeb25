import type { ChatTarget, EmbeddingsTarget, Json, RerankTarget } from '../dialects/dialect.ts'
import type { Edit, Removal, RequestFields } from '../json-fields.ts'
import type { Bytes } from '../bytes.ts'
import type { Verdict } from '../openai-errors.ts'
import type { Prefill } from '../rescue/prefill.ts'
import type { Schema } from '../schema.ts'
import type { Found } from '../surfaces/surface.ts'

/** How requests to a provider are authorised. */
export type Auth =
  /** One header with the key of the Secret. `isKey`: by its looks, a caller's bearer is such a key, and goes on in that header, too. */
  | {
      readonly type: 'key'
      readonly header: (key: string) => readonly [name: string, value: string]
      readonly isKey?: RegExp
    }
  /** A service account's JSON key in the Secret; access tokens are minted and renewed (RFC 7523). */
  | { readonly type: 'google' }
  /** AWS Signature Version 4 over the exact request, with the Secret's keys or a web identity. */
  | { readonly type: 'aws'; readonly service: string }

/** What is to be passed through in a surface that the provider itself speaks. */
export interface NativeCall {
  /** After the base URL, from the slash on, with a query of its own where it needs one. */
  readonly path: string
  /** Flat list of headers that the provider needs besides the caller's. */
  readonly headers?: readonly string[]
  /** The same, each only where the caller sends none of that name. */
  readonly unlessGiven?: readonly string[]
  /** The path names the model, and the body must not. */
  readonly modelInPath?: true
}

/** What a provider's file says of it. One file a provider, one line in the registry. */
export interface Provider {
  /** The name in `spec.provider.type`. */
  readonly type: string
  /** `gen_ai.provider.name`, where the semantic conventions have one. */
  readonly genAi: string
  /** The name and the schema of the member of `spec.provider` that holds the provider's own settings. */
  readonly settings?: { readonly name: string; readonly schema: Schema; readonly required?: true }
  /** The base URL where the endpoint gives no address; undefined: an address is needed. */
  url?(settings: Json): string | undefined
  /** The condition (CEL, of the endpoint's spec) on which `url` gives one, where it does not always. */
  readonly urlWhen?: string
  readonly auth: Auth
  /** Bytes of any kind, chosen by path: no surfaces, no models. */
  readonly opaque?: true
  /**
   * Where the provider itself speaks a surface (by its name in `core/surfaces/`): bytes then pass, with the model's name and the endpoint's
   * parameters spliced in. Undefined: the request is translated, if `chat`, `embeddings` or `rerank` below can. `found`: what the caller's
   * path says, for surfaces whose path says more than their name.
   */
  native(surface: string, model: string, stream: boolean, settings: Json, found?: Found): NativeCall | undefined
  /** Fields of a native body that this provider wants otherwise, or not at all; of different names. */
  edits?(
    surface: string,
    body: Bytes,
    fields: RequestFields,
    settings: Json,
    model: string,
  ): readonly (Edit | Removal)[]
  /** This very request is translated although the surface is native: its answer would not be what the surface's callers read. */
  anew?(surface: string, model: string, body: Bytes, fields: RequestFields, settings: Json): boolean
  /** It says the usage of a stream without being asked, and refuses `stream_options`; that may depend on the settings. */
  readonly usageUnasked?: true | ((settings: Json) => boolean)
  /** What it is translated to; it may depend on the model. */
  chat?(model: string, settings: Json): ChatTarget
  embeddings?(model: string, settings: Json): EmbeddingsTarget | undefined
  rerank?(model: string, settings: Json): RerankTarget | undefined
  /**
   * How a model is made to go on with an answer that another began; undefined: it is not. `declared`: whether the endpoint says that it
   * can. Without this, a last message of the assistant is enough where the endpoint says so.
   */
  prefill?(model: string, settings: Json, declared: boolean | undefined): Prefill | undefined
  /** What its failures mean, where the words that all providers share (`core/openai-errors.ts`) do not say it. */
  classify?(status: number, headers: readonly string[], body: string, wall: number, settings: Json): Verdict
}

/** RFC 6750, section 2.1. */
export const bearer = {
  type: 'key',
  header: (key: string): readonly [string, string] => ['authorization', `Bearer ${key}`],
} as const satisfies Auth
