import { fieldValue, requestFields } from '../json-fields.ts'
import { formOrJson } from './images.ts'
import { mediaWatch } from './media-watch.ts'
import { openaiErrors } from './openai-error.ts'
import type { Surface } from './surface.ts'

/** https://platform.openai.com/docs/api-reference/audio/createSpeech: the answer is sound, or with `stream_format: sse` events that hold it. */
export const speech = {
  name: 'speech',
  operation: 'speech',
  paths: ['/v1/audio/speech'],
  reads(body) {
    const fields = requestFields(body)
    return { ...fields, stream: fieldValue(body, fields.fields, 'stream_format') === 'sse' }
  },
  watch: mediaWatch({
    member: 'audio',
    makes: 'audio',
    ends: ['speech.audio.done'],
    unread: (type) => (/^(audio|video)\/|^application\/octet-stream\b/.test(type) ? 'flow' : undefined),
  }),
  ...openaiErrors,
} as const satisfies Surface

const texts = {
  operation: 'transcriptions',
  reads: formOrJson,
  watch: mediaWatch({
    member: 'text',
    makes: 'text',
    ends: ['transcript.text.done'],
    // `response_format`: text, srt, vtt.
    unread: (type) => (/^text\/(plain|vtt|srt)\b|^application\/x-subrip\b/.test(type) ? 'hold' : undefined),
  }),
  ...openaiErrors,
} as const

/** https://platform.openai.com/docs/api-reference/audio/createTranscription */
export const transcriptions = {
  ...texts,
  name: 'transcriptions',
  paths: ['/v1/audio/transcriptions'],
} as const satisfies Surface

/** https://platform.openai.com/docs/api-reference/audio/createTranslation */
export const translations = {
  ...texts,
  name: 'translations',
  paths: ['/v1/audio/translations'],
} as const satisfies Surface
