import type { Json } from '../dialect.ts'
/** Media types of Converse's formats, the one that is written first: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html */
const images: readonly (readonly [string, string])[] = [
  ['image/png', 'png'],
  ['image/jpeg', 'jpeg'],
  ['image/jpg', 'jpeg'],
  ['image/gif', 'gif'],
  ['image/webp', 'webp'],
]
const documents: readonly (readonly [string, string])[] = [
  ['application/pdf', 'pdf'],
  ['text/csv', 'csv'],
  ['application/msword', 'doc'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'],
  ['application/vnd.ms-excel', 'xls'],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'xlsx'],
  ['text/html', 'html'],
  ['text/plain', 'txt'],
  ['text/markdown', 'md'],
]
/** OpenAI's names on the left. */
const sounds: readonly (readonly [string, string])[] = [
  ['pcm16', 'pcm'],
  ...['wav', 'mp3', 'flac', 'opus', 'aac', 'ogg', 'm4a', 'webm', 'mp4'].map((it) => [it, it] as const),
]

const to = (pairs: readonly (readonly [string, string])[]) => new Map(pairs)
const from = (pairs: readonly (readonly [string, string])[]) => new Map(pairs.toReversed().map(([a, b]) => [b, a]))

const imageFormats = to(images)
const imageTypes = from(images)
const documentFormats = to(documents)
const documentTypes = from(documents)
const soundFormats = to(sounds)
const soundNames = from(sounds)

export const imageFormat = (mediaType: string): string | undefined => imageFormats.get(bare(mediaType))
export const imageType = (format: string): string => imageTypes.get(format) ?? `image/${format}`

/** Text of any kind is read as text. */
export function documentFormat(mediaType: string): string | undefined {
  const type = bare(mediaType)
  return (
    documentFormats.get(type) ??
    (type.startsWith('text/') || /^application\/(.*\+)?(json|xml|yaml)$/.test(type) ? 'txt' : undefined)
  )
}
export const documentType = (format: string): string => documentTypes.get(format) ?? 'application/octet-stream'

export const soundFormat = (name: string): string | undefined => soundFormats.get(name)
export const soundName = (format: string): string => soundNames.get(format) ?? format

/** What the end of a file's name says of its format: `s3://bucket/a.jpg`. */
export function formatOfName(name: string, kind: 'image' | 'document'): string | undefined {
  const ending = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''
  const word = ending === 'jpg' ? 'jpeg' : ending
  return (kind === 'image' ? imageTypes : documentTypes).has(word) ? word : undefined
}

const bare = (mediaType: string): string => (mediaType.split(';')[0] ?? '').trim().toLowerCase()

/** The word for the kind of an image's block; empty where there is none. */
export function formatOf({ format }: Json): string {
  return typeof format === 'string' ? format : ''
}
