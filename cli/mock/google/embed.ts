import { type Answer, json } from '../answer.ts'
import { countTokens, seedOf } from '../text.ts'
import { type Body, list, message, number, string, word } from './fields.ts'
import { invalid } from './words.ts'

const EMBED: ReadonlySet<string> = new Set(['model', 'content', 'taskType', 'title', 'outputDimensionality'])
const CONTENT: ReadonlySet<string> = new Set(['role', 'parts'])
const TEXT: ReadonlySet<string> = new Set(['text'])
const TASKS =
  'RETRIEVAL_QUERY RETRIEVAL_DOCUMENT SEMANTIC_SIMILARITY CLASSIFICATION CLUSTERING QUESTION_ANSWERING FACT_VERIFICATION CODE_RETRIEVAL_QUERY'.split(
    ' ',
  )

/** A unit vector drawn from the text. */
function vectorOf(text: string, dimensions: number): readonly number[] {
  const raw = Array.from({ length: dimensions }, (_, i) => seedOf(`${i}:${text}`) / 2 ** 31 - 1)
  const norm = Math.hypot(...raw) || 1
  return raw.map((x) => x / norm)
}

interface Embedded {
  readonly values: readonly number[]
  readonly tokens: number
}

function embedded(value: unknown, at: string, model: string, named: boolean): Embedded {
  const asked = message(value, at, EMBED)
  const given = string(asked, 'model', at)
  if (named && given !== `models/${model}`)
    throw invalid(
      `* BatchEmbedContentsRequest.requests: model in each of these requests must match the model specified: models/${model}, not ${String(given)}\n`,
    )
  const content = message(asked['content'], at === '' ? 'content' : `${at}.content`, CONTENT)
  const texts = list(content, 'parts', at).map(
    (it) => string(message(it, `${at}.content.parts`, TEXT), 'text', at) ?? '',
  )
  const text = texts.join('\n')
  if (text === '') throw invalid('* EmbedContentRequest.content: empty content\n')
  word(asked, 'taskType', at, TASKS)
  return {
    values: vectorOf(text, number(asked, 'outputDimensionality', at, 1, 3072, true) ?? 8),
    tokens: countTokens(text),
  }
}

const usage = (all: readonly Embedded[]): unknown => ({
  promptTokenCount: all.reduce((sum, { tokens }) => sum + tokens, 0),
})

/** https://ai.google.dev/api/embeddings */
export function embedContent(body: Body, model: string): Answer {
  const one = embedded(body, '', model, false)
  return json({ embedding: { values: one.values }, usageMetadata: usage([one]) })
}

export function batchEmbedContents(body: Body, model: string): Answer {
  const asked = list(message(body, '', new Set(['model', 'requests'])), 'requests', '')
  if (asked.length === 0 || asked.length > 100)
    throw invalid('* BatchEmbedContentsRequest.requests: at least 1 and at most 100 requests can be in one batch\n')
  const all = asked.map((it, i) => embedded(it, `requests[${i}]`, model, true))
  return json({ embeddings: all.map(({ values }) => ({ values })), usageMetadata: usage(all) })
}

const PREDICT: ReadonlySet<string> = new Set(['instances', 'parameters'])
const INSTANCE: ReadonlySet<string> = new Set(['content', 'taskType', 'title'])
const PARAMETERS: ReadonlySet<string> = new Set(['autoTruncate', 'outputDimensionality'])

/** Vertex AI's: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api */
export function predict(body: Body, model: string): Answer {
  const asked = message(body, '', PREDICT)
  const parameters = asked['parameters'] === undefined ? {} : message(asked['parameters'], 'parameters', PARAMETERS)
  const dimensions = number(parameters, 'outputDimensionality', 'parameters', 1, 3072, true) ?? 8
  const instances = list(asked, 'instances', '')
  const most = model.startsWith('gemini-') ? 1 : 250
  if (instances.length === 0 || instances.length > most)
    throw invalid(
      `${instances.length} instance(s) is allowed per prediction. Actual: ${instances.length}; the limit is ${most}.`,
    )
  const predictions = instances.map((it, i) => {
    const instance = message(it, `instances[${i}]`, INSTANCE)
    word(instance, 'taskType', `instances[${i}]`, TASKS)
    const text = string(instance, 'content', `instances[${i}]`) ?? ''
    if (text === '') throw invalid('The text content is empty.')
    return {
      embeddings: {
        values: vectorOf(text, dimensions),
        statistics: { truncated: false, token_count: countTokens(text) },
      },
    }
  })
  return json({ predictions, metadata: { billableCharacterCount: 0 } })
}
