import type { InputPart, OutputPart, Source } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import { Failure } from '../../errors.ts'
import { isOfTheWeb, schemeOf, sourceOf } from '../openai/data-url.ts'
import { mark } from './cache-marks.ts'
import type { Block } from './cache-marks.ts'

const images = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

/** What cannot be said is named here: dotted paths in canonical words. */
export type Dropped = string[]

/** The block of a part that a user or a tool says; undefined for text without a word in it, which the API refuses. `at`: the part's path. */
export function writeInput(part: InputPart, at: string, dropped: Dropped): Block | undefined {
  switch (part.type) {
    case 'text':
      return part.text.trim() === '' ? undefined : { type: 'text', text: part.text, ...mark(part.cache) }
    case 'image':
      if (part.detail === 'low' || part.detail === 'high') dropped.push(`${at}.detail`)
      return { type: 'image', source: imageSource(part.source, at), ...mark(part.cache) }
    case 'file':
      return {
        type: 'document',
        source: documentSource(part.source, at),
        ...(part.name === undefined ? {} : { title: part.name }),
        ...mark(part.cache),
      }
    case 'audio':
      throw untranslatable(at, 'is audio, which Claude does not hear')
  }
}

/** The block of a part that the model said; undefined where it has no place. */
export function writeOutput(part: OutputPart, at: string, dropped: Dropped): Block | undefined {
  switch (part.type) {
    case 'text':
      return part.text.trim() === '' ? undefined : { type: 'text', text: part.text, ...mark(part.cache) }
    case 'refusal':
      return part.text.trim() === '' ? undefined : { type: 'text', text: part.text }
    case 'reasoning':
      if (part.signature?.format === 'anthropic')
        return { type: 'thinking', thinking: part.text, signature: part.signature.value }
      dropped.push(at)
      return undefined
    case 'redacted':
      if (part.data.format === 'anthropic') return { type: 'redacted_thinking', data: part.data.value }
      dropped.push(at)
      return undefined
    case 'tool-call':
      if (part.signature) dropped.push(`${at}.signature`)
      return {
        type: 'tool_use',
        id: callId(part.id),
        name: part.name,
        input: inputOf(part.arguments, at),
        ...mark(part.cache),
      }
    case 'audio':
      if (part.transcript?.trim()) return { type: 'text', text: part.transcript }
      dropped.push(at)
      return undefined
    case 'image':
      dropped.push(at)
      return undefined
  }
}

/** Calls have ids of letters, digits, `_` and `-`; those of other providers may have more, and each character beyond becomes its code. */
export function callId(id: string): string {
  return id.replace(/[^a-zA-Z0-9_-]/gu, (character) => `_${(character.codePointAt(0) ?? 0).toString(16)}`) || 'call'
}

/** The input of a call of a tool, which is an object here; `at` names the part. Throws `not_translatable` where it is none. */
export function inputOf(text: string, at: string): unknown {
  if (text.trim() === '') return {}
  try {
    const input = record(JSON.parse(text))
    if (input) return input
  } catch {
    // Said below.
  }
  throw untranslatable(at, 'has arguments that are not the JSON text of an object')
}

function imageSource(source: Source, at: string): Block {
  const inline = source.type === 'url' ? (sourceOf(source.url) ?? source) : source
  if (inline.type === 'url') return urlSource(inline.url, at)
  if (inline.type === 'file') return fileSource(inline, at)
  const mediaType = inline.mediaType.toLowerCase() === 'image/jpg' ? 'image/jpeg' : inline.mediaType.toLowerCase()
  if (!images.has(mediaType)) throw untranslatable(at, `is ${mediaType}: Claude sees JPEG, PNG, GIF and WebP`)
  return { type: 'base64', media_type: mediaType, data: inline.data }
}

function urlSource(url: string, at: string): Block {
  if (!isOfTheWeb(url))
    throw untranslatable(at, `is at ${schemeOf(url)}: Claude fetches https URLs only, so send it inline`)
  return { type: 'url', url }
}

function documentSource(source: Source, at: string): Block {
  const inline = source.type === 'url' ? (sourceOf(source.url) ?? source) : source
  if (inline.type === 'url') return urlSource(inline.url, at)
  if (inline.type === 'file') return fileSource(inline, at)
  const mediaType = inline.mediaType.toLowerCase()
  if (mediaType === 'application/pdf') return { type: 'base64', media_type: mediaType, data: inline.data }
  if (mediaType.startsWith('text/') || mediaType === 'application/json')
    return { type: 'text', media_type: 'text/plain', data: Buffer.from(inline.data, 'base64').toString() }
  throw untranslatable(at, `is ${mediaType}: Claude reads PDF and text`)
}

function fileSource({ id }: Extract<Source, { readonly type: 'file' }>, at: string): Block {
  if (id.format === 'anthropic') return { type: 'file', file_id: id.value }
  throw untranslatable(at, `is a file that is kept at another provider (${id.format})`)
}

export function untranslatable(at: string, what: string): Failure {
  return new Failure('not_translatable', { detail: `\`${at}\` ${what}.` })
}
