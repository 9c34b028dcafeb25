import type { Turn } from '../mind.ts'
import { isRecord } from '../text.ts'
import { type Body, bytes, list, message, string, wrong } from './fields.ts'
import { invalid } from './words.ts'

const CONTENT: ReadonlySet<string> = new Set(['role', 'parts'])
const PART: ReadonlySet<string> = new Set(
  'text inlineData fileData functionCall functionResponse executableCode codeExecutionResult thought thoughtSignature videoMetadata mediaResolution partMetadata'.split(
    ' ',
  ),
)
const DATA = [
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
]
const BLOB: ReadonlySet<string> = new Set(['mimeType', 'data'])
const FILE: ReadonlySet<string> = new Set(['mimeType', 'fileUri'])
const CALL: ReadonlySet<string> = new Set(['id', 'name', 'args'])
const RESPONSE: ReadonlySet<string> = new Set(['id', 'name', 'response', 'parts', 'scheduling', 'willContinue'])
const RESPONSE_PART: ReadonlySet<string> = new Set(['inlineData', 'fileData'])
const RESOLUTION: ReadonlySet<string> = new Set(['level', 'numTokens'])
const NAME = /^[A-Za-z_][\w.:-]{0,63}$/

/** What differs between the two APIs, and between models. */
export interface Rules {
  /** Vertex AI wants roles, and the type of what a URI holds. */
  readonly vertex: boolean
  /** Calls of the current turn have to be signed, and results may hold images. */
  readonly signed: boolean
}

/** The value that Google takes for calls of other models. */
const ESCAPES = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go']
/** Signatures are this with what they sign, in base64; a real one is encrypted. */
const SIGNED = 'mock-thought:'

export const signature = (what: string): string => Buffer.from(SIGNED + what).toString('base64')

interface Seen {
  readonly role: 'user' | 'model'
  readonly parts: readonly Body[]
}

/** The turns of a conversation, once all the rules for it are found to be kept. */
export function turnsOf(value: unknown, rules: Rules): readonly Turn[] {
  if (value === undefined || (Array.isArray(value) && value.length === 0))
    throw invalid('* GenerateContentRequest.contents: contents is not specified\n')
  const contents = list({ contents: value }, 'contents', '').map((it, i) => content(it, `contents[${i}]`, rules))
  order(contents)
  if (rules.signed) signatures(contents)
  return contents.flatMap(turn)
}

/** The words of `systemInstruction`. */
export function instruction(value: unknown, rules: Rules): readonly Turn[] {
  if (value === undefined) return []
  const { parts } = content(value, 'systemInstruction', { ...rules, vertex: false })
  if (!parts.every((part) => typeof part['text'] === 'string'))
    throw invalid('Developer instruction is limited to text.')
  return [{ role: 'system', text: parts.map((part) => part['text']).join('') }]
}

function content(value: unknown, at: string, rules: Rules): Seen {
  const found = message(value, at, CONTENT)
  const role = string(found, 'role', at)
  if ((role === undefined && rules.vertex) || (role !== undefined && !['user', 'model', 'function'].includes(role)))
    throw invalid('Please use a valid role: user, model.')
  const parts = list(found, 'parts', at).map((it, i) => part(it, `${at}.parts[${i}]`, rules))
  if (parts.length === 0) throw invalid(`* GenerateContentRequest.${at}.parts: contents.parts must not be empty.\n`)
  return { role: role === 'model' ? 'model' : 'user', parts }
}

function part(value: unknown, at: string, rules: Rules): Body {
  const found = message(value, at, PART)
  const data = DATA.filter((key) => found[key] !== undefined)
  if (data.length === 0)
    throw invalid(`* GenerateContentRequest.${at}.data: required oneof field 'data' must have one initialized field\n`)
  if (data.length > 1)
    throw invalid(`Invalid value at '${at}' (oneof), oneof field 'data' is already set. Cannot set '${data[1]}'`)
  string(found, 'text', at)
  bytes(found, 'thoughtSignature', at)
  if (found['mediaResolution'] !== undefined) message(found['mediaResolution'], `${at}.mediaResolution`, RESOLUTION)
  if (found['inlineData'] !== undefined) blob(found['inlineData'], `${at}.inlineData`)
  if (found['fileData'] !== undefined) file(found['fileData'], `${at}.fileData`, rules)
  if (found['functionCall'] !== undefined) {
    const call = message(found['functionCall'], `${at}.functionCall`, CALL)
    name(call, `${at}.functionCall`)
    const { args } = call
    if (args !== undefined && !isRecord(args))
      throw wrong(`${at}.functionCall.args`, 'type.googleapis.com/google.protobuf.Struct', args)
  }
  if (found['functionResponse'] !== undefined) {
    const where = `${at}.functionResponse`
    const answer = message(found['functionResponse'], where, RESPONSE)
    name(answer, where)
    if (!isRecord(answer['response']))
      throw wrong(`${where}.response`, 'type.googleapis.com/google.protobuf.Struct', answer['response'])
    const parts = list(answer, 'parts', where)
    if (parts.length > 0 && !rules.signed)
      throw invalid('Multimodal function responses are not supported by this model.')
    for (const [i, it] of parts.entries()) {
      const shown = message(it, `${where}.parts[${i}]`, RESPONSE_PART)
      if (shown['inlineData'] !== undefined) blob(shown['inlineData'], `${where}.parts[${i}].inlineData`)
    }
  }
  return found
}

