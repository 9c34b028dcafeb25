import type { Turn } from '../mind.ts'
import { isRecord, textOf } from '../text.ts'
import { type Body, isHidden, list, object, oneOf, onlyKnown, signatureOf, text } from './fields.ts'
import { invalid } from './words.ts'

/** A message after the checks: its blocks, whose text content was a single block in short. */
export interface Said {
  readonly role: 'user' | 'assistant' | 'system'
  readonly blocks: readonly Body[]
}

const CACHE = 'cache_control'
const members: Readonly<Record<string, string>> = {
  text: `type text citations ${CACHE}`,
  image: `type source transformations ${CACHE}`,
  document: `type source title context citations ${CACHE}`,
  search_result: `type source title content citations ${CACHE}`,
  tool_use: `type id name input caller toolset_name ${CACHE}`,
  tool_result: `type tool_use_id content is_error toolset_name ${CACHE}`,
  thinking: 'type thinking signature',
  redacted_thinking: 'type data',
}

/** The messages of a request, merged where one role goes on; throws for what the API refuses. */
export function messagesOf(value: unknown, systemTurns: boolean): readonly Said[] {
  const messages = list(value, 'messages')
  if (messages.length === 0) throw invalid('messages: at least one message is required')
  const merged: { role: Said['role']; blocks: Body[] }[] = []
  for (const [i, item] of messages.entries()) {
    const message = object(item, `messages.${i}`)
    onlyKnown(message, 'role content', `messages.${i}.`)
    const role = oneOf(message['role'], 'user assistant system', `messages.${i}.role`) as Said['role'] // one of these
    const blocks = blocksOf(message['content'], `messages.${i}.content`, role)
    if (blocks.length === 0 && !(role === 'assistant' && i === messages.length - 1))
      throw invalid(
        `messages.${i}: all messages must have non-empty content except for the optional final assistant message`,
      )
    const last = merged.at(-1)
    if (last?.role === role) last.blocks.push(...blocks)
    else merged.push({ role, blocks: [...blocks] })
  }
  if (merged[0]?.role !== 'user') throw invalid('messages: first message must use the "user" role')
  placeSystem(merged, systemTurns)
  pairCalls(merged)
  return merged
}

/** Content in short or in blocks. */
export function blocksOf(content: unknown, at: string, role: string): readonly Body[] {
  if (typeof content === 'string') return content === '' ? [] : [spoken({ type: 'text', text: content })]
  return list(content, at).map((item, i) => {
    const block = object(item, `${at}.${i}`)
    const type = oneOf(block['type'], Object.keys(members).join(' '), `${at}.${i}.type`)
    onlyKnown(block, members[type] ?? '', `${at}.${i}.${type}.`)
    check(block, type, `${at}.${i}`, role)
    return block
  })
}

function spoken(block: Body): Body {
  if (block['text'] === '') throw invalid('messages: text content blocks must be non-empty')
  if (String(block['text']).trim() === '')
    throw invalid('messages: text content blocks must contain non-whitespace text')
  return block
}

function check(block: Body, type: string, at: string, role: string): void {
  const foreign =
    role === 'assistant' ? ['image', 'tool_result', 'search_result'] : ['tool_use', 'thinking', 'redacted_thinking']
  if (foreign.includes(type)) throw invalid(`${at}: \`${type}\` blocks are not permitted in ${role} messages`)
  switch (type) {
    case 'text':
      text(block['text'], `${at}.text.text`)
      spoken(block)
      return
    case 'image':
    case 'document':
      return source(object(block['source'], `${at}.${type}.source`), type, `${at}.${type}.source`)
    case 'tool_use':
      if (!/^[a-zA-Z0-9_-]+$/.test(text(block['id'], `${at}.tool_use.id`)))
        throw invalid(`${at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`)
      text(block['name'], `${at}.tool_use.name`)
      object(block['input'], `${at}.tool_use.input`)
      return
    case 'tool_result': {
      text(block['tool_use_id'], `${at}.tool_result.tool_use_id`)
      const { content } = block
      if (content !== undefined && typeof content !== 'string') blocksOf(content, `${at}.tool_result.content`, 'user')
      return
    }
    case 'thinking':
      if (
        text(block['signature'], `${at}.thinking.signature`) !==
        signatureOf(text(block['thinking'], `${at}.thinking.thinking`))
      )
        throw invalid(`${at}: Invalid \`signature\` in \`thinking\` block`)
      return
    case 'redacted_thinking':
      if (!isHidden(block['data'])) throw invalid(`${at}: Invalid \`data\` in \`redacted_thinking\` block`)
      return
  }
}

