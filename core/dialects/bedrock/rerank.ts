import { record } from '../../openai-usage.ts'
import { Malformed } from '../dialect.ts'
import type { RerankTarget } from '../dialect.ts'
import { modelPath } from './target.ts'

/** Rankings by InvokeModel: Amazon's and Cohere's models take and give the same but for a version. Undefined for other models. */
export function bedrockRerankTarget(model: string): RerankTarget | undefined {
  const id = model.toLowerCase()
  if (/amazon\.rerank/.test(id)) return target({})
  // The second version is the only one that the model takes: https://docs.cohere.com/docs/rerank-on-bedrock
  return /cohere\.rerank/.test(id) ? target({ api_version: 2 }) : undefined
}

const target = (more: object): RerankTarget => ({
  write: ({ query, documents, topN, maxTokensPerDocument }, { model }) => ({
    path: modelPath(model, 'invoke'),
    body: { query, documents, ...(topN === undefined ? {} : { top_n: topN }), ...more },
    dropped: maxTokensPerDocument === undefined ? [] : ['maxTokensPerDocument'],
  }),
  read(body) {
    const results = record(body)?.['results']
    if (!Array.isArray(results)) throw new Malformed('The answer has no results.')
    return {
      id: undefined,
      results: results.map((value: unknown) => {
        const { index, relevance_score: score } = record(value) ?? {}
        if (typeof index !== 'number' || typeof score !== 'number')
          throw new Malformed('A result has no index or no score.')
        return { index, score }
      }),
      searchUnits: undefined,
      usage: undefined,
    }
  },
})
