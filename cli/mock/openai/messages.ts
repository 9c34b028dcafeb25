import type { Turn } from '../mind.ts'
import { isRecord, shown } from '../text.ts'
import { type Body, onlyKnown, seenImage, typeOf } from './fields.ts'
import { invalid } from './words.ts'

const roles = ['system', 'assistant', 'user', 'function', 'tool', 'developer']
const members: Readonly<Record<string, ReadonlySet<string>>> = {
  system: new Set(['role', 'content', 'name']),
  developer: new Set(['role', 'content', 'name']),
  user: new Set(['role', 'content', 'name']),
  assistant: new Set(['role', 'content', 'name', 'refusal', 'audio', 'tool_calls', 'function_call', 'annotations']),
  tool: new Set(['role', 'content', 'tool_call_id']),
  function: new Set(['role', 'content', 'name']),
}

/** The conversation of a request; 400 for what OpenAI refuses in one. https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages */
export function turnsOf(body: Body): readonly Turn[] {
  const { messages } = body
  if (messages === undefined)
    throw invalid("Missing required parameter: 'messages'.", 'messages', 'missing_required_parameter')
  if (!Array.isArray(messages))
    throw invalid(
      `Invalid type for 'messages': expected an array of objects, but got ${typeOf(messages)} instead.`,
      'messages',
      'invalid_type',
    )
  if (messages.length === 0)
    throw invalid(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'messages',
      'empty_array',
    )
  /** Calls of the last assistant message that no tool has answered. */
  let open: readonly string[] = []
  let calling = false
  const turns = messages.map((message: unknown, i): Turn => {
    const at = `messages[${i}]`
    if (!isRecord(message))
      throw invalid(
        `Invalid type for '${at}': expected an object, but got ${typeOf(message)} instead.`,
        at,
        'invalid_type',
      )
    const { role } = message
    if (role === undefined)
      throw invalid(`Missing required parameter: '${at}.role'.`, `${at}.role`, 'missing_required_parameter')
    if (typeof role !== 'string' || !roles.includes(role))
      throw invalid(
        `Invalid value: '${shown(role)}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.`,
        `${at}.role`,
        'invalid_value',
      )
    onlyKnown(message, members[role] ?? new Set(), at)
    if (role === 'tool') {
      const id = message['tool_call_id']
      if (typeof id !== 'string')
        throw invalid(
          `Missing required parameter: '${at}.tool_call_id'.`,
          `${at}.tool_call_id`,
          'missing_required_parameter',
        )
      if (!calling)
        throw invalid(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          `messages.[${i}].role`,
        )
      if (!open.includes(id))
        throw invalid(
          `Invalid parameter: 'tool_call_id' of '${id}' not found in 'tool_calls' of previous message.`,
          `messages.[${i}].tool_call_id`,
        )
      open = open.filter((it) => it !== id)
    } else {
      answered(open, i)
      const calls = role === 'assistant' ? callsOf(message, at) : []
      open = calls
      calling = calls.length > 0
    }
    const content = contentOf(message, role, at, calling && role === 'assistant')
    return { role: role === 'developer' ? 'system' : role === 'function' ? 'tool' : speaker(role), ...content }
  })
  answered(open, messages.length)
  return turns
}

const speaker = (role: string): 'system' | 'user' | 'assistant' | 'tool' =>
  role === 'user' || role === 'assistant' || role === 'tool' ? role : 'system'

function answered(open: readonly string[], i: number): void {
  if (open.length === 0) return
  throw invalid(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(', ')}`,
    `messages.[${i}].role`,
  )
}

function callsOf(message: Body, at: string): readonly string[] {
  const calls = message['tool_calls']
  if (calls === undefined) return []
  if (!Array.isArray(calls) || calls.length === 0)
    throw invalid(
      `Invalid '${at}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      `${at}.tool_calls`,
      'empty_array',
    )
  return calls.map((call: unknown, i) => {
    const where = `${at}.tool_calls[${i}]`
    if (!isRecord(call) || typeof call['id'] !== 'string' || call['id'] === '')
      throw invalid(`Missing required parameter: '${where}.id'.`, `${where}.id`, 'missing_required_parameter')
    onlyKnown(call, new Set(['id', 'type', 'function', 'custom']), where)
    if (call['type'] !== 'function')
      throw invalid(
        `Invalid value: '${String(call['type'])}'. Supported values are: 'function'.`,
        `${where}.type`,
        'invalid_value',
      )
    const it = call['function']
    if (!isRecord(it) || typeof it['name'] !== 'string')
      throw invalid(
        `Missing required parameter: '${where}.function.name'.`,
        `${where}.function.name`,
        'missing_required_parameter',
      )
    onlyKnown(it, new Set(['name', 'arguments']), `${where}.function`)
    if (typeof it['arguments'] !== 'string')
      throw invalid(
        `Invalid type for '${where}.function.arguments': expected a string, but got ${typeOf(it['arguments'])} instead.`,
        `${where}.function.arguments`,
        'invalid_type',
      )
    return call['id']
  })
}

