import { type Answer, json } from '../answer.ts'
import { countTokens, seedOf } from '../text.ts'
import { listAt, need, numberAt, textAt, wordAt } from './fields.ts'
import { type Body, invalid, onlyKnown } from './words.ts'

/** `POST /model/ID/invoke`, whose bodies are each model's own: those of embeddings and rankings. */
export function invoke(body: Body, model: string): Answer {
  if (/titan-embed/.test(model)) return titan(body, model)
  if (/cohere\.embed/.test(model)) return cohereEmbed(body, model)
  if (/rerank/.test(model)) return rerank(body, model)
  throw invalid('Malformed input request: the simulated InvokeModel has embeddings and rankings only.')
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html */
function titan(body: Body, model: string): Answer {
  const second = /-v2/.test(model)
  onlyKnown(body, second ? 'inputText dimensions normalize embeddingTypes' : 'inputText', '')
  const text = need(textAt(body, 'inputText', ''), 'inputText')
  const dimensions = numberAt(body, 'dimensions', '', 1, 1024) ?? 8
  const embedding = vectorOf(text, dimensions)
  return json({ embedding, embeddingsByType: { float: embedding }, inputTextTokenCount: countTokens(text) })
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html */
function cohereEmbed(body: Body, model: string): Answer {
  const fourth = /-v4/.test(model)
  onlyKnown(body, `texts input_type truncate embedding_types${fourth ? ' output_dimension' : ''}`, '')
  need(wordAt(body, 'input_type', '', 'search_document', 'search_query', 'classification', 'clustering'), 'input_type')
  const texts = need(listAt(body, 'texts', ''), 'texts')
  if (texts.length > 96) throw invalid('Malformed input request: #/texts: expected maximum item count: 96')
  const dimensions = numberAt(body, 'output_dimension', '', 1, 1536) ?? 8
  const vectors = texts.map((text) => vectorOf(String(text), dimensions))
  const types = listAt(body, 'embedding_types', '')
  const embeddings = types ? Object.fromEntries(types.map((type) => [String(type), vectors])) : vectors
  return json({
    id: `e-${seedOf(JSON.stringify(texts))}`,
    texts,
    embeddings,
    response_type: types ? 'embeddings_by_type' : 'embeddings_floats',
  })
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/rerank-supported.html: documents are the better, the more words of the query they have. */
function rerank(body: Body, model: string): Answer {
  const cohere = /cohere/.test(model)
  onlyKnown(body, `query documents top_n${cohere ? ' api_version' : ''}`, '')
  if (cohere && body['api_version'] !== 2)
    throw invalid('Malformed input request: #/api_version: 2 is not valid under any of the given schemas')
  const words = need(textAt(body, 'query', ''), 'query')
    .toLowerCase()
    .split(/\W+/)
  const documents = need(listAt(body, 'documents', ''), 'documents')
  const most = numberAt(body, 'top_n', '', 1, documents.length) ?? documents.length
  const results = documents
    .map((text, index) => ({
      index,
      relevance_score: words.filter((word) => String(text).toLowerCase().includes(word)).length / words.length,
    }))
    .toSorted((a, b) => b.relevance_score - a.relevance_score)
    .slice(0, most)
  return json({ results })
}

/** A vector of length 1, drawn from the text. */
function vectorOf(text: string, dimensions: number): readonly number[] {
  const raw = Array.from({ length: dimensions }, (_, i) => (seedOf(`${i}${text}`) % 2001) / 1000 - 1)
  const length = Math.hypot(...raw) || 1
  return raw.map((it) => it / length)
}
