import { type Answer, json } from '../answer.ts'
import { asObject, flagAt, listAt, needText, wholeAt } from './fields.ts'
import { type Body, idOf, invalid, mistyped, onlyKnown } from './words.ts'

const fields = {
  1: 'model query documents top_n rank_fields return_documents max_chunks_per_doc',
  2: 'model query documents top_n max_tokens_per_doc priority',
} as const

/**
 * `POST /v1/rerank` and `/v2/rerank`: documents score by the share of the query's words that they have.
 * https://docs.cohere.com/reference/rerank
 */
export function rerank(body: Body, version: 1 | 2): Answer {
  onlyKnown(body, fields[version])
  const query = needText(body, 'query')
  if (query.trim() === '') throw invalid('invalid request: query must not be empty or be only whitespace')
  const list = listAt(body, 'documents') ?? []
  if (list.length === 0) throw invalid('invalid request: list of documents must not be empty')
  const documents = list.map((it, i) => (version === 1 ? textOf(it, i, body) : plain(it, list)))
  const top = wholeAt(body, 'top_n', 1) ?? documents.length
  wholeAt(body, version === 1 ? 'max_chunks_per_doc' : 'max_tokens_per_doc', 1)
  const back = version === 1 && flagAt(body, 'return_documents') === true
  const words = wordsOf(query)
  const results = documents
    .map((text, index) => {
      const has = new Set(wordsOf(text))
      return { index, relevance_score: words.filter((it) => has.has(it)).length / Math.max(1, words.length) }
    })
    .toSorted((a, b) => b.relevance_score - a.relevance_score || a.index - b.index)
    .slice(0, top)
    .map((it) => (back ? { ...it, document: { text: documents[it.index] } } : it))
  return json({
    id: idOf(query + documents.join('\n')),
    results,
    meta: {
      api_version: { version: String(version) },
      billed_units: { search_units: Math.ceil(documents.length / 100) },
    },
  })
}

const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/\w+/g) ?? []

function plain(value: unknown, list: readonly unknown[]): string {
  if (typeof value !== 'string') throw mistyped('documents', list, '[]string')
  return value
}

function textOf(value: unknown, i: number, body: Body): string {
  if (typeof value === 'string') return value
  const document = asObject(value, `documents[${i}]`)
  const ranked = listAt(body, 'rank_fields')
  if (!ranked) return needText(document, 'text', `documents[${i}].text`)
  return ranked.map((field) => JSON.stringify(document[String(field)] ?? '')).join('\n')
}
