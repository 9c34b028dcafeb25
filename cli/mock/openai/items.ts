import type { Turn } from '../mind.ts'
import { isRecord, shown } from '../text.ts'
import { type Body, onlyKnown, seenImage, typeOf } from './fields.ts'
import { invalid } from './words.ts'

const types = [
  'message',
  'reasoning',
  'function_call',
  'function_call_output',
  'item_reference',
  'custom_tool_call',
  'custom_tool_call_output',
  'file_search_call',
  'web_search_call',
  'computer_call',
  'computer_call_output',
  'image_generation_call',
  'code_interpreter_call',
  'local_shell_call',
  'local_shell_call_output',
  'mcp_list_tools',
  'mcp_approval_request',
  'mcp_approval_response',
  'mcp_call',
  'compaction',
]
const members: Readonly<Record<string, ReadonlySet<string>>> = {
  message: new Set(['type', 'role', 'content', 'id', 'status', 'phase']),
  reasoning: new Set(['type', 'id', 'summary', 'content', 'encrypted_content', 'status']),
  function_call: new Set(['type', 'id', 'call_id', 'name', 'arguments', 'status']),
  function_call_output: new Set(['type', 'id', 'call_id', 'output', 'status']),
}

/** What reasoning is sealed with; anything else does not open. */
export const seal = 'gAAAAABmock'

/** The conversation of a Responses request after `before`; 400 for what OpenAI refuses. https://platform.openai.com/docs/api-reference/responses/create#responses-create-input */
export function turnsOfItems(body: Body, before: readonly Turn[]): readonly Turn[] {
  const { input, instructions } = body
  const first: readonly Turn[] = typeof instructions === 'string' ? [{ role: 'system', text: instructions }] : []
  if (input === undefined) throw invalid("Missing required parameter: 'input'.", 'input', 'missing_required_parameter')
  if (typeof input === 'string') return [...first, ...before, { role: 'user', text: input }]
  if (!Array.isArray(input))
    throw invalid(
      `Invalid type for 'input': expected one of a string or array of input items, but got ${typeOf(input)} instead.`,
      'input',
      'invalid_type',
    )
  const calls = new Set(before.flatMap(({ calls: made }) => made ?? []))
  const answered = new Set<string>()
  const turns = input.flatMap((item: unknown, i): readonly Turn[] => {
    const at = `input[${i}]`
    if (!isRecord(item))
      throw invalid(
        `Invalid type for '${at}': expected an input item, but got ${typeOf(item)} instead.`,
        at,
        'invalid_type',
      )
    const type = item['type'] ?? 'message'
    if (typeof type !== 'string' || !types.includes(type))
      throw invalid(
        `Invalid value: '${shown(type)}'. Supported values are: ${types.map((it) => `'${it}'`).join(', ')}.`,
        at,
        'invalid_value',
      )
    const known = members[type]
    if (!known) return []
    onlyKnown(item, known, at)
    const callId = item['call_id']
    if (type.startsWith('function_call') && typeof callId !== 'string')
      throw invalid(`Missing required parameter: '${at}.call_id'.`, `${at}.call_id`, 'missing_required_parameter')
    switch (type) {
      case 'function_call':
        for (const key of ['name', 'arguments'])
          if (typeof item[key] !== 'string')
            throw invalid(`Missing required parameter: '${at}.${key}'.`, `${at}.${key}`, 'missing_required_parameter')
        calls.add(String(callId))
        return [{ role: 'assistant', text: '' }]
      case 'function_call_output':
        if (!calls.has(String(callId)))
          throw invalid(`No tool call found for function call output with call_id ${String(callId)}.`, 'input')
        answered.add(String(callId))
        return [
          { role: 'tool', ...contentOf(item['output'], `${at}.output`, ['input_text', 'input_image', 'input_file']) },
        ]
      case 'reasoning':
        if (typeof item['encrypted_content'] === 'string' && !item['encrypted_content'].startsWith(seal))
          throw invalid(
            `The encrypted content ${item['encrypted_content'].slice(0, 12)}... could not be verified.`,
            null,
            'invalid_encrypted_content',
          )
        if (i === input.length - 1)
          throw invalid(
            `Item '${String(item['id'])}' of type 'reasoning' was provided without its required following item.`,
            'input',
          )
        return []
      default:
        return [message(item, at)]
    }
  })
  const owed = [...calls].filter((id) => !answered.has(id))
  if (owed.length > 0) throw invalid(`No tool output found for function call ${owed.join(', ')}.`, 'input')
  return [...first, ...before, ...turns]
}

function message(item: Body, at: string): Turn {
  const { role } = item
  if (role !== 'user' && role !== 'assistant' && role !== 'system' && role !== 'developer')
    throw invalid(
      `Invalid value: '${String(role)}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.`,
      at,
      'invalid_value',
    )
  const allowed =
    role === 'assistant' ? ['output_text', 'refusal'] : ['input_text', 'input_image', 'input_file', 'input_audio']
  return { role: role === 'developer' ? 'system' : role, ...contentOf(item['content'], `${at}.content`, allowed) }
}

function contentOf(content: unknown, at: string, allowed: readonly string[]): Pick<Turn, 'text' | 'seen'> {
  if (typeof content === 'string') return { text: content }
  if (!Array.isArray(content))
    throw invalid(
      `Invalid type for '${at}': expected one of an array of objects or string, but got ${typeOf(content)} instead.`,
      at,
      'invalid_type',
    )
  const parts = content.map((part: unknown, i) => {
    const where = `${at}[${i}]`
    const type = isRecord(part) ? part['type'] : undefined
    if (!isRecord(part) || typeof type !== 'string' || !allowed.includes(type))
      throw invalid(
        `Invalid value: '${String(type)}'. Supported values are: ${allowed.map((it) => `'${it}'`).join(', ')}.`,
        where,
        'invalid_value',
      )
    if (type === 'input_image')
      return { seen: part['file_id'] ? shown(part['file_id']) : seenImage(part['image_url'], `${where}.image_url`) }
    if (type === 'input_file') return { seen: shown(part['file_id'] ?? part['file_url'] ?? part['filename'] ?? 'file') }
    if (type === 'input_audio') return { seen: 'audio' }
    const text = part[type === 'refusal' ? 'refusal' : 'text']
    if (typeof text !== 'string')
      throw invalid(`Missing required parameter: '${where}.text'.`, `${where}.text`, 'missing_required_parameter')
    return { text }
  })
  return { text: parts.map(({ text }) => text ?? '').join(''), seen: parts.flatMap(({ seen }) => seen ?? []) }
}
