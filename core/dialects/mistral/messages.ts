import { createHash } from 'node:crypto'
import { record } from '../../openai-usage.ts'
import type { Json } from '../dialect.ts'

/** The messages of a chat of OpenAI's in Mistral's words, with the names of what has no place in them. */
export interface Rewritten {
  readonly messages: readonly unknown[]
  readonly lost: readonly string[]
}

/** What each role takes; everything else is a 422: https://docs.mistral.ai/api/endpoint/chat */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  system: ['role', 'content'],
  user: ['role', 'content'],
  assistant: ['role', 'content', 'tool_calls', 'prefix'],
  tool: ['role', 'content', 'tool_call_id', 'name'],
}

/**
 * Writes messages anew where Mistral wants them otherwise: `developer` is `system`, ids of tool calls are nine letters and digits, sound and
 * documents have forms of their own, a last message of the assistant is marked as a prefix, thoughts are parts of the content where
 * `thinks` (they are for models that think alone). Undefined where there is nothing to change.
 */
export function rewriteMessages(messages: unknown, thinks: boolean): Rewritten | undefined {
  if (!Array.isArray(messages)) return undefined
  const lost: string[] = []
  let same = true
  const written = messages.map((message: unknown, i) => {
    const given = record(message)
    if (!given) return message
    const rewritten = rewrite(given, `messages.${i}`, i === messages.length - 1, thinks, lost)
    if (rewritten !== given) same = false
    return rewritten
  })
  return same ? undefined : { messages: written, lost }
}

function rewrite(given: Json, at: string, last: boolean, thinks: boolean, lost: string[]): Json {
  const role = given['role'] === 'developer' ? 'system' : given['role']
  const members = typeof role === 'string' && Object.hasOwn(MEMBERS, role) ? MEMBERS[role] : undefined
  // What it is nobody knows: Mistral will say so.
  if (!members) return given
  const changes: Record<string, unknown> = {}
  if (role !== given['role']) changes['role'] = role
  const content = contentOf(given['content'], `${at}.content`, lost)
  if (content !== given['content']) changes['content'] = content
  if (role === 'tool' && typeof given['tool_call_id'] === 'string' && !isShort(given['tool_call_id']))
    changes['tool_call_id'] = shortId(given['tool_call_id'])
  if (role === 'assistant') {
    const calls = callsOf(given['tool_calls'], `${at}.tool_calls`, lost)
    if (calls !== given['tool_calls']) changes['tool_calls'] = calls
    const thought = given['reasoning_content'] ?? given['reasoning']
    if (thinks && typeof thought === 'string' && thought !== '')
      changes['content'] = [{ type: 'thinking', thinking: [{ type: 'text', text: thought }] }, ...partsOf(content)]
    if (last && calls === undefined && given['prefix'] !== true) changes['prefix'] = true
  }
  const foreign = Object.keys(given).filter((name) => !members.includes(name))
  for (const name of foreign) {
    const said = thinks && (name === 'reasoning_content' || name === 'reasoning')
    if (!said && !isEmpty(given[name])) lost.push(`${at}.${name}`)
  }
  if (foreign.length === 0 && Object.keys(changes).length === 0) return given
  const kept = Object.entries(given).filter(([name]) => !foreign.includes(name))
  return { ...Object.fromEntries(kept), ...changes }
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)

const partsOf = (content: unknown): readonly unknown[] =>
  Array.isArray(content)
    ? content
    : typeof content === 'string' && content !== ''
      ? [{ type: 'text', text: content }]
      : []

function contentOf(content: unknown, at: string, lost: string[]): unknown {
  if (!Array.isArray(content)) return content
  let same = true
  const parts = content.map((part: unknown, i) => {
    const given = record(part)
    const written = given && partOf(given, `${at}.${i}`, lost)
    if (!written || written === given) return part
    same = false
    return written
  })
  return same ? content : parts
}

function partOf(part: Json, at: string, lost: string[]): Json {
  if (part['cache_control'] !== undefined) {
    lost.push(`${at}.cache_control`)
    const { cache_control: _, ...rest } = part
    return partOf(rest, at, lost)
  }
  const audio = record(part['input_audio'])
  if (audio) return { type: 'input_audio', input_audio: audio['data'] }
  if (part['type'] === 'refusal') return { type: 'text', text: part['refusal'] }
  const file = record(part['file'])
  if (part['type'] === 'file' && typeof file?.['file_data'] === 'string')
    return {
      type: 'document_url',
      document_url: file['file_data'],
      ...(typeof file['filename'] === 'string' ? { document_name: file['filename'] } : {}),
    }
  return part
}

function callsOf(calls: unknown, at: string, lost: string[]): unknown {
  if (!Array.isArray(calls)) return calls ?? undefined
  let same = true
  const written = calls.map((value: unknown, i) => {
    const call = record(value)
    if (!call) return value
    const { id, type = 'function', function: fn } = call
    const extra = Object.keys(call).filter((name) => !['id', 'type', 'function', 'index'].includes(name))
    if (typeof id !== 'string' || (isShort(id) && extra.length === 0)) return value
    lost.push(...extra.filter((name) => !isEmpty(call[name])).map((name) => `${at}.${i}.${name}`))
    same = false
    return { id: isShort(id) ? id : shortId(id), type, function: fn }
  })
  return same ? calls : written
}

const SHORT = /^[A-Za-z0-9]{9}$/
const isShort = (id: string): boolean => SHORT.test(id)
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** "Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9": the same of the same id, and of no two others in practice (62⁹). */
function shortId(id: string): string {
  const hash = createHash('sha256').update(id).digest()
  let rest = hash.readBigUInt64BE(0)
  let short = ''
  for (let i = 0; i < 9; i++) {
    short += LETTERS[Number(rest % 62n)] ?? ''
    rest /= 62n
  }
  return short
}
