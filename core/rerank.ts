import type { Usage } from './usage.ts'

/** A request to put documents in the order of their relevance, whoever asked. */
export interface RerankRequest {
  readonly model: string
  readonly query: string
  readonly documents: readonly string[]
  readonly topN?: number
  /** The caller wants the documents back with their scores. */
  readonly returnDocuments?: boolean
  readonly maxTokensPerDocument?: number
  readonly unread: readonly string[]
}

/** The most relevant first. */
export interface Ranking {
  readonly id: string | undefined
  readonly results: readonly { /** Of the document in the request. */ readonly index: number; readonly score: number }[]
  /** Cohere bills searches, not tokens. */
  readonly searchUnits: number | undefined
  readonly usage: Usage | undefined
}
