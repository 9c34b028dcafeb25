import { cohereErrors } from '../dialects/cohere/error.ts'
import { rerankCaller, rerankUsage } from '../dialects/cohere/rerank.ts'
import type { Surface } from './surface.ts'
import { wholeOnly } from './whole-only.ts'

const common = {
  operation: 'rerank',
  rerank: rerankCaller,
  watch: wholeOnly(rerankUsage),
  ...cohereErrors,
} as const

/** Jina's, vLLM's and Cohere's first one: https://docs.cohere.com/v1/reference/rerank, https://api.jina.ai/redoc#tag/rerank */
export const rerank = { name: 'rerank', paths: ['/v1/rerank'], ...common } as const satisfies Surface

/** https://docs.cohere.com/reference/rerank */
export const rerankV2 = { name: 'rerank_v2', paths: ['/v2/rerank'], ...common } as const satisfies Surface
