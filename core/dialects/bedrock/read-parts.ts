import type { CacheMark, FilePart, InputPart, OutputPart, Source } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import { readArtefact } from '../anthropic/artefact.ts'
import { wrong } from '../openai/asked.ts'
import type { Asked } from '../openai/asked.ts'
import { readRedactedOfApp } from './artefacts.ts'
import { documentType, imageType, soundName } from './media.ts'

/** What `cachePoint` says: the part before it is the last that is kept. */
export function readCachePoint(block: Asked): CacheMark {
  const point = block.within('cachePoint')
  point.word('type', 'default')
  return point.word('ttl', '5m', '1h') ?? '5m'
}

/** The last of the parts, marked; without one the mark has nothing to hold on to, and is lost without harm. */
export function markLast<P extends object>(parts: P[], cache: CacheMark): void {
  const last = parts.at(-1)
  if (last) parts[parts.length - 1] = { ...last, cache }
}

function readImage(image: Asked): Extract<InputPart, { type: 'image' }> {
  return { type: 'image', source: readSource(image.within('source'), imageType(image.need('format'))) }
}

/** A block that a user says. Throws `invalid_request`, and `not_translatable` for what no other format has (video). */
export function readInput(block: Asked): InputPart {
  const kind = kindOf(block, 'text', 'image', 'document', 'audio', 'video', 'guardContent', 'searchResult', 'json')
  switch (kind) {
    case 'text':
      return { type: 'text', text: block.need('text') }
    case 'image':
      return readImage(block.within('image'))
    case 'document':
      return readDocument(block.within('document'))
    case 'audio': {
      const audio = block.within('audio')
      const format = soundName(audio.need('format'))
      const source = audio.within('source')
      const data = source.text('bytes')
      if (data === undefined) throw unheard(source.path('s3Location'))
      return { type: 'audio', data, format }
    }
    case 'guardContent':
      return readGuarded(block.within('guardContent'))
    case 'searchResult': {
      const result = block.within('searchResult')
      const texts = result.objects('content').map((it) => it.need('text'))
      const head = [result.text('title'), result.text('source')].filter((it) => it !== undefined).join(' ')
      return { type: 'text', text: [head, ...texts].join('\n') }
    }
    case 'json':
      return { type: 'text', text: JSON.stringify(block.any('json')) }
    case 'video':
      throw new Failure('not_translatable', { detail: `"${block.path('video')}" is video, which no other format has.` })
  }
}

/** A block that the model said. */
export function readOutput(block: Asked): OutputPart {
  const kind = kindOf(block, 'text', 'toolUse', 'reasoningContent', 'image', 'citationsContent')
  switch (kind) {
    case 'text':
      return { type: 'text', text: block.need('text') }
    case 'toolUse': {
      const use = block.within('toolUse')
      return {
        type: 'tool-call',
        id: use.need('toolUseId'),
        name: use.need('name'),
        arguments: JSON.stringify(use.object('input') ?? {}),
      }
    }
    case 'reasoningContent': {
      const content = block.within('reasoningContent')
      const redacted = content.text('redactedContent')
      if (redacted !== undefined) return { type: 'redacted', data: readRedactedOfApp(redacted) }
      const thought = content.within('reasoningText')
      const signature = thought.text('signature')
      return {
        type: 'reasoning',
        text: thought.need('text'),
        ...(signature === undefined ? {} : { signature: readArtefact(signature) }),
      }
    }
    case 'image':
      return readImage(block.within('image'))
    case 'citationsContent': {
      const cited = block.within('citationsContent')
      const text = cited
        .objects('content')
        .map((it) => it.need('text'))
        .join('')
      return { type: 'text', text }
    }
  }
}

/** Which of the members a block has: it is a union, and has one. */
export function kindOf<K extends string>(block: Asked, ...kinds: readonly K[]): K {
  const [only, ...others] = kinds.filter((kind) => block.any(kind) !== undefined)
  if (only !== undefined && others.length === 0) return only
  throw wrong(`"${block.at}" must have exactly one of ${kinds.map((kind) => `"${kind}"`).join(', ')}.`)
}

function readDocument(document: Asked): InputPart {
  const name = document.need('name')
  const mediaType = documentType(document.text('format') ?? 'txt')
  const source = document.within('source')
  const text = source.text('text')
  const blocks = source.objects('content').map((it) => it.need('text'))
  const words = text ?? (blocks.length > 0 ? blocks.join('\n') : undefined)
  const part: FilePart = {
    type: 'file',
    name,
    source:
      words === undefined
        ? readSource(source, mediaType)
        : { type: 'base64', mediaType: 'text/plain', data: Buffer.from(words).toString('base64') },
  }
  return part
}

/** What a guardrail is to look at is text like any other where there is no guardrail. */
function readGuarded(content: Asked): InputPart {
  content.leaveAll(content.at)
  if (content.any('text') !== undefined) return { type: 'text', text: content.within('text').need('text') }
  const image = content.within('image')
  return { type: 'image', source: readSource(image.within('source'), imageType(image.need('format'))) }
}

function readSource(source: Asked, mediaType: string): Source {
  const data = source.text('bytes')
  if (data !== undefined) return { type: 'base64', mediaType, data }
  if (source.any('s3Location') === undefined) throw wrong(`"${source.path('bytes')}" must be bytes in base64.`)
  const place = source.within('s3Location')
  return { type: 'url', url: place.need('uri'), mediaType }
}

function unheard(path: string): Failure {
  return new Failure('not_translatable', { detail: `"${path}" is audio in S3, which no other format has: send bytes.` })
}
