import type { FilePart, ImagePart, InputPart, Message, OutputPart, TextPart, ToolCallPart } from '../../chat.ts'
import type { Json } from '../dialect.ts'
import { invalid, list, object, optional, text } from '../request-fields.ts'
import { checkCalls } from '../openai/read-messages.ts'
import type { CallWords } from '../openai/read-messages.ts'
import { leave, members } from './members.ts'
import { soundOf, sourceOf } from './media.ts'
import { readSignature } from './signature.ts'

const CONTENT: ReadonlySet<string> = new Set(['role', 'parts'])
const PART: ReadonlySet<string> = new Set([
  'text',
  'thought',
  'thoughtSignature',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
])
/** Of a user's. */
const SHOWN: ReadonlySet<string> = new Set(['text', 'inlineData', 'fileData'])
const CALL: ReadonlySet<string> = new Set(['id', 'name', 'args'])
const RESPONSE: ReadonlySet<string> = new Set(['id', 'name', 'response', 'parts'])
const BLOB: ReadonlySet<string> = new Set(['mimeType', 'data', 'displayName'])
const FILE: ReadonlySet<string> = new Set(['mimeType', 'fileUri', 'displayName'])

/** `systemInstruction` as messages of the system; it may be a text, as some SDKs let it through. */
export function readInstruction(value: unknown, unread: string[]): readonly Message[] {
  if (value === undefined || value === null) return []
  const content = typeof value === 'string' ? { parts: [{ text: value }] } : members(value, 'systemInstruction')
  leave(content, CONTENT, 'systemInstruction', unread)
  const said = parts(content, 'systemInstruction').map((part, i): TextPart => {
    const at = `systemInstruction.parts.${i}`
    leave(part, new Set(['text']), at, unread)
    return { type: 'text', text: text(part['text'], `${at}.text`) }
  })
  return said.length > 0 ? [{ role: 'system', content: said }] : []
}

/**
 * `contents` as messages. Calls that carry no id get one by their place, so that the same conversation always reads the same; a response
 * without one answers the first call of its name that has none yet.
 */
export function readContents(value: unknown, unread: string[]): readonly Message[] {
  const contents = list(value, 'contents')
  if (contents.length === 0) throw invalid('contents', 'a list with at least one content')
  const messages: Message[] = []
  /** Of the calls that wait for their response: ids and names. */
  let waiting: { readonly id: string; readonly name: string }[] = []
  for (const [i, item] of contents.entries()) {
    const at = `contents.${i}`
    const content = members(item, at)
    leave(content, CONTENT, at, unread)
    const role = optional(content['role'], `${at}.role`, text) ?? 'user'
    if (role === 'model') {
      const said = parts(content, at).flatMap((part, n) => spoken(part, `${at}.parts.${n}`, `call_${i}_${n}`, unread))
      waiting = said.filter((part): part is ToolCallPart => part.type === 'tool-call')
      if (said.length > 0) messages.push({ role: 'assistant', content: said })
    } else if (role === 'user' || role === 'function') {
      const shown: InputPart[] = []
      for (const [n, part] of parts(content, at).entries()) {
        const where = `${at}.parts.${n}`
        if (part['functionResponse'] === undefined) shown.push(input(part, where, unread))
        else {
          const answered = response(part, where, waiting, unread)
          waiting = waiting.filter(({ id }) => id !== answered.callId)
          messages.push(answered)
        }
      }
      if (shown.length > 0) messages.push({ role: 'user', content: shown })
    } else throw invalid(`${at}.role`, 'one of "user", "model"')
  }
  if (messages.length === 0) throw invalid('contents', 'a list with at least one part')
  checkCalls(messages, words)
  return messages
}

const words: CallWords = {
  orphan: (_, id) => `A functionResponse in "contents" (${id}) answers no functionCall of the content before.`,
  unanswered: () =>
    'A functionCall in "contents" has no functionResponse: add one for each in a content of the user, right after the calls.',
}

function parts(content: Json, at: string): readonly Json[] {
  return (optional(content['parts'], `${at}.parts`, list) ?? []).map((part, i) => members(part, `${at}.parts.${i}`))
}

function input(part: Json, at: string, unread: string[]): InputPart {
  leave(part, SHOWN, at, unread)
  if (part['text'] !== undefined) return { type: 'text', text: text(part['text'], `${at}.text`) }
  if (part['inlineData'] !== undefined) return blob(part['inlineData'], `${at}.inlineData`, unread)
  if (part['fileData'] !== undefined) return file(part['fileData'], `${at}.fileData`, unread)
  throw invalid(at, 'a part with text, inlineData, fileData or functionResponse')
}

