import type { Turn } from '../mind.ts'
import { isRecord } from '../text.ts'
import { asObject, bytesAt, constraint, listAt, need, objectAt, textAt, unionOf, wordAt } from './fields.ts'
import { type Body, invalid, onlyKnown } from './words.ts'

const BLOCKS =
  'text image document video audio toolUse toolResult guardContent cachePoint reasoningContent citationsContent searchResult'
const IMAGES = ['png', 'jpeg', 'gif', 'webp']
const DOCUMENTS: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  csv: 'text/csv',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xls: 'application/vnd.ms-excel',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  html: 'text/html',
  txt: 'text/plain',
  md: 'text/markdown',
}
const SOUNDS = 'mp3 opus wav aac flac mp4 ogg mkv mka x-aac m4a mpeg mpga pcm webm'.split(' ')

/** A conversation as it is understood. */
export interface Heard {
  readonly turns: readonly Turn[]
  /** Calls or results of tools are in it. */
  readonly tools: boolean
  readonly cachePoints: number
  /** Characters before the last cache point. */
  readonly kept: number
}

interface Block {
  readonly kind: string
  readonly text: string
  readonly seen?: string
  readonly id?: string
}

/** Checks `system` and `messages`: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html */
export function conversationOf(body: Body): Heard {
  const turns: Turn[] = []
  const all: Block[] = []
  const system = (listAt(body, 'system', '') ?? []).map((value, i) => {
    const block = blockOf(asObject(value, `system.${i}`), `system.${i}`, 'text guardContent cachePoint')
    all.push(block)
    return block.text
  })
  if (system.length > 0) turns.push({ role: 'system', text: system.join('\n') })
  const messages = need(listAt(body, 'messages', ''), 'messages')
  if (messages.length === 0)
    throw invalid(
      'A conversation must start with a user message. Try again with a conversation that starts with a user message.',
    )
  let calls: readonly string[] = []
  let role = ''
  for (const [i, value] of messages.entries()) {
    const at = `messages.${i}`
    const message = asObject(value, at)
    onlyKnown(message, 'role content', at)
    const next = need(wordAt(message, 'role', at, 'user', 'assistant'), `${at}.role`)
    if (i === 0 && next !== 'user')
      throw invalid(
        'A conversation must start with a user message. Try again with a conversation that starts with a user message.',
      )
    if (next === role)
      throw invalid(
        'A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.',
      )
    role = next
    const list = need(listAt(message, 'content', at), `${at}.content`)
    if (list.length === 0)
      throw invalid(
        `The content field in the Message object at ${at} is empty. Add a ContentBlock object to the content field and try again.`,
      )
    const blocks = list.map((it, j) => blockOf(asObject(it, `${at}.content.${j}`), `${at}.content.${j}`, BLOCKS))
    all.push(...blocks)
    check(blocks, role, at, calls)
    calls = blocks.flatMap(({ kind, id }) => (kind === 'toolUse' && id !== undefined ? [id] : []))
    turns.push(...turnsOf(blocks, role))
  }
  if (calls.length > 0)
    throw invalid(
      `Expected toolResult blocks at messages.${messages.length}.content for the following Ids: ${calls.join(', ')}`,
    )
  const last = all.findLastIndex(({ kind }) => kind === 'cachePoint')
  return {
    turns,
    tools: all.some(({ kind }) => kind === 'toolUse' || kind === 'toolResult'),
    cachePoints: all.filter(({ kind }) => kind === 'cachePoint').length,
    kept: all.slice(0, Math.max(0, last)).reduce((sum, { text }) => sum + text.length, 0),
  }
}

