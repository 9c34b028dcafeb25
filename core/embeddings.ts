import type { Usage } from './usage.ts'

/** A request for embeddings, whoever asked. */
export interface EmbeddingsRequest {
  readonly model: string
  /** Texts, or texts already cut into tokens. */
  readonly input: readonly (string | readonly number[])[]
  readonly dimensions?: number
  /** How the caller wants the vectors written. */
  readonly encoding: 'float' | 'base64'
  /** What the vectors are for, where the dialect says it: Cohere and Gemini ask. */
  readonly purpose?: 'query' | 'document' | 'classification' | 'clustering'
  readonly user?: string
  /** Fields that have no place here. */
  readonly unread: readonly string[]
}

/** One vector for each input, in order. */
export interface Embeddings {
  readonly model: string | undefined
  readonly vectors: readonly (readonly number[])[]
  readonly usage: Usage | undefined
}