function source(it: Body, type: string, at: string): void {
  const kind = oneOf(it['type'], type === 'image' ? 'base64 url file' : 'base64 url file text content', `${at}.type`)
  if (kind === 'url' && !/^https:\/\/./.test(text(it['url'], `${at}.url`)))
    throw invalid(`${at}.url: Only HTTPS URLs are supported.`)
  if (kind === 'text') {
    oneOf(it['media_type'], 'text/plain', `${at}.text.media_type`)
    text(it['data'], `${at}.text.data`)
  }
  if (kind !== 'base64') return
  const media = type === 'image' ? 'image/jpeg image/png image/gif image/webp' : 'application/pdf'
  oneOf(it['media_type'], media, `${at}.base64.media_type`)
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text(it['data'], `${at}.base64.data`)))
    throw invalid(`${at}.base64: invalid base64 data`)
}

/** The system speaks right after the user, and last or right before the assistant. */
function placeSystem(messages: readonly Said[], taken: boolean): void {
  for (const [i, { role }] of messages.entries()) {
    if (role !== 'system') continue
    if (!taken) throw invalid(`messages.${i}: role 'system' is not supported on this model`)
    const after = messages[i + 1]
    if (messages[i - 1]?.role !== 'user' || (after && after.role !== 'assistant'))
      throw invalid(
        `messages.${i}: a 'system' message must follow a 'user' message, and be the last or precede an 'assistant' message`,
      )
  }
}

/** Every call has its result in the next message, before anything else there; every result has its call in the message before. */
function pairCalls(messages: readonly Said[]): void {
  for (const [i, { role, blocks }] of messages.entries()) {
    const calls = role === 'assistant' ? ids(blocks, 'tool_use', 'id') : []
    const results = leading(messages[i + 1]?.blocks ?? [])
    const open = calls.filter((id) => !results.includes(id))
    if (open.length > 0)
      throw invalid(
        `messages.${i}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      )
    const before = ids(messages[i - 1]?.blocks ?? [], 'tool_use', 'id')
    const orphan = ids(blocks, 'tool_result', 'tool_use_id').find((id) => !before.includes(id))
    if (orphan !== undefined)
      throw invalid(
        `messages.${i}.content.0: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${orphan}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      )
  }
}

function ids(blocks: readonly Body[], type: string, key: string): readonly string[] {
  return blocks.filter((block) => block['type'] === type).map((block) => String(block[key]))
}

function leading(blocks: readonly Body[]): readonly string[] {
  const end = blocks.findIndex((block) => block['type'] !== 'tool_result')
  return ids(end < 0 ? blocks : blocks.slice(0, end), 'tool_result', 'tool_use_id')
}

/** The conversation as the mind hears it. */
export function turnsOf(system: unknown, messages: readonly Said[]): readonly Turn[] {
  const turns: Turn[] = system === undefined ? [] : [{ role: 'system', text: textOf(system) }]
  for (const { role, blocks } of messages) {
    for (const block of blocks)
      if (block['type'] === 'tool_result') turns.push({ role: 'tool', text: textOf(block['content'] ?? '') })
    const rest = blocks.filter((block) => block['type'] !== 'tool_result')
    const seen = rest.flatMap((block) => (isRecord(block['source']) ? [seenOf(block['source'])] : []))
    if (rest.length > 0) turns.push({ role, text: textOf(rest), ...(seen.length > 0 ? { seen } : {}) })
  }
  return turns
}

function seenOf(it: Body): string {
  return String(it['media_type'] ?? it['url'] ?? it['file_id'])
}
