import type { InputPart, Message, OutputPart, ToolCallPart } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import type { Json } from '../dialect.ts'
import { audioPart, mediaPart } from './media.ts'
import type { Traits } from './model-traits.ts'
import { ESCAPE } from './signature.ts'

/** What the messages depend on besides themselves. */
export interface Writing {
  readonly traits: Traits
  /** Vertex AI wants the type of what a URL holds. */
  readonly strict: boolean
  /** Takes the names of what could not be said. */
  readonly dropped: string[]
}

export interface WrittenContents {
  readonly systemInstruction: Json | undefined
  readonly contents: readonly Json[]
}

interface Turn {
  readonly role: 'user' | 'model'
  /** Results of functions stand alone: the API counts them against the calls before. */
  readonly results: boolean
  readonly parts: Json[]
}

/** The conversation as Google has it. Throws `invalid_request` and `not_translatable`. */
export function writeContents(messages: readonly Message[], writing: Writing): WrittenContents {
  const system: Json[] = []
  const turns: Turn[] = []
  /** Names of functions by the ids of their calls. */
  const names = new Map<string, string>()
  const add = (role: Turn['role'], parts: readonly Json[], results = false): void => {
    if (parts.length === 0) return
    const last = turns.at(-1)
    if (last?.role === role && last.results === results) last.parts.push(...parts)
    else turns.push({ role, results, parts: [...parts] })
  }
  for (const [i, message] of messages.entries()) {
    const at = `messages.${i}`
    report(message, at, writing.dropped)
    switch (message.role) {
      case 'system':
        system.push(...message.content.flatMap(({ text }) => (text === '' ? [] : [{ text }])))
        break
      case 'user':
        add(
          'user',
          message.content.flatMap((part) => shown(part, at, writing)),
        )
        break
      case 'assistant':
        for (const part of message.content) if (part.type === 'tool-call') names.set(part.id, part.name)
        add('model', spoken(message.content, at, writing))
        break
      case 'tool': {
        const name = names.get(message.callId) ?? message.name
        if (name === undefined)
          throw new Failure('invalid_request', {
            detail: `The result in ${at} is for the call ${JSON.stringify(message.callId)}, which no message before it makes: add that message.`,
          })
        const { part, beside } = result(message, name, at, writing)
        add('user', [part], true)
        add('user', beside)
        break
      }
    }
  }
  const instruction = system.length > 0 ? { parts: system } : undefined
  // A conversation of instructions alone is asked as a question: the API wants one.
  if (turns.length === 0 && instruction)
    return { systemInstruction: undefined, contents: [{ role: 'user', parts: system }] }
  if (turns.length === 0) throw new Failure('invalid_request', { detail: 'No message says anything.' })
  return { systemInstruction: instruction, contents: turns.map(({ role, parts }) => ({ role, parts })) }
}

function report(message: Message, at: string, dropped: string[]): void {
  if ('name' in message && message.name !== undefined && message.role !== 'tool') dropped.push(`${at}.name`)
  const marked = message.content.some((part) => 'cache' in part && part.cache !== undefined)
  if (marked || (message.role === 'tool' && message.cache !== undefined)) dropped.push(`${at}.cache`)
}

function shown(part: InputPart, at: string, { strict, traits, dropped }: Writing): readonly Json[] {
  switch (part.type) {
    case 'text':
      return part.text === '' ? [] : [{ text: part.text }]
    case 'image': {
      const level = part.detail === 'low' ? 'LOW' : part.detail === 'high' ? 'HIGH' : undefined
      if (level && !traits.media) dropped.push(`${at}.detail`)
      const resolution = level && traits.media ? { mediaResolution: { level: `MEDIA_RESOLUTION_${level}` } } : {}
      return [{ ...mediaPart(part, at, strict), ...resolution }]
    }
    case 'file':
      if (part.name !== undefined) dropped.push(`${at}.filename`)
      return [mediaPart(part, at, strict)]
    case 'audio':
      return [audioPart(part)]
  }
}