function blob(value: unknown, at: string): void {
  const found = message(value, at, BLOB)
  if (!string(found, 'mimeType', at))
    throw invalid(`* GenerateContentRequest.${at}.mime_type: mime_type is not specified\n`)
  if (!bytes(found, 'data', at)) throw invalid(`* GenerateContentRequest.${at}.data: data is not specified\n`)
}

function file(value: unknown, at: string, { vertex }: Rules): void {
  const found = message(value, at, FILE)
  const type = string(found, 'mimeType', at)
  if (!string(found, 'fileUri', at))
    throw invalid(`* GenerateContentRequest.${at}.file_uri: file_uri is not specified\n`)
  if (vertex && !type) throw invalid('Unable to submit request because it has an empty mimeType parameter in fileData.')
}

function name(of: Body, at: string): void {
  const found = string(of, 'name', at)
  if (!found || !NAME.test(found))
    throw invalid(`* GenerateContentRequest.${at}.name: [FIELD_INVALID] Invalid function name.\n`)
}

const of = (parts: readonly Body[], key: string): readonly Body[] =>
  parts.flatMap((part) => (isRecord(part[key]) ? [part[key]] : []))

/** Calls come after the user, their results right after them, and as many as there were. */
function order(contents: readonly Seen[]): void {
  for (const [i, { role, parts }] of contents.entries()) {
    const before = contents[i - 1]
    const calls = of(parts, 'functionCall')
    const results = of(parts, 'functionResponse')
    if ((calls.length > 0 && role !== 'model') || (results.length > 0 && role !== 'user'))
      throw invalid('Function calls belong to the role model, and function responses to the role user.')
    if (calls.length > 0 && before?.role !== 'user')
      throw invalid(
        'Please ensure that function call turn comes immediately after a user turn or after a function response turn.',
      )
    const asked = before ? of(before.parts, 'functionCall') : []
    if (results.length > 0 && asked.length === 0)
      throw invalid('Please ensure that function response turn comes immediately after a function call turn.')
    if (asked.length !== results.length)
      throw invalid(
        'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.',
      )
    const names = (all: readonly Body[]): string =>
      all
        .map((it) => String(it['name']))
        .sort()
        .join(' ')
    if (names(asked) !== names(results))
      throw invalid('Please ensure that function responses have the names of the function calls of the turn before.')
  }
}

/** The first call of each step since the user last spoke has to carry its signature: https://ai.google.dev/gemini-api/docs/thought-signatures */
function signatures(contents: readonly Seen[]): void {
  const start = contents.findLastIndex(
    ({ role, parts }) => role === 'user' && of(parts, 'functionResponse').length === 0,
  )
  for (const [i, { parts }] of contents.entries()) {
    const first = parts.find((it) => isRecord(it['functionCall']))
    if (first && i > start && first['thoughtSignature'] === undefined) {
      const called = isRecord(first['functionCall']) ? String(first['functionCall']['name']) : ''
      throw invalid(
        `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${called}\` , position ${i + 1}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.`,
      )
    }
    for (const { thoughtSignature: given } of parts)
      if (typeof given === 'string' && !genuine(given)) throw invalid('Corrupted thought signature.')
  }
}

function genuine(given: string): boolean {
  const bytes = Buffer.from(given, 'base64').toString()
  return ESCAPES.includes(given) || ESCAPES.includes(bytes) || bytes.startsWith(SIGNED)
}

function turn({ role, parts }: Seen): readonly Turn[] {
  const text = parts
    .flatMap((it) => (typeof it['text'] === 'string' && it['thought'] !== true ? [it['text']] : []))
    .join('')
  const results = of(parts, 'functionResponse')
  const tools = results.map((it): Turn => ({ role: 'tool', text: JSON.stringify(it['response']) }))
  const seen = [...of(parts, 'inlineData'), ...of(parts, 'fileData')].map((it) =>
    String(it['fileUri'] ?? it['file_uri'] ?? it['mimeType'] ?? it['mime_type']),
  )
  if (tools.length > 0 && text === '' && seen.length === 0) return tools
  return [...tools, { role: role === 'model' ? 'assistant' : 'user', text, seen }]
}
