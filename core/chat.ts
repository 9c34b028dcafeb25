/**
 * The canonical chat: what every dialect is read into and written from, so that N dialects need N files and not N×N. It follows OpenAI's
 * chat completions, with the parts that other providers have besides.
 */

import type { Usage } from './usage.ts'

/** How long a provider is to keep the prompt up to and including the part that bears the mark. */
export type CacheMark = '5m' | '1h'

interface Marked {
  readonly cache?: CacheMark
}

/** What belongs to one provider alone and means nothing to another: only a target of the same format gets it back. */
export interface Artefact {
  readonly format: ArtefactFormat
  readonly value: string
}
export type ArtefactFormat = 'openai' | 'anthropic' | 'gemini' | 'bedrock' | 'cohere'

export interface TextPart extends Marked {
  readonly type: 'text'
  readonly text: string
}

/** Where bytes are: inline as base64 with their media type, or at a URL, or under a file's id at one provider. */
export type Source =
  | { readonly type: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly type: 'url'; readonly url: string; readonly mediaType?: string }
  | { readonly type: 'file'; readonly id: Artefact }

export interface ImagePart extends Marked {
  readonly type: 'image'
  readonly source: Source
  readonly detail?: 'auto' | 'low' | 'high'
}

/** A document, such as a PDF; plain text comes as base64 of `text/plain`. */
export interface FilePart extends Marked {
  readonly type: 'file'
  readonly source: Source
  readonly name?: string
}

export interface AudioPart extends Marked {
  readonly type: 'audio'
  /** Base64; `format` as OpenAI names it: wav, mp3, flac, opus, pcm16, aac. */
  readonly data: string
  readonly format: string
  readonly transcript?: string
  readonly id?: string
  /** Seconds since the epoch: until then the provider knows it by its id. */
  readonly expiresAt?: number
}

/** What a model thought; `signature` has to go back unchanged with it in a tool loop. */
export interface ReasoningPart {
  readonly type: 'reasoning'
  readonly text: string
  readonly signature?: Artefact
}

/** Thought that the provider hides, to go back unchanged. */
export interface RedactedPart {
  readonly type: 'redacted'
  readonly data: Artefact
}

export interface RefusalPart {
  readonly type: 'refusal'
  readonly text: string
}

export interface ToolCallPart extends Marked {
  readonly type: 'tool-call'
  readonly id: string
  readonly name: string
  /** JSON text of an object; never empty: a call without arguments has `{}`. */
  readonly arguments: string
  /** Gemini's thought signature. */
  readonly signature?: Artefact
}

export type InputPart = TextPart | ImagePart | FilePart | AudioPart
export type OutputPart = TextPart | ReasoningPart | RedactedPart | RefusalPart | ToolCallPart | ImagePart | AudioPart

/** In the order of the conversation, not merged: a target's writer merges as its provider wants it. */
export type Message =
  | { readonly role: 'system'; readonly content: readonly TextPart[] }
  | { readonly role: 'user'; readonly name?: string; readonly content: readonly InputPart[] }
  | { readonly role: 'assistant'; readonly name?: string; readonly content: readonly OutputPart[] }
  | {
      readonly role: 'tool'
      readonly callId: string
      /** Of the function, where the dialect says it. */
      readonly name?: string
      readonly content: readonly InputPart[]
      readonly isError?: boolean
      readonly cache?: CacheMark
    }

/** A function that the model may call. */
export interface Tool extends Marked {
  readonly name: string
  readonly description?: string
  /** JSON Schema, exactly as the caller gave it. */
  readonly parameters?: Readonly<Record<string, unknown>>
  readonly strict?: boolean
  /** The caller knows it as a tool of any text, which here is the one string `input` of the parameters. */
  readonly custom?: boolean
}

export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh'

export interface Reasoning {
  /** How hard to think; `none`: not at all. */
  readonly effort?: Effort
  /** Tokens that thought may take. */
  readonly budget?: number
  /** Whether the thoughts, or a summary of them, are wanted in the answer. */
  readonly include?: boolean
}

/** What an answer is to look like. */
export type Format =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | {
      readonly type: 'schema'
      readonly name: string
      readonly description?: string
      readonly schema: Readonly<Record<string, unknown>>
      readonly strict?: boolean
    }