/** What the model said. Signatures go back on the parts that they came with. */
function spoken(content: readonly OutputPart[], at: string, { traits, strict, dropped }: Writing): readonly Json[] {
  const parts: Record<string, unknown>[] = []
  /** Of a part that is still to come. */
  let pending: string | undefined
  const push = (part: Json, signature?: string): void => {
    parts.push({ ...part, ...(signature === undefined ? {} : { thoughtSignature: signature }) })
  }
  for (const [i, part] of content.entries())
    switch (part.type) {
      case 'text':
      case 'refusal':
        if (part.text === '') break
        push({ text: part.text }, pending)
        pending = undefined
        break
      case 'reasoning': {
        const signature = part.signature?.format === 'gemini' ? part.signature.value : undefined
        if (part.signature && signature === undefined) dropped.push(`${at}.signature`)
        if (part.text !== '' && traits.thinking) push({ text: part.text, thought: true }, signature)
        else if (part.text !== '') dropped.push(`${at}.reasoning`)
        else if (signature !== undefined) {
          // It came without words of its own: with the call or the text next to it.
          const next = content[i + 1]
          const last = parts.at(-1)
          if (next?.type === 'tool-call' && !next.signature) pending = signature
          else if (last && 'text' in last && !('thought' in last) && !('thoughtSignature' in last))
            last['thoughtSignature'] = signature
          else pending = signature
        }
        break
      }
      case 'redacted':
        dropped.push(`${at}.redacted`)
        break
      case 'tool-call': {
        const own = part.signature?.format === 'gemini' ? part.signature.value : undefined
        if (part.signature && own === undefined) dropped.push(`${at}.signature`)
        push({ functionCall: { id: part.id, name: part.name, args: argsOf(part, at) } }, own ?? pending)
        pending = undefined
        break
      }
      case 'image':
        push(mediaPart(part, at, strict))
        break
      case 'audio':
        if (part.data !== '') push(audioPart(part))
        else if (part.transcript !== undefined) push({ text: part.transcript })
        else dropped.push(`${at}.audio`)
        break
    }
  if (pending !== undefined) push({ text: '' }, pending)
  // The first call of each step has to be signed; one that another model made has nothing to be signed with.
  const first = parts.find((part) => 'functionCall' in part)
  if (traits.signs && first && !('thoughtSignature' in first)) first['thoughtSignature'] = ESCAPE
  return parts
}

function argsOf({ name, arguments: text }: ToolCallPart, at: string): Json {
  const args = parsed(text)
  if (args) return args
  throw new Failure('invalid_request', {
    detail: `The arguments of the call of ${JSON.stringify(name)} (${at}) must be a JSON object.`,
  })
}

interface Result {
  readonly part: Json
  /** What does not fit into it. */
  readonly beside: readonly Json[]
}

type ToolMessage = Extract<Message, { readonly role: 'tool' }>

/** The result of a function has to be an object: https://ai.google.dev/api/caching#FunctionResponse names `output` and `error`. */
function result({ content, callId, isError }: ToolMessage, name: string, at: string, writing: Writing): Result {
  const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')
  const response = isError ? { error: text } : (structured(text) ?? { output: text })
  const media = content.flatMap((part) => (part.type === 'text' ? [] : shown(part, at, writing)))
  const inside = writing.traits.media && media.every((part) => 'inlineData' in part)
  const parts = inside && media.length > 0 ? { parts: media.map(({ inlineData }) => ({ inlineData })) } : {}
  return { part: { functionResponse: { id: callId, name, response, ...parts } }, beside: inside ? [] : media }
}

/** A number of more digits than a double has would not survive being parsed. */
const LONG_NUMBER = /\d{16}/

/** A function's own object; one that could be taken for our wrapping is wrapped. */
function structured(text: string): Json | undefined {
  const value = LONG_NUMBER.test(text) ? undefined : parsed(text)
  const [key, ...more] = value ? Object.keys(value) : []
  return more.length === 0 && (key === 'output' || key === 'error') ? { output: value } : value
}

function parsed(text: string): Json | undefined {
  if (!text.trimStart().startsWith('{')) return undefined
  try {
    return JSON.parse(text) as Json // what begins with a brace is an object
  } catch {
    return undefined
  }
}
