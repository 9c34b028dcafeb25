import type { ImagePart, InputPart, Message, OutputPart } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import { record } from '../../openai-usage.ts'
import { isOfTheWeb, schemeOf } from '../openai/data-url.ts'

/** Cohere's messages, with the paths of what they have no place for. Throws `not_translatable`. */
export function writeMessages(messages: readonly Message[], dropped: string[]): readonly unknown[] {
  return messages.flatMap((message, i) => {
    const at = `messages.${i}`
    if ('name' in message && message.name !== undefined && message.role !== 'tool') dropped.push(`${at}.name`)
    const cached = message.content.some((part) => 'cache' in part && part.cache !== undefined)
    if (cached || (message.role === 'tool' && message.cache !== undefined)) dropped.push(`${at}.cache`)
    switch (message.role) {
      case 'system':
        return [{ role: 'system', content: plain(message.content) }]
      case 'user':
        return [
          {
            role: 'user',
            content: message.content.every(isText)
              ? plain(message.content)
              : message.content.map((part) => seen(part, at)),
          },
        ]
      case 'assistant': {
        const said = assistant(message.content, at, dropped)
        return said ? [said] : []
      }
      case 'tool':
        return [
          {
            role: 'tool',
            tool_call_id: message.callId,
            content: results(message.content, message.isError === true, at),
          },
        ]
    }
  })
}

const isText = (part: InputPart): part is Extract<InputPart, { type: 'text' }> => part.type === 'text'

/** One text as it is, several as blocks. */
function plain(parts: readonly { readonly text: string }[]): unknown {
  return parts.length === 1
    ? parts[0]?.text
    : parts.length === 0
      ? ''
      : parts.map(({ text }) => ({ type: 'text', text }))
}

function seen(part: InputPart, at: string): unknown {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      return { type: 'image_url', image_url: { url: urlOf(part, at), ...(part.detail ? { detail: part.detail } : {}) } }
    case 'file': {
      const { source } = part
      if (source.type !== 'base64' || !source.mediaType.startsWith('text/'))
        throw cannot(at, 'files other than plain text')
      return { type: 'text', text: Buffer.from(source.data, 'base64').toString() }
    }
    case 'audio':
      throw cannot(at, 'audio')
  }
}

function urlOf({ source }: ImagePart, at: string): string {
  switch (source.type) {
    case 'base64':
      return `data:${source.mediaType};base64,${source.data}`
    case 'url':
      if (!isOfTheWeb(source.url)) throw cannot(at, `images at ${schemeOf(source.url)}`)
      return source.url
    case 'file':
      throw cannot(at, 'images by the id of a file')
  }
}

/** Words beside calls are their plan. A message without anything says nothing, and would be refused. */
function assistant(parts: readonly OutputPart[], at: string, dropped: string[]): unknown {
  const content: { type: string; text?: string; thinking?: string }[] = []
  const calls: unknown[] = []
  for (const part of parts)
    switch (part.type) {
      case 'text':
      case 'refusal':
        if (part.text !== '') content.push({ type: 'text', text: part.text })
        break
      case 'reasoning':
        if (part.signature) dropped.push(`${at}.signature`)
        if (part.text !== '') content.push({ type: 'thinking', thinking: part.text })
        break
      case 'redacted':
        dropped.push(`${at}.redacted`)
        break
      case 'tool-call':
        if (part.signature) dropped.push(`${at}.signature`)
        calls.push({ id: part.id, type: 'function', function: { name: part.name, arguments: part.arguments } })
        break
      case 'audio':
        if (part.transcript === undefined) throw cannot(at, 'audio without its transcript')
        dropped.push(`${at}.audio`)
        content.push({ type: 'text', text: part.transcript })
        break
      case 'image':
        throw cannot(at, 'images of the assistant')
    }
  const said = content.length > 0
  if (calls.length === 0) {
    const [only] = content
    if (!only) return undefined
    return { role: 'assistant', content: content.length === 1 && only.text !== undefined ? only.text : content }
  }
  const plan = content.flatMap(({ text }) => text ?? []).join('')
  const thoughts = said ? content.filter(({ type }) => type === 'thinking') : []
  return {
    role: 'assistant',
    ...(thoughts.length > 0 ? { content: thoughts } : {}),
    ...(plan === '' ? {} : { tool_plan: plan }),
    tool_calls: calls,
  }
}

/** Documents, which the answer can then cite; an object keeps its members, so that a citation can name one. */
function results(parts: readonly InputPart[], isError: boolean, at: string): readonly unknown[] {
  if (parts.length === 0) return [{ type: 'document', document: { data: dataOf('', isError) } }]
  return parts.map((part) => {
    const said = seen(part, at)
    const { text } = record(said) ?? {}
    if (typeof text !== 'string') throw cannot(at, 'images in the result of a tool')
    return { type: 'document', document: { data: dataOf(text, isError) } }
  })
}

/** A number of more digits than a double has would not survive being parsed. */
const LONG_NUMBER = /\d{16}/

function dataOf(text: string, isError: boolean): unknown {
  if (isError) return { error: text }
  if (!text.trimStart().startsWith('{') || LONG_NUMBER.test(text)) return { content: text }
  try {
    return JSON.parse(text)
  } catch {
    return { content: text }
  }
}

const cannot = (at: string, what: string): Failure =>
  new Failure('not_translatable', { detail: `Cohere’s chat has no place for ${what} (${at}).` })
