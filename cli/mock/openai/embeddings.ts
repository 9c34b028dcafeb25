import { type Answer, json } from '../answer.ts'
import { countTokens, seedOf, shown } from '../text.ts'
import { type Body, count, onlyKnown } from './fields.ts'
import { invalid } from './words.ts'

const known = new Set(['model', 'input', 'dimensions', 'encoding_format', 'user'])

/** `POST /v1/embeddings`: unit vectors drawn from the text; `encoding_format: base64` is what the SDKs ask for. https://platform.openai.com/docs/api-reference/embeddings */
export function embeddings(body: Body): Answer {
  onlyKnown(body, known)
  const inputs = inputsOf(body['input'])
  const dimensions = count(body, 'dimensions', 1, 4096, 8)
  const form = body['encoding_format'] ?? 'float'
  if (form !== 'float' && form !== 'base64')
    throw invalid(`'${shown(form)}' is not one of ['float', 'base64'] - 'encoding_format'`)
  const data = inputs.map((text, index) => {
    const raw = Array.from({ length: dimensions }, (_, i) => seedOf(`${i}:${text}`) / 2 ** 31 - 1)
    const norm = Math.hypot(...raw) || 1
    const vector = raw.map((x) => x / norm)
    const embedding = form === 'base64' ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector
    return { object: 'embedding', index, embedding }
  })
  const prompt_tokens = inputs.reduce((sum, it) => sum + countTokens(it), 0)
  return json({
    object: 'list',
    data,
    model: String(body['model']),
    usage: { prompt_tokens, total_tokens: prompt_tokens },
  })
}

const isTokens = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every((it) => Number.isInteger(it))

/** The texts to embed; lists of tokens count as a text of their numbers. */
function inputsOf(input: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(input) && !isTokens(input) ? input : [input]
  const texts = list.map((it) => (isTokens(it) ? it.join(' ') : it))
  if (texts.length === 0 || texts.length > 2048 || !texts.every((it) => typeof it === 'string' && it !== ''))
    throw invalid("'input' must be a string or a list of strings, none of them empty.", 'input')
  return texts.map(String)
}
