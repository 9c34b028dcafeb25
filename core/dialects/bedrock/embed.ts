import type { Embeddings, EmbeddingsRequest } from '../../embeddings.ts'
import { Failure } from '../../errors.ts'
import { record } from '../../openai-usage.ts'
import { NO_USAGE } from '../../usage.ts'
import { Malformed } from '../dialect.ts'
import type { EmbeddingsTarget, Outgoing, TargetContext } from '../dialect.ts'
import { vectorOf } from '../openai/embeddings.ts'
import { modelPath } from './target.ts'

/** Vectors by InvokeModel, whose bodies are each model's own. Undefined for models that make none, or whose bodies are not known. */
export function bedrockEmbedTarget(model: string): EmbeddingsTarget | undefined {
  const id = model.toLowerCase()
  if (/amazon\.titan-embed-(text|g1)/.test(id)) return titan
  return /cohere\.embed/.test(id) ? cohere : undefined
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html: one text a call. */
const titan: EmbeddingsTarget = {
  write(request, context) {
    const [text, ...others] = textsOf(request, 'Titan')
    if (text === undefined || others.length > 0)
      throw new Failure('not_translatable', { detail: 'Titan takes one text in a request.' })
    const second = /embed-text-v2/i.test(context.model)
    const { dimensions } = request
    const dropped = [...unsaid(request), ...(dimensions === undefined || second ? [] : ['dimensions'])]
    if (request.purpose !== undefined) dropped.push('purpose')
    return outgoing(
      context,
      { inputText: text, ...(second && dimensions !== undefined ? { dimensions } : {}) },
      dropped,
    )
  },
  read(body) {
    const answer = record(body)
    const tokens = answer?.['inputTextTokenCount']
    return {
      model: undefined,
      vectors: [vectorOf(answer?.['embedding'])],
      usage: typeof tokens === 'number' ? { ...NO_USAGE, input: tokens } : undefined,
    }
  },
}

const MOST = 96
const inputTypes: Readonly<Record<NonNullable<EmbeddingsRequest['purpose']>, string>> = {
  document: 'search_document',
  query: 'search_query',
  classification: 'classification',
  clustering: 'clustering',
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html; how many tokens it took is not in the answer. */
const cohere: EmbeddingsTarget = {
  write(request, context) {
    const texts = textsOf(request, 'Cohere')
    if (texts.length > MOST)
      throw new Failure('not_translatable', { detail: `Cohere takes at most ${MOST} texts in a request.` })
    const fourth = /embed-v4/i.test(context.model)
    const { dimensions, purpose = 'document' } = request
    const dropped = [...unsaid(request), ...(dimensions === undefined || fourth ? [] : ['dimensions'])]
    const body = {
      texts,
      input_type: inputTypes[purpose],
      embedding_types: ['float'],
      ...(fourth && dimensions !== undefined ? { output_dimension: dimensions } : {}),
    }
    return outgoing(context, body, dropped)
  },
  read(body): Embeddings {
    const embeddings = record(body)?.['embeddings']
    // Without types the answer is a plain list.
    const vectors = Array.isArray(embeddings) ? embeddings : record(embeddings)?.['float']
    if (!Array.isArray(vectors)) throw new Malformed('The answer has no embeddings of type float.')
    return { model: undefined, vectors: vectors.map(vectorOf), usage: undefined }
  },
}

function textsOf({ input }: EmbeddingsRequest, whose: string): readonly string[] {
  const texts = input.filter((it) => typeof it === 'string')
  if (texts.length === input.length) return texts
  throw new Failure('not_translatable', { detail: `${whose} takes texts, not tokens of another model.` })
}

const unsaid = ({ user }: EmbeddingsRequest): string[] => (user === undefined ? [] : ['user'])

function outgoing({ model }: TargetContext, body: object, dropped: readonly string[]): Outgoing {
  return { path: modelPath(model, 'invoke'), body, dropped }
}
