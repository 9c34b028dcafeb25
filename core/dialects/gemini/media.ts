import type { AudioPart, FilePart, ImagePart, Source } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import type { Json } from '../dialect.ts'

/** Types by the ending of a URL, for what https://ai.google.dev/gemini-api/docs/file-input-methods takes. */
const endings: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  html: 'text/html',
  csv: 'text/csv',
  json: 'application/json',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  mp4: 'video/mp4',
  webm: 'video/webm',
  mov: 'video/quicktime',
}

/** OpenAI's names of sound formats as media types: https://ai.google.dev/gemini-api/docs/audio#supported-formats */
const sounds: Readonly<Record<string, string>> = {
  wav: 'audio/wav',
  mp3: 'audio/mp3',
  aac: 'audio/aac',
  flac: 'audio/flac',
  opus: 'audio/ogg',
  pcm16: 'audio/l16;rate=24000',
}

/** The part that shows an image or a file. `strict`: a URL needs its type. Throws `not_translatable`. */
export function mediaPart({ type, source }: ImagePart | FilePart, at: string, strict: boolean): Json {
  switch (source.type) {
    case 'base64':
      return { inlineData: { mimeType: source.mediaType, data: source.data } }
    case 'url': {
      if (/^s3:/i.test(source.url))
        throw new Failure('not_translatable', { detail: `Google does not read S3 (${at}): send the ${type} inline.` })
      const mimeType = source.mediaType ?? typeOf(source.url)
      if (mimeType === undefined && strict)
        throw new Failure('not_translatable', {
          detail: `Vertex AI has to be told what is at the URL of the ${type} (${at}), and the URL does not say: let it end in .png, .jpg, .pdf, …, or send the ${type} inline.`,
        })
      return fileAt(source.url, mimeType)
    }
    case 'file':
      if (source.id.format !== 'gemini')
        throw new Failure('not_translatable', {
          detail: `The file ${source.id.value} (${at}) is at another provider: send its content.`,
        })
      return fileAt(source.id.value)
  }
}

const fileAt = (fileUri: string, mimeType = typeOf(fileUri)): Json => ({
  fileData: { fileUri, ...(mimeType === undefined ? {} : { mimeType }) },
})

export function audioPart({ data, format }: AudioPart): Json {
  return { inlineData: { mimeType: sounds[format] ?? `audio/${format}`, data } }
}

/** OpenAI's name of a sound format. */
export function soundOf(mimeType: string): string {
  const bare = mimeType.toLowerCase().split(';')[0]
  const found = Object.entries(sounds).find(([, type]) => type.split(';')[0] === bare)
  return found?.[0] ?? bare?.slice('audio/'.length).replace(/^x-|^mpeg$/, (it) => (it === 'mpeg' ? 'mp3' : '')) ?? ''
}

/** What a caller's `fileData` points to: Google's own storage means nothing to others. */
export function sourceOf(fileUri: string, mimeType: string | undefined): Source {
  if (fileUri.startsWith('gs:') || /^(https:\/\/generativelanguage\.googleapis\.com\/.*)?files\//.test(fileUri))
    return { type: 'file', id: { format: 'gemini', value: fileUri } }
  return { type: 'url', url: fileUri, ...(mimeType === undefined ? {} : { mediaType: mimeType }) }
}

function typeOf(url: string): string | undefined {
  const path = /^[a-z]+:\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1] ?? ''
  return endings[/\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? '']
}
