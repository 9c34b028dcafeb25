import { record, usageOf as openaiUsage } from '../../openai-usage.ts'
import type { Ranking } from '../../rerank.ts'
import type { Usage } from '../../usage.ts'
import { NO_USAGE } from '../../usage.ts'
import type { Json, RerankCaller, RerankTarget } from '../dialect.ts'
import { Malformed } from '../dialect.ts'
import { Asked } from '../openai/asked.ts'
import { invalid, listOf, optional, text } from '../request-fields.ts'
import { usageOf } from './usage.ts'

/**
 * Cohere's rerank and what others made of it (Jina, vLLM and most self-hosted servers), spoken to us. One form serves all of them:
 * https://docs.cohere.com/reference/rerank, https://docs.cohere.com/v1/reference/rerank, https://api.jina.ai/redoc#tag/rerank
 */
export const rerankCaller: RerankCaller = {
  read(body, path) {
    const asked = new Asked(body)
    const fields = optional(asked.any('rank_fields'), 'rank_fields', listOf(text))
    const documents = asked.list('documents')
    if (!documents || documents.length === 0) throw invalid('documents', 'a list of at least one text')
    const request = {
      model: path.model ?? asked.need('model'),
      query: asked.need('query'),
      documents: documents.map((it, i) => documentOf(it, `documents.${i}`, fields)),
      topN: asked.whole('top_n', 1),
      returnDocuments: asked.flag('return_documents'),
      maxTokensPerDocument: asked.whole('max_tokens_per_doc', 1),
    }
    return { ...request, unread: asked.unread }
  },
  answer({ id, results, searchUnits, usage }, { model, documents, topN, returnDocuments }, requestId) {
    return {
      id: id ?? requestId,
      model,
      results: results.slice(0, topN).map(({ index, score }) => ({
        index,
        relevance_score: score,
        ...(returnDocuments ? { document: { text: documents[index] } } : {}),
      })),
      meta: searchUnits === undefined ? {} : { billed_units: { search_units: searchUnits } },
      ...(usage && usage.input > 0 ? { usage: { prompt_tokens: usage.input, total_tokens: usage.input } } : {}),
    }
  },
}

/** A document's text: itself, its `text`, or the fields that count, a line each. */
function documentOf(value: unknown, name: string, fields: readonly string[] | undefined): string {
  if (typeof value === 'string') return value
  const document = record(value)
  if (!document) throw invalid(name, 'a string or an object')
  if (!fields) return text(document['text'], `${name}.text`)
  return fields.map((field) => `${field}: ${fieldText(document[field])}`).join('\n')
}

function fieldText(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The same, spoken to Cohere. */
export const cohereRerankTarget: RerankTarget = {
  write({ query, documents, topN, maxTokensPerDocument }, { model }) {
    const body = { model, query, documents, top_n: topN, max_tokens_per_doc: maxTokensPerDocument }
    return { path: '/v2/rerank', body, dropped: [] }
  },
  read: (body, { documents }) => readRanking(body, documents.length),
}

/** Hugging Face's text-embeddings-inference: https://huggingface.github.io/text-embeddings-inference. One server has one model. */
export const teiRerankTarget: RerankTarget = {
  write({ query, documents, maxTokensPerDocument }) {
    // Longer documents are cut, as everywhere else, and not refused.
    const body = { query, texts: documents, truncate: true }
    return { path: '/rerank', body, dropped: maxTokensPerDocument === undefined ? [] : ['maxTokensPerDocument'] }
  },
  read: (body, { documents }) => readRanking({ results: body }, documents.length),
}

/** A ranking in any of the forms, the best first whatever the order it came in. Throws `Malformed`. */
function readRanking(body: unknown, documents: number): Ranking {
  const answer = record(body)
  const found = answer?.['results']
  if (!answer || !Array.isArray(found)) throw new Malformed('The answer has no list of results.')
  const seen = new Set<number>()
  const results = found.map((item: unknown) => {
    const { index, relevance_score: relevance, score = relevance } = record(item) ?? {}
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= documents || seen.has(index))
      throw new Malformed('A result has no index of a document.')
    if (typeof score !== 'number') throw new Malformed('A result has no score.')
    seen.add(index)
    return { index, score }
  })
  const id = answer['id']
  const usage = rerankUsage(answer)
  return {
    id: typeof id === 'string' ? id : undefined,
    results: results.toSorted((a, b) => b.score - a.score),
    searchUnits: usage?.units,
    usage,
  }
}

/** Search units of Cohere, or the tokens that others count. */
export function rerankUsage(answer: Json): Usage | undefined {
  const billed = usageOf(answer['meta'])
  if (billed) return billed
  const usage = openaiUsage(answer['usage'])
  const total = record(answer['usage'])?.['total_tokens']
  // Jina and vLLM count no more than the total.
  if (usage && usage.input === 0 && typeof total === 'number') return { ...NO_USAGE, input: total }
  return usage
}