/** Which parts each role may have. */
const parts: Readonly<Record<string, readonly string[]>> = {
  system: ['text'],
  developer: ['text'],
  user: ['text', 'image_url', 'input_audio', 'file'],
  assistant: ['text', 'refusal'],
  tool: ['text'],
  function: [],
}

function contentOf(
  message: Body,
  role: string,
  at: string,
  calls: boolean,
): { readonly text: string; readonly seen?: readonly string[] } {
  const { content } = message
  if (typeof content === 'string') return { text: content }
  if (content === undefined || content === null) {
    // An assistant's message may consist of calls, a refusal or audio alone.
    if (calls || (role === 'assistant' && (message['audio'] || message['refusal'] || message['function_call'])))
      return { text: '' }
    throw invalid(`Invalid value for 'content': expected a string, got null.`, `messages.[${role}].content`)
  }
  if (!Array.isArray(content) || content.length === 0)
    throw invalid(
      `Invalid type for '${at}.content': expected one of a string or array of objects, but got ${Array.isArray(content) ? 'an empty array' : typeOf(content)} instead.`,
      `${at}.content`,
      'invalid_type',
    )
  const read = content.map((part: unknown, i) => partOf(part, `${at}.content[${i}]`, parts[role] ?? []))
  return { text: read.map(({ text }) => text ?? '').join(''), seen: read.flatMap(({ seen }) => seen ?? []) }
}

function partOf(
  part: unknown,
  at: string,
  allowed: readonly string[],
): { readonly text?: string; readonly seen?: string } {
  if (!isRecord(part))
    throw invalid(`Invalid type for '${at}': expected an object, but got ${typeOf(part)} instead.`, at, 'invalid_type')
  const { type } = part
  if (typeof type !== 'string' || !allowed.includes(type))
    throw invalid(
      `Invalid value: '${String(type)}'. Supported values are: ${allowed.map((it) => `'${it}'`).join(', ')}.`,
      `${at}.type`,
      'invalid_value',
    )
  onlyKnown(part, new Set(['type', type]), at)
  const value = part[type]
  if (type === 'text' || type === 'refusal') {
    if (typeof value !== 'string')
      throw invalid(`Missing required parameter: '${at}.${type}'.`, `${at}.${type}`, 'missing_required_parameter')
    return { text: value }
  }
  if (!isRecord(value))
    throw invalid(
      `Invalid type for '${at}.${type}': expected an object, but got ${typeOf(value)} instead.`,
      `${at}.${type}`,
      'invalid_type',
    )
  if (type === 'image_url') return { seen: seenImage(value['url'], `${at}.image_url.url`) }
  if (type === 'input_audio') {
    if (typeof value['data'] !== 'string' || !['wav', 'mp3'].includes(String(value['format'])))
      throw invalid(
        `Invalid value: '${String(value['format'])}'. Supported values are: 'wav' and 'mp3'.`,
        `${at}.input_audio.format`,
        'invalid_value',
      )
    return { seen: `audio/${String(value['format'])}` }
  }
  const data = value['file_data']
  if (typeof value['file_id'] === 'string') return { seen: value['file_id'] }
  const inline = typeof data === 'string' ? /^data:([^;,]+)[^,]*;base64,/.exec(data) : null
  if (!inline)
    throw invalid(`Missing required parameter: '${at}.file.file_id'.`, `${at}.file`, 'missing_required_parameter')
  return { seen: inline[1] ?? '' }
}
