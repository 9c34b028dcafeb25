import type { EmbeddingsRequest } from '../../embeddings.ts'
import { Failure } from '../../errors.ts'
import { record } from '../../openai-usage.ts'
import type { EmbeddingsCaller, EmbeddingsTarget } from '../dialect.ts'
import { Malformed } from '../dialect.ts'
import { Asked } from '../openai/asked.ts'
import { base64Of, vectorOf } from '../openai/embeddings.ts'
import { invalid, listOf, oneOf, optional, text } from '../request-fields.ts'
import { usageOf } from './usage.ts'

type Purpose = NonNullable<EmbeddingsRequest['purpose']>

const purposes: Readonly<Record<string, Purpose>> = {
  search_document: 'document',
  search_query: 'query',
  classification: 'classification',
  clustering: 'clustering',
}
const inputTypes: Readonly<Record<Purpose, string>> = {
  document: 'search_document',
  query: 'search_query',
  classification: 'classification',
  clustering: 'clustering',
}
const TYPES = ['float', 'int8', 'uint8', 'binary', 'ubinary', 'base64'] as const

/** `POST /v2/embed`, spoken to us: https://docs.cohere.com/reference/embed. Texts only: no other dialect has vectors of images. */
export const cohereEmbedCaller: EmbeddingsCaller = {
  read(body, path) {
    const asked = new Asked(body)
    const inputType = asked.word('input_type', ...Object.keys(purposes), 'image')
    if (inputType === undefined) throw invalid('input_type', 'given')
    const types = optional(asked.any('embedding_types'), 'embedding_types', listOf(oneOf(...TYPES))) ?? ['float']
    const [type = 'float', ...others] = types
    if (others.length > 0 || (type !== 'float' && type !== 'base64'))
      throw cannot('vectors of other types than either float or base64')
    if (inputType === 'image' || asked.any('images') !== undefined) throw cannot('vectors of images')
    const request = {
      model: path.model ?? asked.need('model'),
      input: inputOf(asked),
      dimensions: asked.whole('output_dimension', 1),
      encoding: type,
      purpose: purposes[inputType],
    }
    if (asked.word('truncate', 'NONE', 'START', 'END') !== 'END') asked.leave('truncate')
    return { ...request, unread: asked.unread }
  },
  answer({ vectors, usage }, { input, encoding }, requestId) {
    const embeddings = encoding === 'base64' ? { base64: vectors.map(base64Of) } : { float: vectors }
    return {
      id: requestId,
      embeddings,
      texts: input,
      meta: {
        api_version: { version: '2' },
        ...(usage ? { billed_units: { input_tokens: usage.input } } : {}),
      },
      response_type: 'embeddings_by_type',
    }
  },
}

function inputOf(asked: Asked): readonly string[] {
  const texts = optional(asked.any('texts'), 'texts', listOf(text))
  const inputs = asked.objects('inputs').map((input) => {
    const said = input.objects('content').map((part) => {
      if (part.word('type', 'text', 'image_url') !== 'text') throw cannot('vectors of images')
      return part.need('text')
    })
    return said.join('\n')
  })
  const all = texts ?? inputs
  if (all.length === 0 || (texts && inputs.length > 0)) throw invalid('texts', 'given, or else "inputs"')
  return all
}

const cannot = (what: string): Failure =>
  new Failure('not_translatable', { detail: `Only Cohere itself makes ${what}.` })

const MOST = 96

/** The same, spoken to Cohere. */
export const cohereEmbedTarget: EmbeddingsTarget = {
  write({ input, dimensions, purpose = 'document', user }, { model }) {
    if (input.length > MOST)
      throw new Failure('not_translatable', { detail: `Cohere takes at most ${MOST} texts in a request.` })
    if (!input.every((it) => typeof it === 'string'))
      throw new Failure('not_translatable', { detail: 'Cohere takes texts, not tokens of another model.' })
    const body = {
      model,
      texts: input,
      input_type: inputTypes[purpose],
      embedding_types: ['float'],
      output_dimension: dimensions,
    }
    return { path: '/v2/embed', body, dropped: user === undefined ? [] : ['user'] }
  },
  read(body) {
    const answer = record(body)
    const vectors = record(answer?.['embeddings'])?.['float']
    if (!Array.isArray(vectors)) throw new Malformed('The answer has no embeddings of type float.')
    return { model: undefined, vectors: vectors.map(vectorOf), usage: usageOf(answer?.['meta']) }
  },
}