function spoken(part: Json, at: string, fallback: string, unread: string[]): readonly OutputPart[] {
  leave(part, PART, at, unread)
  const sign = optional(part['thoughtSignature'], `${at}.thoughtSignature`, text)
  const signed = sign === undefined || sign === '' ? undefined : readSignature(sign)
  const signature = signed ? { signature: signed.artefact } : {}
  if (part['functionCall'] !== undefined) {
    const call = members(part['functionCall'], `${at}.functionCall`)
    leave(call, CALL, `${at}.functionCall`, unread)
    const args = optional(call['args'], `${at}.functionCall.args`, object) ?? {}
    return [
      {
        type: 'tool-call',
        id: optional(call['id'], `${at}.functionCall.id`, text) || fallback,
        name: text(call['name'], `${at}.functionCall.name`),
        arguments: JSON.stringify(args),
        ...signature,
      },
    ]
  }
  if (signed?.hidden) return [{ type: 'redacted', data: signed.artefact }]
  if (part['text'] !== undefined) {
    const said = text(part['text'], `${at}.text`)
    if (part['thought'] === true) return [{ type: 'reasoning', text: said, ...signature }]
    return [
      ...(said === '' ? [] : [{ type: 'text', text: said } as const]),
      ...(signed ? [{ type: 'reasoning', text: '', ...signature } as const] : []),
    ]
  }
  if (part['inlineData'] !== undefined) {
    const shown = blob(part['inlineData'], `${at}.inlineData`, unread)
    if (shown.type === 'image' || shown.type === 'audio') return [shown]
  }
  throw invalid(at, 'a part with text, functionCall, or inlineData that holds an image or sound')
}

function blob(
  value: unknown,
  at: string,
  unread: string[],
): ImagePart | FilePart | Extract<InputPart, { type: 'audio' }> {
  const inline = members(value, at)
  leave(inline, BLOB, at, unread)
  const mediaType = text(inline['mimeType'], `${at}.mimeType`).toLowerCase()
  // Bytes may come in the alphabet of URLs; only the plain one is understood everywhere.
  const data = text(inline['data'], `${at}.data`).replaceAll('-', '+').replaceAll('_', '/')
  const name = optional(inline['displayName'], `${at}.displayName`, text)
  if (mediaType.startsWith('image/')) return { type: 'image', source: { type: 'base64', mediaType, data } }
  if (mediaType.startsWith('audio/')) return { type: 'audio', data, format: soundOf(mediaType) }
  return { type: 'file', source: { type: 'base64', mediaType, data }, ...(name === undefined ? {} : { name }) }
}

function file(value: unknown, at: string, unread: string[]): InputPart {
  const data = members(value, at)
  leave(data, FILE, at, unread)
  const mimeType = optional(data['mimeType'], `${at}.mimeType`, text)?.toLowerCase()
  const source = sourceOf(text(data['fileUri'], `${at}.fileUri`), mimeType)
  const name = optional(data['displayName'], `${at}.displayName`, text)
  if (mimeType?.startsWith('image/')) return { type: 'image', source }
  return { type: 'file', source, ...(name === undefined ? {} : { name }) }
}

type ToolMessage = Extract<Message, { readonly role: 'tool' }>

function response(
  part: Json,
  at: string,
  waiting: readonly { readonly id: string; readonly name: string }[],
  unread: string[],
): ToolMessage {
  leave(part, PART, at, unread)
  const where = `${at}.functionResponse`
  const given = members(part['functionResponse'], where)
  leave(given, RESPONSE, where, unread)
  const name = text(given['name'], `${where}.name`)
  const own = optional(given['id'], `${where}.id`, text)
  const callId = own || waiting.find((call) => call.name === name)?.id
  if (callId === undefined)
    throw invalid(
      where,
      `the response to a function call of the content before; ${JSON.stringify(name)} was not called there`,
    )
  const { said, isError } = outcome(object(given['response'], `${where}.response`))
  const media = (optional(given['parts'], `${where}.parts`, list) ?? []).map((it, i) =>
    input(members(it, `${where}.parts.${i}`), `${where}.parts.${i}`, unread),
  )
  return {
    role: 'tool',
    callId,
    name,
    content: [{ type: 'text', text: said }, ...media],
    ...(isError ? { isError: true } : {}),
  }
}

/** An object with nothing but `output` or `error` is that: https://ai.google.dev/api/caching#FunctionResponse */
function outcome(value: Json): { readonly said: string; readonly isError: boolean } {
  const [key, ...more] = Object.keys(value)
  if (more.length === 0 && (key === 'output' || key === 'error')) {
    const inner = value[key]
    return { said: typeof inner === 'string' ? inner : JSON.stringify(inner), isError: key === 'error' }
  }
  return { said: JSON.stringify(value), isError: false }
}
