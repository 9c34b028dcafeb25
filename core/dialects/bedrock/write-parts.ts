import type { InputPart, OutputPart, Source } from '../../chat.ts'
import { callId, inputOf, untranslatable } from '../anthropic/write-parts.ts'
import { sourceOf } from '../openai/data-url.ts'
import { writeRedacted } from './artefacts.ts'
import type { Block } from './cache-points.ts'
import { documentFormat, formatOfName, imageFormat, soundFormat } from './media.ts'
import type { BedrockTraits } from './model-traits.ts'

/** What writing the parts of one request needs to know, and what it keeps. */
export class Writing {
  readonly traits: BedrockTraits
  /** What cannot be said is named here: dotted paths in canonical words. */
  readonly dropped: string[] = []
  private readonly names = new Map<string, number>()

  constructor(traits: BedrockTraits) {
    this.traits = traits
  }

  /**
   * A document's name as Bedrock takes it: letters, digits, single spaces, `-()[]`, at most 200 (its ending goes, which the format says),
   * and none twice in a request.
   */
  documentName(name: string | undefined): string {
    const plain = (name ?? '')
      .replace(/\.[a-z0-9]{1,5}$/i, '')
      .replaceAll(/[^a-z0-9\s()[\]-]/gi, '-')
      .replaceAll(/\s+/g, ' ')
      .trim()
      .slice(0, 190)
    const word = plain === '' ? 'document' : plain
    const before = this.names.get(word) ?? 0
    this.names.set(word, before + 1)
    return before === 0 ? word : `${word} (${before + 1})`
  }
}

/** The block of a part that a user or a tool says; undefined for text without a word in it, which models refuse. `at`: the part's path. */
export function writeInput(part: InputPart, at: string, writing: Writing): Block | undefined {
  switch (part.type) {
    case 'text':
      return part.text.trim() === '' ? undefined : { text: part.text }
    case 'image':
      if (part.detail === 'low' || part.detail === 'high') writing.dropped.push(`${at}.detail`)
      return { image: media(part.source, at, 'image') }
    case 'file': {
      const { format, source } = media(part.source, at, 'document')
      return { document: { format, name: writing.documentName(part.name), source } }
    }
    case 'audio': {
      const format = soundFormat(part.format)
      if (!writing.traits.audio || format === undefined)
        throw untranslatable(at, 'is audio that the model does not hear')
      return { audio: { format, source: { bytes: part.data } } }
    }
  }
}

/** The block of a part that the model said; undefined where it has no place. */
export function writeOutput(part: OutputPart, at: string, { traits, dropped }: Writing): Block | undefined {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text.trim() === '' ? undefined : { text: part.text }
    case 'reasoning':
      if (part.signature?.format === traits.artefacts)
        return { reasoningContent: { reasoningText: { text: part.text, signature: part.signature.value } } }
      dropped.push(at)
      return undefined
    case 'redacted':
      if (part.data.format === traits.artefacts)
        return { reasoningContent: { redactedContent: writeRedacted(part.data) } }
      dropped.push(at)
      return undefined
    case 'tool-call':
      if (part.signature) dropped.push(`${at}.signature`)
      return { toolUse: { toolUseId: useId(part.id), name: part.name, input: inputOf(part.arguments, at) } }
    case 'audio':
      if (part.transcript?.trim()) return { text: part.transcript }
      dropped.push(at)
      return undefined
    case 'image':
      dropped.push(at)
      return undefined
  }
}

/** Ids of calls are of letters, digits, `_` and `-`, and have at most 64. */
export function useId(id: string): string {
  const plain = callId(id)
  // The end of an id is what tells calls apart.
  return plain.length > 64 ? plain.slice(-64) : plain
}

/** Bytes with their format, or a place in S3: Bedrock fetches nothing from elsewhere. */
function media(
  given: Source,
  at: string,
  kind: 'image' | 'document',
): { readonly format: string; readonly source: Block } {
  const source = given.type === 'url' ? (sourceOf(given.url) ?? given) : given
  const [formatOf, known] =
    kind === 'image'
      ? [imageFormat, 'PNG, JPEG, GIF and WebP']
      : [documentFormat, 'PDF, CSV, Word, Excel, HTML, Markdown and text']
  if (source.type === 'file')
    throw untranslatable(at, `is a file that is kept at another provider (${source.id.format})`)
  if (source.type === 'base64') {
    const format = formatOf(source.mediaType)
    if (format === undefined) throw untranslatable(at, `is ${source.mediaType}: Bedrock takes ${known}`)
    return { format, source: { bytes: source.data } }
  }
  if (!source.url.startsWith('s3://'))
    throw untranslatable(at, 'is at a URL: Bedrock takes bytes only, so send a data URL')
  const format = source.mediaType === undefined ? formatOfName(source.url, kind) : formatOf(source.mediaType)
  if (format === undefined)
    throw untranslatable(at, `has an address that does not say its format: Bedrock takes ${known}`)
  return { format, source: { s3Location: { uri: source.url } } }
}