/** What stands where it may: results answer the calls before them, all of them. `calls`: of the turn before. */
function check(blocks: readonly Block[], role: string, at: string, calls: readonly string[]): void {
  const answered = blocks.flatMap(({ kind, id }) => (kind === 'toolResult' ? [String(id)] : []))
  const missing = calls.filter((id) => !answered.includes(id))
  if (missing.length > 0)
    throw invalid(`Expected toolResult blocks at ${at}.content for the following Ids: ${missing.join(', ')}`)
  if (answered.length > calls.length || answered.some((id) => !calls.includes(id)))
    throw invalid(
      `The number of toolResult blocks at ${at}.content exceeds the number of toolUse blocks of previous turn.`,
    )
  if (new Set(answered).size < answered.length)
    throw invalid(`The toolResult blocks at ${at}.content contain duplicate Ids.`)
  const only =
    role === 'user'
      ? ['toolUse', 'reasoningContent', 'citationsContent']
      : ['toolResult', 'image', 'document', 'guardContent', 'searchResult', 'audio', 'video']
  const wrong = blocks.findIndex(({ kind }) => only.includes(kind))
  if (wrong >= 0)
    throw invalid(
      `The ${blocks[wrong]?.kind} block at ${at}.content.${wrong} is not allowed in a message of role ${role}.`,
    )
  const documents = blocks.filter(({ kind }) => kind === 'document')
  if (documents.length > 0 && !blocks.some(({ kind }) => kind === 'text'))
    throw invalid(
      `The message at ${at} has a document but no text. Add a ContentBlock with a text field to the message and try again.`,
    )
  if (new Set(documents.map(({ id }) => id)).size < documents.length)
    throw invalid('The messages contain duplicate document names. Rename the documents and try again.')
  // Results come right after the calls.
  const order = blocks.filter(({ kind }) => kind !== 'cachePoint').map(({ kind }) => kind === 'toolResult')
  if (order.some((result, i) => result && order[i - 1] === false))
    throw invalid(`${at}: the toolResult blocks must come first in the content of the message.`)
}

function turnsOf(blocks: readonly Block[], role: string): readonly Turn[] {
  const results = blocks.filter(({ kind }) => kind === 'toolResult').map(({ text }): Turn => ({ role: 'tool', text }))
  const said = blocks.filter(({ kind }) => kind !== 'toolResult' && kind !== 'cachePoint')
  if (said.length === 0) return results
  const seen = said.flatMap((block) => block.seen ?? [])
  const text = said.map((block) => block.text).join('')
  return [...results, { role: role === 'user' ? 'user' : 'assistant', text, ...(seen.length > 0 ? { seen } : {}) }]
}

function blockOf(value: Body, at: string, kinds: string): Block {
  const { kind, body } = unionOf(value, kinds, at)
  if (kind === 'text') {
    const text = need(textAt(value, 'text', at), `${at}.text`)
    if (text.trim() === '')
      throw invalid(
        `The text field in the ContentBlock object at ${at} is blank. Add text to the text field, and try again.`,
      )
    return { kind, text }
  }
  const it = asObject(body, `${at}.${kind}`)
  const where = `${at}.${kind}`
  switch (kind) {
    case 'image':
      return { kind, text: '', seen: `image/${mediaOf(it, where, IMAGES)}` }
    case 'audio':
      return { kind, text: '', seen: `audio/${mediaOf(it, where, SOUNDS)}` }
    case 'document':
      return { kind, text: '', id: nameOf(it, where), seen: documentOf(it, where) }
    case 'toolUse':
      return { kind, text: '', id: useOf(it, where) }
    case 'toolResult':
      return { kind, ...resultOf(it, where) }
    case 'cachePoint':
      onlyKnown(it, 'type ttl', where)
      need(wordAt(it, 'type', where, 'default'), `${where}.type`)
      wordAt(it, 'ttl', where, '5m', '1h')
      return { kind, text: '' }
    case 'reasoningContent':
      return { kind, text: reasoningOf(it, where) }
    default:
      // Guarded text, search results, citations: none that Tradewind writes.
      throw invalid(`The model does not support the ${kind} block at ${at}.`)
  }
}