/** A request, whoever asked. A member that is undefined was not given: the provider's default holds. */
export interface ChatRequest {
  /** What the caller put in `model`. */
  readonly model: string
  readonly messages: readonly Message[]
  readonly tools: readonly Tool[]
  readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly name: string }
  readonly parallelToolCalls?: boolean
  /** Of the answer, thought included. */
  readonly maxTokens?: number
  /** 0–2, as OpenAI has it. */
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly stop?: readonly string[]
  /** How many answers; 1 unless given. */
  readonly n?: number
  readonly seed?: number
  readonly frequencyPenalty?: number
  readonly presencePenalty?: number
  readonly logprobs?: boolean
  readonly topLogprobs?: number
  readonly logitBias?: Readonly<Record<string, number>>
  readonly format?: Format
  readonly reasoning?: Reasoning
  readonly modalities?: readonly string[]
  /** For answers that are spoken. */
  readonly audio?: Readonly<Record<string, unknown>>
  /** Of the caller's end user. */
  readonly user?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly serviceTier?: string
  readonly stream: boolean
  /** The caller wants the usage in the stream; dialects that always say it have true. */
  readonly includeUsage: boolean
  /** Names of request fields (dotted paths, in the caller's words) that have no place here; they are reported as dropped. */
  readonly unread: readonly string[]
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter'

/** A token with its log-probability, as OpenAI has it. */
export interface TokenLogprob {
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[] | null
  readonly top_logprobs: readonly {
    readonly token: string
    readonly logprob: number
    readonly bytes: readonly number[] | null
  }[]
}

/** A source that an answer points to; kept in the caller's dialect where that has a place for it. */
export interface Citation {
  readonly url?: string
  readonly title?: string
  readonly text?: string
  readonly start?: number
  readonly end?: number
}

/**
 * What an answer is made of, streamed or whole: a target's reader gives the same events for both. `choice` counts answers from 0. Text,
 * reasoning and tool calls come in the order of the answer; pieces of one kind that follow each other belong together, unless a `tool`
 * begins a new call.
 */
export type ChatEvent =
  | {
      readonly type: 'start'
      readonly id?: string
      readonly model?: string
      /** Seconds since the epoch. */ readonly created?: number
    }
  | { readonly type: 'text'; readonly choice: number; readonly text: string }
  | { readonly type: 'refusal'; readonly choice: number; readonly text: string }
  | { readonly type: 'reasoning'; readonly choice: number; readonly text: string }
  /** Ends a piece of reasoning. */
  | { readonly type: 'signature'; readonly choice: number; readonly signature: Artefact }
  | { readonly type: 'redacted'; readonly choice: number; readonly data: Artefact }
  /** A call begins. `index` counts the calls of one choice from 0, whatever the provider counts. */
  | {
      readonly type: 'tool'
      readonly choice: number
      readonly index: number
      readonly id: string
      readonly name: string
      readonly signature?: Artefact
    }
  /** More of the JSON text of a call's arguments. A call with none gets `{}` from the reader. */
  | { readonly type: 'arguments'; readonly choice: number; readonly index: number; readonly text: string }
  | { readonly type: 'image'; readonly choice: number; readonly mediaType: string; readonly data: string }
  | {
      readonly type: 'audio'
      readonly choice: number
      readonly id?: string
      readonly data?: string
      readonly transcript?: string
      readonly expiresAt?: number
    }
  | { readonly type: 'citation'; readonly choice: number; readonly citation: Citation }
  | { readonly type: 'logprobs'; readonly choice: number; readonly content: readonly TokenLogprob[] }
  | {
      readonly type: 'finish'
      readonly choice: number
      readonly reason: FinishReason
      /** The stop sequence that ended it, where the provider says which. */
      readonly stopSequence?: string
    }
  /** The usage so far: the last one counts, they are not summed. */
  | { readonly type: 'usage'; readonly usage: Usage }
  /** The provider is still there. */
  | { readonly type: 'ping' }
  /** The answer failed. `body`: the error as JSON text, in the provider's words. */
  | { readonly type: 'error'; readonly body: string }
  /** The provider says that nothing follows. */
  | { readonly type: 'end' }

/** A whole answer. */
export interface ChatAnswer {
  readonly id: string | undefined
  readonly model: string | undefined
  /** Seconds since the epoch. */
  readonly created: number | undefined
  readonly choices: readonly AnswerChoice[]
  readonly usage: Usage | undefined
}

export interface AnswerChoice {
  readonly index: number
  readonly content: readonly OutputPart[]
  readonly citations: readonly Citation[]
  readonly logprobs: readonly TokenLogprob[] | undefined
  readonly finish: FinishReason
  readonly stopSequence: string | undefined
}
