import { type Answer, json } from '../answer.ts'
import { countTokens, seedOf } from '../text.ts'
import { asObject, listAt, needText, objectAt, wholeAt, wordAt } from './fields.ts'
import { type Body, idOf, invalid, mistyped, onlyKnown } from './words.ts'

const TYPES = ['float', 'int8', 'uint8', 'binary', 'ubinary', 'base64']
const DIMENSIONS = [256, 512, 1024, 1536]
const MOST = 96

/** `POST /v2/embed`: unit vectors drawn from the text, those of the simulated OpenAI. https://docs.cohere.com/reference/embed */
export function embed(body: Body): Answer {
  onlyKnown(body, 'texts images model input_type inputs max_tokens output_dimension embedding_types truncate priority')
  const type = wordAt(body, 'input_type', 'search_document', 'search_query', 'classification', 'clustering', 'image')
  if (type === undefined) throw invalid('invalid request: valid input_type must be provided with the provided model')
  wordAt(body, 'truncate', 'NONE', 'START', 'END')
  wholeAt(body, 'max_tokens', 1)
  const dimension = wholeAt(body, 'output_dimension', 1)
  if (dimension !== undefined && !DIMENSIONS.includes(dimension))
    throw invalid(`invalid request: output_dimension must be one of ${DIMENSIONS.join(', ')}.`)
  const types = listAt(body, 'embedding_types') ?? ['float']
  const odd = types.find((it) => !TYPES.includes(String(it)))
  if (odd !== undefined) throw invalid(`invalid request: embedding_types must be some of ${TYPES.join(', ')}.`)
  const { texts, images, all } = inputsOf(body)
  const vectors = all.map((text) => vectorOf(text, dimension ?? 8))
  const input = texts.reduce((sum, it) => sum + countTokens(it), 0)
  return json({
    id: idOf(all.join('\n')),
    ...(texts.length > 0 ? { texts } : {}),
    embeddings: Object.fromEntries(
      types.map((it) => [String(it), vectors.map((vector) => written(vector, String(it)))]),
    ),
    meta: {
      api_version: { version: '2' },
      billed_units: { ...(input > 0 ? { input_tokens: input } : {}), ...(images > 0 ? { images } : {}) },
    },
    response_type: 'embeddings_by_type',
  })
}

function inputsOf(body: Body): { texts: readonly string[]; images: number; all: readonly string[] } {
  const [texts, images, inputs] = [listAt(body, 'texts'), listAt(body, 'images'), listAt(body, 'inputs')]
  const given = [texts, images, inputs].filter((it) => it !== undefined)
  if (given.length !== 1) throw invalid('invalid request: exactly one of texts, images and inputs must be specified.')
  const list = given[0] ?? []
  if (list.length === 0 || list.length > MOST)
    throw invalid(
      `invalid request: total number of inputs must be at least 1 and at most ${MOST} - received ${list.length}.`,
    )
  if (inputs) {
    const all = inputs.map((value, i) => {
      const input = asObject(value, `inputs[${i}]`)
      onlyKnown(input, 'content')
      return (listAt(input, 'content') ?? []).map((part) => partOf(asObject(part, 'content'))).join('')
    })
    return { texts: [], images: 0, all }
  }
  const strings = list.map((it) => {
    if (typeof it !== 'string') throw mistyped(texts ? 'texts' : 'images', list, '[]string')
    return it
  })
  if (texts) return { texts: strings, images: 0, all: strings }
  if (body['input_type'] !== 'image') throw invalid('invalid request: images need the input_type image.')
  return { texts: [], images: strings.length, all: strings }
}

function partOf(part: Body): string {
  if (wordAt(part, 'type', 'text', 'image_url') === 'text') return needText(part, 'text')
  return needText(objectAt(part, 'image_url') ?? {}, 'url', 'image_url.url')
}

function vectorOf(text: string, dimensions: number): readonly number[] {
  const raw = Array.from({ length: dimensions }, (_, i) => seedOf(`${i}:${text}`) / 2 ** 31 - 1)
  const norm = Math.hypot(...raw) || 1
  return raw.map((x) => x / norm)
}

/** A vector of one type; bits are those of the signs, eight to a byte. */
function written(vector: readonly number[], type: string): unknown {
  const bits = (): number[] =>
    Array.from({ length: Math.ceil(vector.length / 8) }, (_, i) =>
      vector.slice(i * 8, i * 8 + 8).reduce((byte, x, j) => byte | (x > 0 ? 128 >> j : 0), 0),
    )
  switch (type) {
    case 'base64':
      return Buffer.from(Float32Array.from(vector).buffer).toString('base64')
    case 'int8':
      return vector.map((x) => Math.round(x * 127))
    case 'uint8':
      return vector.map((x) => Math.round(x * 127) + 128)
    case 'ubinary':
      return bits()
    case 'binary':
      return bits().map((byte) => byte - 128)
    default:
      return vector
  }
}