function mediaOf(it: Body, at: string, formats: readonly string[]): string {
  onlyKnown(it, 'format source', at)
  const format = need(wordAt(it, 'format', at, ...formats), `${at}.format`)
  sourceOf(it, at, 'bytes s3Location')
  return format
}

function sourceOf(it: Body, at: string, kinds: string): void {
  const source = need(objectAt(it, 'source', at), `${at}.source`)
  const { kind } = unionOf(source, kinds, `${at}.source`)
  if (kind === 'bytes') bytesAt(source, 'bytes', `${at}.source`)
  if (kind === 's3Location') need(textAt(asObject(source['s3Location'], at), 'uri', at), `${at}.source.s3Location.uri`)
}

function nameOf(it: Body, at: string): string {
  const name = need(textAt(it, 'name', at), `${at}.name`)
  if (!/^[a-zA-Z0-9\s()[\]-]{1,200}$/.test(name) || /\s\s/.test(name))
    throw invalid(
      `The provided document name at ${at} contains invalid characters. Document names can only contain alphanumeric characters, whitespace characters (no more than one in a row), hyphens, parentheses, and square brackets. Modify the document name and try again.`,
    )
  return name
}

function documentOf(it: Body, at: string): string {
  onlyKnown(it, 'format name source context citations', at)
  sourceOf(it, at, 'bytes s3Location text content')
  return DOCUMENTS[need(wordAt(it, 'format', at, ...Object.keys(DOCUMENTS)), `${at}.format`)] ?? ''
}

function useOf(it: Body, at: string): string {
  onlyKnown(it, 'toolUseId name input type', at)
  if (!isRecord(it['input']))
    throw invalid(
      `The format of the value at ${at}.input is invalid. Provide a json object for the field and try again.`,
    )
  const name = need(textAt(it, 'name', at), `${at}.name`)
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name))
    throw constraint(`${at}.name`, name, 'Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+')
  return idOf(it, at)
}

function idOf(it: Body, at: string): string {
  const id = need(textAt(it, 'toolUseId', at), `${at}.toolUseId`)
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(id))
    throw constraint(`${at}.toolUseId`, id, 'Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+')
  return id
}

function resultOf(it: Body, at: string): { readonly id: string; readonly text: string } {
  onlyKnown(it, 'toolUseId content status', at)
  const status = wordAt(it, 'status', at, 'success', 'error')
  const content = need(listAt(it, 'content', at), `${at}.content`)
  if (content.length === 0 && status === 'error')
    throw invalid(`The content field at ${at} cannot be empty when status value is error.`)
  const texts = content.map((value, i) => {
    const where = `${at}.content.${i}`
    const block = asObject(value, where)
    const { kind, body } = unionOf(block, 'text json image document video searchResult', where)
    if (kind === 'json') {
      if (!isRecord(body))
        throw invalid(
          `The format of the value at ${where}.json is invalid. Provide a json object for the field and try again.`,
        )
      return JSON.stringify(body)
    }
    return blockOf(block, where, 'text image document').text
  })
  return { id: idOf(it, at), text: texts.join('') }
}

/** Thoughts need their signatures, which are checked for being ones of ours: base64. */
function reasoningOf(it: Body, at: string): string {
  const { kind } = unionOf(it, 'reasoningText redactedContent', at)
  if (kind === 'redactedContent') {
    bytesAt(it, 'redactedContent', at)
    return ''
  }
  const thought = need(objectAt(it, 'reasoningText', at), `${at}.reasoningText`)
  onlyKnown(thought, 'text signature', `${at}.reasoningText`)
  const signature = textAt(thought, 'signature', at)
  if (signature === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(signature))
    throw invalid(`The model returned the following errors: ${at}: Invalid \`signature\` in \`thinking\` block`)
  need(textAt(thought, 'text', at), `${at}.reasoningText.text`)
  return ''
}
