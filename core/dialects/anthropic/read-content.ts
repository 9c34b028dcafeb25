import type { CacheMark, InputPart, OutputPart, Source, TextPart } from '../../chat.ts'
import { Asked, wrong } from '../openai/asked.ts'
import { readArtefact } from './artefact.ts'

/** Paths of what has no place in a canonical request, in the caller's words. */
export type Unread = string[]

/** The mark of a member `cache_control: {type: 'ephemeral', ttl?}`. */
export function cacheOf(asked: Asked): { readonly cache?: CacheMark } {
  if (asked.any('cache_control') === undefined) return {}
  const it = asked.within('cache_control')
  it.word('type', 'ephemeral')
  return { cache: it.word('ttl', '5m', '1h') ?? '5m' }
}

/** Content as the API takes it: text, or blocks. `read` gives the parts of a block; undefined where it has no place. */
export function readBlocks<T>(
  value: unknown,
  at: string,
  unread: Unread,
  read: (asked: Asked, unread: Unread) => readonly T[] | undefined,
): (T | TextPart)[] {
  if (typeof value === 'string') return value === '' ? [] : [{ type: 'text', text: value }]
  if (!Array.isArray(value)) throw wrong(`"${at}" must be a string or a list of content blocks.`)
  return value.flatMap((item: unknown, i) => {
    const asked = new Asked(item, `${at}.${i}`)
    const parts = read(asked, unread)
    unread.push(...(parts ? asked.unread : [`${at}.${i}`]))
    return parts ?? []
  })
}

export function textBlock(asked: Asked): readonly TextPart[] {
  const type = asked.need('type')
  if (type !== 'text') throw wrong(`"${asked.path('type')}" must be text.`)
  return [{ type, text: asked.need('text'), ...cacheOf(asked) }]
}

/** Blocks that mean something to Anthropic's own servers only: what its tools there were asked and said. */
const NO_PLACE = undefined

/** A block of a user's, or of a tool's result. */
export function inputBlock(asked: Asked, unread: Unread): readonly InputPart[] | undefined {
  const type = asked.need('type')
  switch (type) {
    case 'text':
      return [{ type, text: asked.need('text'), ...cacheOf(asked) }]
    case 'image':
      return [{ type, source: sourceOf(asked.within('source')), ...cacheOf(asked) }]
    case 'document':
      return documentBlock(asked, unread)
    case 'search_result':
      return searchResult(asked, unread)
    default:
      return NO_PLACE
  }
}

/** A block of the model's. */
export function outputBlock(asked: Asked, unread: Unread): readonly OutputPart[] | undefined {
  const type = asked.need('type')
  switch (type) {
    case 'text':
      return [{ type, text: asked.need('text'), ...cacheOf(asked) }]
    case 'thinking': {
      const [text, signature] = [asked.need('thinking'), asked.text('signature')]
      if (text === '' && !signature) return []
      return [{ type: 'reasoning', text, ...(signature ? { signature: readArtefact(signature) } : {}) }]
    }
    case 'redacted_thinking':
      return [{ type: 'redacted', data: readArtefact(asked.need('data')) }]
    case 'tool_use': {
      const input = asked.object('input') ?? {}
      // Who called it says nothing where it was the model itself.
      if (asked.object('caller')?.['type'] !== 'direct' && asked.any('caller') !== undefined)
        unread.push(asked.path('caller'))
      return [
        {
          type: 'tool-call',
          id: asked.need('id'),
          name: asked.need('name'),
          arguments: JSON.stringify(input),
          ...cacheOf(asked),
        },
      ]
    }
    default:
      return NO_PLACE
  }
}

function documentBlock(asked: Asked, unread: Unread): readonly InputPart[] {
  const [title, context, source] = [asked.text('title'), asked.text('context'), asked.within('source')]
  const marked = cacheOf(asked)
  const before: InputPart[] = context ? [{ type: 'text', text: context }] : []
  if (asked.any('citations') !== undefined && asked.object('citations')?.['enabled'] === true)
    unread.push(asked.path('citations'))
  const named = title === undefined ? {} : { name: title }
  if (source.any('type') === 'content') {
    const parts = readBlocks(source.any('content'), source.path('content'), unread, inputBlock)
    const last = parts.pop()
    return [...before, ...parts, ...(last ? [{ ...last, ...marked }] : [])]
  }
  return [...before, { type: 'file', source: sourceOf(source), ...named, ...marked }]
}

/** A search result is text with where it is from. */
function searchResult(asked: Asked, unread: Unread): readonly InputPart[] {
  const head = `${asked.need('title')} (${asked.need('source')})`
  const content = readBlocks(asked.any('content'), asked.path('content'), unread, textBlock)
  if (asked.object('citations')?.['enabled'] === true) unread.push(asked.path('citations'))
  return [{ type: 'text', text: [head, ...content.map(({ text }) => text)].join('\n'), ...cacheOf(asked) }]
}

function sourceOf(source: Asked): Source {
  switch (source.word('type', 'base64', 'url', 'file', 'text')) {
    case 'base64':
      return { type: 'base64', mediaType: source.need('media_type').toLowerCase(), data: source.need('data') }
    case 'url':
      return { type: 'url', url: source.need('url') }
    case 'file':
      return { type: 'file', id: { format: 'anthropic', value: source.need('file_id') } }
    case 'text':
      return {
        type: 'base64',
        mediaType: source.text('media_type') ?? 'text/plain',
        data: Buffer.from(source.need('data')).toString('base64'),
      }
    case undefined:
      throw wrong(`"${source.path('type')}" is missing: give base64, url, file or text.`)
  }
}
