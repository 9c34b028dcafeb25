import { type Answer, event, json, streamed, whole } from './answer.ts'
import { type FormPart, readForm } from './form.ts'
import type { Voice } from './mind.ts'
import { type Body, count, onlyKnown, typeOf } from './openai/fields.ts'
import { invalid } from './openai/words.ts'
import { picture } from './picture.ts'
import type { MockRequest } from './providers/provider.ts'
import { countTokens, isRecord, seedOf, tokensOf } from './text.ts'
import { wavHeader } from './wav.ts'

/** A request's fields, JSON or form: files are apart. */
interface Given {
  readonly fields: Body
  readonly files: readonly FormPart[]
}

type Surface = (given: Given, model: string, voice: Voice) => Answer

/** OpenAI's surfaces of images, sound and moderation, by what follows `/v1`; those of `form` take no JSON. */
const surfaces: Readonly<Record<string, { readonly form?: true; readonly model?: string; readonly answer: Surface }>> =
  {
    '/images/generations': { answer: generations },
    '/images/edits': { form: true, answer: edits },
    '/images/variations': { form: true, model: 'dall-e-2', answer: variations },
    '/audio/speech': { answer: speech },
    '/audio/transcriptions': { form: true, answer: transcriptions },
    '/audio/translations': { form: true, answer: translations },
    '/moderations': { model: 'omni-moderation-latest', answer: moderations },
  }

/** The model that a request of these surfaces names, or that it has by default; undefined where the path is none of theirs. */
export function mediaModel(path: string, request: MockRequest): string | undefined {
  const surface = Object.hasOwn(surfaces, path) ? surfaces[path] : undefined
  if (!surface) return undefined
  const { model } = read(surface.form, request).fields
  return typeof model === 'string' ? model : (surface.model ?? '')
}

/** Answers OpenAI's surfaces of images, sound and moderation; undefined where the path is none of theirs. Throws `Refusal`. */
export function media(path: string, request: MockRequest, voice: Voice): Answer | undefined {
  const surface = Object.hasOwn(surfaces, path) ? surfaces[path] : undefined
  if (!surface) return undefined
  if (request.method !== 'POST')
    throw invalid(`Not allowed to ${request.method} on ${path}.`, null, 'method_not_supported', 405)
  const model = mediaModel(path, request)
  if (!model) throw invalid('you must provide a model parameter', 'model')
  return surface.answer(read(surface.form, request), model, voice)
}

function read(form: true | undefined, { headers, bytes, body }: MockRequest): Given {
  const parts = form ? readForm(headers['content-type'] ?? '', bytes) : undefined
  if (form && !parts) throw invalid("Invalid Content-Type header (expected 'multipart/form-data')", null, null, 415)
  if (!parts) {
    if (!isRecord(body)) throw invalid('We could not parse the JSON body of your request.')
    return { fields: body, files: [] }
  }
  const texts = parts.filter(({ file }) => file === undefined)
  const given = Object.fromEntries(texts.map(({ name, bytes: text }) => [name, valueOf(text.toString())]))
  return { fields: given, files: parts.filter(({ file }) => file !== undefined) }
}

