import type { Turn } from '../mind.ts'
import { asObject, listAt, needText, objectAt, textAt, wordAt } from './fields.ts'
import { type Body, invalid, mistyped, onlyKnown } from './words.ts'

const members: Readonly<Record<string, string>> = {
  system: 'role content',
  user: 'role content',
  assistant: 'role content tool_calls tool_plan citations',
  tool: 'role content tool_call_id',
}

/** A source that an answer can cite. */
export interface Cited {
  readonly type: 'tool' | 'document'
  readonly id: string
  readonly data: unknown
}

/** A conversation, with what the answer to it can cite. */
export interface Conversation {
  readonly turns: readonly Turn[]
  readonly sources: readonly Cited[]
}

/** The conversation of a request; 400 and 422 for what Cohere refuses in one. https://docs.cohere.com/reference/chat#request.body.messages */
export function conversationOf(body: Body): Conversation {
  const messages = listAt(body, 'messages')
  if (!messages || messages.length === 0) throw invalid('invalid request: list of messages must not be empty')
  const called = new Set<string>()
  const sources: Cited[] = []
  const turns = messages.map((value, i): Turn => {
    const at = `messages[${i}]`
    const message = asObject(value, at)
    const role = wordAt(message, 'role', ...Object.keys(members)) ?? ''
    const known = members[role]
    if (known === undefined) throw invalid(`invalid request: ${at}.role is required.`)
    onlyKnown(message, known)
    const { text, seen } = contentOf(message, role, at, sources)
    if (role === 'assistant') {
      const calls = callsOf(message, at)
      for (const id of calls) called.add(id)
      const plan = textAt(message, 'tool_plan') ?? ''
      if (text === '' && calls.length === 0 && !('content' in message && Array.isArray(message['content'])))
        throw invalid('invalid request: all elements in history must have a message.')
      return { role, text: text + plan }
    }
    if (role === 'tool' && !called.has(needText(message, 'tool_call_id', `${at}.tool_call_id`)))
      throw invalid(`invalid request: ${at}.tool_call_id does not match the id of a previous tool call.`)
    if (role === 'user' && text.trim() === '' && seen.length === 0)
      throw invalid('invalid request: message must be at least 1 token long or tool results must be specified.')
    return { role: role as Turn['role'], text, seen } // `members` has no others
  })
  return { turns, sources: turns.at(-1)?.role === 'tool' ? sources : [] }
}

function contentOf(
  message: Body,
  role: string,
  at: string,
  sources: Cited[],
): { text: string; seen: readonly string[] } {
  const { content } = message
  if (typeof content === 'string') {
    if (role === 'tool') sources.push({ type: 'tool', id: `${String(message['tool_call_id'])}:0`, data: { content } })
    return { text: content, seen: [] }
  }
  if (content === undefined || content === null) {
    if (role === 'assistant') return { text: '', seen: [] }
    throw invalid(`invalid request: ${at}.content is required.`)
  }
  if (!Array.isArray(content)) throw mistyped(`${at}.content`, content, 'string')
  const seen: string[] = []
  const said = content.map((value: unknown, i) => {
    const block = asObject(value, `${at}.content[${i}]`)
    const type = wordAt(block, 'type', ...(blocks[role] ?? []))
    switch (type) {
      case 'text':
        onlyKnown(block, 'type text')
        return needText(block, 'text')
      case 'thinking':
        onlyKnown(block, 'type thinking')
        needText(block, 'thinking')
        return ''
      case 'image_url':
        onlyKnown(block, 'type image_url')
        seen.push(seenImage(objectAt(block, 'image_url')))
        return ''
      case 'document': {
        onlyKnown(block, 'type document')
        const document = objectAt(block, 'document') ?? {}
        const data = dataOf(document)
        sources.push({ type: 'tool', id: textAt(document, 'id') ?? `${String(message['tool_call_id'])}:${i}`, data })
        return typeof data['content'] === 'string' ? data['content'] : JSON.stringify(data)
      }
      default:
        throw invalid(`invalid request: ${at}.content[${i}].type is required.`)
    }
  })
  return { text: said.join(''), seen }
}

const blocks: Readonly<Record<string, readonly string[]>> = {
  system: ['text'],
  user: ['text', 'image_url'],
  assistant: ['text', 'thinking'],
  tool: ['text', 'document'],
}

/** The data of a document: an object, or one as JSON text. */
export function dataOf(document: Body): Body {
  onlyKnown(document, 'id data')
  const { data } = document
  if (typeof data !== 'string') {
    const held = objectAt(document, 'data')
    if (!held || Object.keys(held).length === 0) throw invalid('invalid request: document cannot be empty')
    return held
  }
  try {
    return asObject(JSON.parse(data), 'data')
  } catch {
    return { content: data }
  }
}

/** The media type of an inline image, or its address. */
function seenImage(image: Body | undefined): string {
  onlyKnown(image ?? {}, 'url detail')
  const url = needText(image ?? {}, 'url', 'image_url.url')
  wordAt(image ?? {}, 'detail', 'auto', 'low', 'high')
  if (/^https?:\/\/[^/]/.test(url)) return url
  const inline = /^data:(image\/(?:png|jpeg|gif|webp));base64,[A-Za-z0-9+/]+={0,2}$/.exec(url)
  if (!inline?.[1]) throw invalid('invalid request: image_url.url must be a web URL or a base64 data URL of an image.')
  return inline[1]
}

function callsOf(message: Body, at: string): readonly string[] {
  return (listAt(message, 'tool_calls') ?? []).map((value, i) => {
    const call = asObject(value, `${at}.tool_calls[${i}]`)
    onlyKnown(call, 'id type function')
    wordAt(call, 'type', 'function')
    const it = objectAt(call, 'function') ?? {}
    onlyKnown(it, 'name arguments')
    needText(it, 'name')
    const text = needText(it, 'arguments')
    try {
      asObject(JSON.parse(text), 'arguments')
    } catch {
      throw invalid(`invalid request: ${at}.tool_calls[${i}].function.arguments must be a JSON object.`)
    }
    return needText(call, 'id')
  })
}
