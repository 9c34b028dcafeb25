import { record, usageOf } from '../../openai-usage.ts'
import type { EmbeddingsCaller, EmbeddingsTarget } from '../dialect.ts'
import { Malformed } from '../dialect.ts'
import { invalid, list, listOf, whole } from '../request-fields.ts'
import { Asked } from './asked.ts'

/** `POST /v1/embeddings`, spoken to us: https://platform.openai.com/docs/api-reference/embeddings */
export const openaiEmbeddingsCaller: EmbeddingsCaller = {
  read(body, path) {
    const asked = new Asked(body)
    const request = {
      model: path.model ?? asked.need('model'),
      input: inputOf(asked.any('input')),
      dimensions: asked.whole('dimensions', 1),
      encoding: asked.word('encoding_format', 'float', 'base64') ?? 'float',
      user: asked.text('user'),
    }
    return { ...request, unread: asked.unread }
  },
  answer({ model, vectors, usage }, request) {
    const tokens = usage?.input ?? 0
    return {
      object: 'list',
      data: vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: request.encoding === 'base64' ? base64Of(vector) : vector,
      })),
      model: model ?? request.model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    }
  },
}

const MUST = 'a string, a list of strings, a list of tokens, or a list of lists of tokens'

function inputOf(value: unknown): readonly (string | readonly number[])[] {
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value) || value.length === 0) throw invalid('input', MUST)
  if (typeof value[0] === 'number') return [tokens(value, 'input')]
  return value.map((item: unknown, i) => {
    if (typeof item === 'string') return item
    if (Array.isArray(item)) return tokens(item, `input.${i}`)
    throw invalid('input', MUST)
  })
}

const tokens = (value: unknown, name: string): readonly number[] => listOf(whole(0))(list(value, name), name)

/** Vectors as base64 of 32-bit floats, little end first. */
export function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4)
  vector.forEach((value, i) => bytes.writeFloatLE(value, i * 4))
  return bytes.toString('base64')
}

/** The same, read. Throws `Malformed` where it is no base64 of floats. */
function floatsOf(base64: string): readonly number[] {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length === 0 || bytes.length % 4 !== 0) throw new Malformed('A vector is no base64 of 32-bit floats.')
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4))
}

/** `POST /v1/embeddings`, spoken to OpenAI and to servers of its dialect. */
export const openaiEmbeddingsTarget: EmbeddingsTarget = {
  write({ input, dimensions, purpose, user }, { model }) {
    const body = { model, input, encoding_format: 'float', dimensions, user }
    return { path: '/embeddings', body, dropped: purpose === undefined ? [] : ['purpose'] }
  },
  read(body) {
    const answer = record(body)
    const data = answer?.['data']
    if (!Array.isArray(data)) throw new Malformed('The answer has no list of data.')
    const vectors: (readonly number[])[] = []
    data.forEach((item: unknown, i) => {
      const { index = i, embedding } = record(item) ?? {}
      if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= data.length || vectors[index])
        throw new Malformed('A vector has no index of its own.')
      vectors[index] = typeof embedding === 'string' ? floatsOf(embedding) : vectorOf(embedding)
    })
    const model = answer?.['model']
    return { model: typeof model === 'string' ? model : undefined, vectors, usage: usageOf(answer?.['usage']) }
  },
}

/** A vector of an answer. Throws `Malformed`. */
export function vectorOf(value: unknown): readonly number[] {
  if (!Array.isArray(value) || value.length === 0 || !value.every((it) => typeof it === 'number'))
    throw new Malformed('A vector is no list of numbers.')
  return value
}