/** Numbers and flags are texts in a form. */
function valueOf(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

const known = (names: string): ReadonlySet<string> => new Set(names.split(' '))
const GENERATIONS = known(
  'model prompt background moderation n output_compression output_format partial_images quality response_format size stream style user',
)
const EDITS = known(
  'model prompt background input_fidelity n output_compression output_format partial_images quality response_format size stream user',
)
/** Anything but a word is refused as one that nobody knows. */
const word = (value: unknown, fallback: string): string =>
  value === undefined ? fallback : typeof value === 'string' ? value : JSON.stringify(value)
const isOld = (model: string): boolean => model.startsWith('dall-e')

function text(fields: Body, key: string): string {
  const value = fields[key]
  if (value === undefined) throw invalid(`Missing required parameter: '${key}'.`, key, 'missing_required_parameter')
  if (typeof value !== 'string')
    throw invalid(
      `Invalid type for '${key}': expected a string, but got ${typeOf(value)} instead.`,
      key,
      'invalid_type',
    )
  return value
}

function generations({ fields }: Given, model: string, voice: Voice): Answer {
  onlyKnown(fields, GENERATIONS)
  return images(fields, model, voice, text(fields, 'prompt'), 'image_generation', 0)
}

function edits({ fields, files }: Given, model: string, voice: Voice): Answer {
  onlyKnown(fields, EDITS)
  const shown = pictures(files)
  return images(fields, model, voice, text(fields, 'prompt'), 'image_edit', shown)
}

function variations({ fields, files }: Given, model: string, voice: Voice): Answer {
  onlyKnown(fields, known('model n response_format size user'))
  pictures(files)
  return images(fields, model, voice, 'variation', 'image_edit', 0)
}

/** How many pictures there are. */
function pictures(files: readonly FormPart[]): number {
  const shown = files.filter(({ name }) => name === 'image' || name === 'image[]')
  if (shown.length === 0) throw invalid("Missing required parameter: 'image'.", 'image', 'missing_required_parameter')
  if (!shown.every(({ bytes }) => bytes.subarray(1, 4).toString('latin1') === 'PNG'))
    throw invalid(
      'Invalid image file or mode for image 1, please check your image file.',
      'image',
      'invalid_image_file',
    )
  return shown.length
}

function images(fields: Body, model: string, voice: Voice, prompt: string, what: string, shown: number): Answer {
  const n = count(fields, 'n', 1, 10, 1)
  const format = fields['response_format']
  if (!isOld(model) && format !== undefined)
    throw invalid("Unknown parameter: 'response_format'.", 'response_format', 'unknown_parameter')
  if (isOld(model) && fields['stream'] !== undefined)
    throw invalid("Unknown parameter: 'stream'.", 'stream', 'unknown_parameter')
  const made = Array.from({ length: n }, (_, i) => picture(seedOf(`${voice.name}${prompt}${i}`)).toString('base64'))
  const tokens = { text_tokens: countTokens(prompt), image_tokens: shown * 194 }
  const usage = (pictures: number) => ({
    input_tokens: tokens.text_tokens + tokens.image_tokens,
    input_tokens_details: tokens,
    output_tokens: pictures * 272,
    total_tokens: tokens.text_tokens + tokens.image_tokens + pictures * 272,
  })
  const { created } = voice
  if (isOld(model)) {
    const url = (i: number) => `https://images.invalid/${seedOf(prompt)}-${i}.png`
    const data = made.map((b64_json, i) => (format === 'b64_json' ? { b64_json } : { url: url(i) }))
    return json({ created, data })
  }
  const look = { background: 'opaque', output_format: 'png', quality: 'low', size: '1024x1024' }
  if (fields['stream'] !== true)
    return json({ created, ...look, data: made.map((b64_json) => ({ b64_json })), usage: usage(n) }, 200, {}, n * 272)
  const early = count(fields, 'partial_images', 0, 3, 0)
  const parts = made.flatMap((b64_json) => {
    const said = { b64_json, created_at: created, ...look }
    const partial = Array.from({ length: early }, (_, i) => ({
      type: `${what}.partial_image`,
      ...said,
      partial_image_index: i,
    }))
    return [...partial, { type: `${what}.completed`, ...said, usage: usage(1) }]
  })
  return streamed(
    parts.map((part) => event(part, part.type)),
    n * 272,
  )
}

const VOICES = known('alloy ash ballad coral echo fable onyx nova sage shimmer verse marin cedar')
const TYPES: Readonly<Record<string, string>> = {
  mp3: 'audio/mpeg',
  opus: 'audio/opus',
  aac: 'audio/aac',
  flac: 'audio/flac',
  wav: 'audio/wav',
  pcm: 'audio/pcm',
}

/** Sound of a text: a tone a word, 16 bits at 8 kHz, in a WAV's frame where that is asked for. */
function speech({ fields }: Given, model: string, voice: Voice): Answer {
  onlyKnown(fields, known('model input voice instructions response_format speed stream_format'))
  const input = text(fields, 'input')
  if (!VOICES.has(text(fields, 'voice')))
    throw invalid(
      `Invalid value: '${String(fields['voice'])}'. Supported values are: 'alloy', 'ash', 'coral' and others.`,
      'voice',
      'invalid_value',
    )
  const format = word(fields['response_format'], 'mp3')
  const type = Object.hasOwn(TYPES, format) ? TYPES[format] : undefined
  if (type === undefined) throw invalid(`Invalid value: '${format}'.`, 'response_format', 'invalid_value')
  const words = tokensOf(voice.name, input, seedOf(input), voice.tokens).map((word) => tone(seedOf(word)))
  if (fields['stream_format'] !== 'sse') {
    const sound = format === 'wav' ? [wavHeader(words.reduce((sum, { length }) => sum + length, 0)), ...words] : words
    return streamed(sound, voice.tokens, type)
  }
  if (model.startsWith('tts-1'))
    throw invalid("'sse' is not supported for this model.", 'stream_format', 'unsupported_value')
  const input_tokens = countTokens(input)
  const usage = { input_tokens, output_tokens: voice.tokens, total_tokens: input_tokens + voice.tokens }
  const deltas = words.map((word) => ({ type: 'speech.audio.delta', audio: word.toString('base64') }))
  return streamed(
    [...deltas, { type: 'speech.audio.done', usage }].map((part) => event(part)),
    voice.tokens,
  )
}

function tone(seed: number): Buffer {
  const samples = Buffer.alloc(800 * 2)
  for (let i = 0; i < 800; i++) samples.writeInt16LE(Math.round(8000 * Math.sin(i / (4 + (seed % 32)))), i * 2)
  return samples
}

const FORMATS = "['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm']"

/** The seconds of a recording, which has to be a whole WAV: any byte that is lost or added shows. */
export function secondsOf(files: readonly FormPart[]): number {
  const file = files.find(({ name }) => name === 'file')
  if (!file) throw invalid("Missing required parameter: 'file'.", 'file', 'missing_required_parameter')
  const { bytes } = file
  if (bytes.length < 44 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.readUInt32LE(4) !== bytes.length - 8)
    throw invalid(`Invalid file format. Supported formats: ${FORMATS}`)
  return (bytes.length - 44) / bytes.readUInt32LE(28)
}

function transcriptions(given: Given, model: string, voice: Voice): Answer {
  const { fields } = given
  onlyKnown(
    fields,
    known(
      'model language prompt response_format temperature stream chunking_strategy include include[] timestamp_granularities timestamp_granularities[]',
    ),
  )
  const format = word(fields['response_format'], 'json')
  if (!model.startsWith('whisper') && format !== 'json')
    throw invalid(
      `response_format '${format}' is not compatible with model '${model}'. Use 'json' instead.`,
      'response_format',
      'unsupported_value',
    )
  return written(given, model, voice, format)
}

function translations(given: Given, model: string, voice: Voice): Answer {
  onlyKnown(given.fields, known('model prompt response_format temperature'))
  return written(given, model, voice, word(given.fields['response_format'], 'json'))
}

function written({ fields, files }: Given, model: string, voice: Voice, format: string): Answer {
  const seconds = secondsOf(files)
  const said = tokensOf(voice.name, `${seconds} seconds of sound`, Math.round(seconds * 1000), voice.tokens)
  const heard = said.join('')
  const clock = (at: number, comma: string): string => `00:00:${at.toFixed(3).padStart(6, '0').replace('.', comma)}`
  switch (format) {
    case 'text':
      return whole(`${heard}\n`, 'text/plain; charset=utf-8', voice.tokens)
    case 'srt':
      return whole(`1\n${clock(0, ',')} --> ${clock(seconds, ',')}\n${heard}\n\n`, 'text/plain; charset=utf-8')
    case 'vtt':
      return whole(`WEBVTT\n\n${clock(0, '.')} --> ${clock(seconds, '.')}\n${heard}\n\n`, 'text/plain; charset=utf-8')
    case 'verbose_json': {
      const usage = { type: 'duration', seconds: Math.ceil(seconds) }
      return json({ task: 'transcribe', language: 'english', duration: seconds, text: heard, segments: [], usage })
    }
    case 'json':
      break
    default:
      throw invalid(`Invalid value: '${format}'.`, 'response_format', 'invalid_value')
  }
  if (model.startsWith('whisper'))
    return json({ text: heard, usage: { type: 'duration', seconds: Math.ceil(seconds) } })
  const audio_tokens = Math.ceil(seconds * 10)
  const usage = {
    type: 'tokens',
    input_tokens: audio_tokens,
    input_token_details: { text_tokens: 0, audio_tokens },
    output_tokens: said.length,
    total_tokens: audio_tokens + said.length,
  }
  if (fields['stream'] !== true) return json({ text: heard, usage }, 200, {}, said.length)
  const deltas = said.map((delta) => ({ type: 'transcript.text.delta', delta }))
  const parts = [...deltas, { type: 'transcript.text.done', text: heard, usage }]
  return streamed([...parts.map((part) => event(part)), 'data: [DONE]\n\n'], said.length)
}

/** Flags what speaks of killing. */
function moderations({ fields }: Given, model: string, voice: Voice): Answer {
  onlyKnown(fields, known('model input'))
  const { input } = fields
  const several = Array.isArray(input) && input.every((it) => typeof it === 'string')
  const texts: readonly unknown[] = several
    ? input
    : [Array.isArray(input) ? input.map((it) => (isRecord(it) ? it['text'] : '')).join(' ') : input]
  if (input === undefined || !texts.every((it) => typeof it === 'string'))
    throw invalid("Missing required parameter: 'input'.", 'input', 'missing_required_parameter')
  const results = texts.map((it) => {
    const flagged = /\bkill/i.test(it)
    return { flagged, categories: { violence: flagged }, category_scores: { violence: flagged ? 0.98 : 0.01 } }
  })
  return json({ id: `modr-${seedOf(voice.name + JSON.stringify(input)).toString(16)}`, model, results })
}
