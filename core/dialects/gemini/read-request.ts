import type { ChatRequest, Effort, Format, Reasoning, Tool } from '../../chat.ts'
import type { Json } from '../dialect.ts'
import { flag, invalid, list, listOf, number, object, oneOf, optional, text, whole } from '../request-fields.ts'
import { leave, members } from './members.ts'
import { fromOpenApi } from './schema.ts'

const CONFIG: ReadonlySet<string> = new Set([
  'temperature',
  'topP',
  'topK',
  'maxOutputTokens',
  'stopSequences',
  'candidateCount',
  'seed',
  'frequencyPenalty',
  'presencePenalty',
  'responseLogprobs',
  'logprobs',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  '_responseJsonSchema',
  'responseModalities',
  'speechConfig',
  'thinkingConfig',
])
const AT = 'generationConfig'

/** What `generationConfig` asks; undefined members are left out. */
export function readConfig(value: unknown, unread: string[]): Partial<ChatRequest> {
  if (value === undefined || value === null) return {}
  const config = members(value, AT)
  leave(config, CONFIG, AT, unread)
  const read = <T>(name: string, reader: (value: unknown, name: string) => T): T | undefined =>
    optional(config[name], `${AT}.${name}`, reader)
  const topLogprobs = read('logprobs', whole(0, 20))
  if (topLogprobs !== undefined && config['responseLogprobs'] !== true)
    throw invalid(`${AT}.logprobs`, 'left out, or given with "responseLogprobs": true')
  const modalities = read('responseModalities', listOf(text))?.map((it) => it.toLowerCase())
  const speaks = modalities?.includes('audio') === true
  const speech = read('speechConfig', object)
  if (speech && !speaks) unread.push(`${AT}.speechConfig`)
  return defined({
    temperature: read('temperature', number(0, 2)),
    topP: read('topP', number(0, 1)),
    topK: read('topK', whole(1)),
    maxTokens: read('maxOutputTokens', whole(1)),
    stop: read('stopSequences', listOf(text)),
    n: read('candidateCount', whole(1, 8)),
    seed: read('seed', whole()),
    frequencyPenalty: read('frequencyPenalty', number(-2, 2)),
    presencePenalty: read('presencePenalty', number(-2, 2)),
    logprobs: read('responseLogprobs', flag),
    topLogprobs,
    format: formatOf(config, unread),
    // Text alone is what every answer is.
    modalities: modalities?.some((it) => it !== 'text') ? modalities : undefined,
    audio: speaks ? { format: 'pcm16', ...voiceOf(speech, unread) } : undefined,
    reasoning: read('thinkingConfig', (it) => reasoningOf(it, unread)),
  })
}

function formatOf(config: Json, unread: string[]): Format | undefined {
  const type = optional(config['responseMimeType'], `${AT}.responseMimeType`, text)
  if (type !== undefined && type !== 'text/plain' && type !== 'application/json') {
    unread.push(`${AT}.responseMimeType`)
    return undefined
  }
  // The leading underscore is how the API first had it.
  const json = config['responseJsonSchema'] ?? config['_responseJsonSchema']
  const schema =
    json !== undefined && json !== null
      ? object(json, `${AT}.responseJsonSchema`)
      : optional(config['responseSchema'], `${AT}.responseSchema`, (it, name) => fromOpenApi(object(it, name)))
  if (schema) return { type: 'schema', name: 'response', schema }
  return type === 'application/json' ? { type: 'json' } : undefined
}

function voiceOf(speech: Json | undefined, unread: string[]): Json {
  if (!speech) return {}
  const config = members(speech, `${AT}.speechConfig`)
  leave(config, new Set(['voiceConfig']), `${AT}.speechConfig`, unread)
  const voice = members(config['voiceConfig'] ?? {}, `${AT}.speechConfig.voiceConfig`)
  leave(voice, new Set(['prebuiltVoiceConfig']), `${AT}.speechConfig.voiceConfig`, unread)
  const built = members(voice['prebuiltVoiceConfig'] ?? {}, `${AT}.speechConfig.voiceConfig.prebuiltVoiceConfig`)
  leave(built, new Set(['voiceName']), `${AT}.speechConfig.voiceConfig.prebuiltVoiceConfig`, unread)
  return built['voiceName'] === undefined ? {} : { voice: built['voiceName'] }
}

const LEVELS = ['minimal', 'low', 'medium', 'high'] as const satisfies readonly Effort[]

function reasoningOf(value: unknown, unread: string[]): Reasoning {
  const at = `${AT}.thinkingConfig`
  const config = members(value, at)
  leave(config, new Set(['includeThoughts', 'thinkingBudget', 'thinkingLevel']), at, unread)
  const budget = optional(config['thinkingBudget'], `${at}.thinkingBudget`, whole(-1))
  const level = optional(config['thinkingLevel'], `${at}.thinkingLevel`, (it, name) =>
    oneOf(...LEVELS, 'thinking_level_unspecified')(typeof it === 'string' ? it.toLowerCase() : it, name),
  )
  const effort: Effort | undefined = budget === 0 ? 'none' : level === 'thinking_level_unspecified' ? undefined : level
  return defined({
    include: optional(config['includeThoughts'], `${at}.includeThoughts`, flag),
    effort,
    // -1 is as much as the model likes, which is what nothing says too.
    budget: budget !== undefined && budget > 0 ? budget : undefined,
  })
}

const DECLARATION: ReadonlySet<string> = new Set(['name', 'description', 'parameters', 'parametersJsonSchema'])

/** `tools` and `toolConfig`. Tools that Google runs itself have no place elsewhere. */
export function readTools(body: Json, unread: string[]): Pick<ChatRequest, 'tools' | 'toolChoice'> {
  const tools = (optional(body['tools'], 'tools', list) ?? []).flatMap((it, i) => {
    const at = `tools.${i}`
    const tool = members(it, at)
    leave(tool, new Set(['functionDeclarations']), at, unread)
    return (optional(tool['functionDeclarations'], `${at}.functionDeclarations`, list) ?? []).map((declaration, n) =>
      toolOf(declaration, `${at}.functionDeclarations.${n}`, unread),
    )
  })
  const config = members(body['toolConfig'] ?? {}, 'toolConfig')
  leave(config, new Set(['functionCallingConfig']), 'toolConfig', unread)
  return choice(tools, config['functionCallingConfig'], unread)
}

function toolOf(value: unknown, at: string, unread: string[]): Tool {
  const declaration = members(value, at)
  leave(declaration, DECLARATION, at, unread)
  const json = optional(declaration['parametersJsonSchema'], `${at}.parametersJsonSchema`, object)
  const plain = optional(declaration['parameters'], `${at}.parameters`, object)
  const description = optional(declaration['description'], `${at}.description`, text)
  const parameters = json ?? (plain && fromOpenApi(plain))
  return {
    name: text(declaration['name'], `${at}.name`),
    // SDKs send an empty one where there is none.
    ...(description ? { description } : {}),
    ...(parameters ? { parameters } : {}),
  }
}

function choice(tools: readonly Tool[], value: unknown, unread: string[]): Pick<ChatRequest, 'tools' | 'toolChoice'> {
  if (value === undefined || value === null) return { tools }
  const at = 'toolConfig.functionCallingConfig'
  const config = members(value, at)
  leave(config, new Set(['mode', 'allowedFunctionNames']), at, unread)
  const mode = optional(config['mode'], `${at}.mode`, oneOf('MODE_UNSPECIFIED', 'AUTO', 'ANY', 'NONE', 'VALIDATED'))
  const allowed = optional(config['allowedFunctionNames'], `${at}.allowedFunctionNames`, listOf(text)) ?? []
  if (mode === undefined || mode === 'MODE_UNSPECIFIED') {
    if (allowed.length > 0) unread.push(`${at}.allowedFunctionNames`)
    return { tools }
  }
  if (mode === 'NONE') return { tools, toolChoice: 'none' }
  if (mode === 'VALIDATED') unread.push(`${at}.mode`)
  const [only, ...more] = allowed
  const some = allowed.length === 0 ? tools : tools.filter(({ name }) => allowed.includes(name))
  if (mode !== 'ANY') return { tools: some, toolChoice: 'auto' }
  if (only !== undefined && more.length === 0) return { tools, toolChoice: { name: only } }
  // Some of several: the others are not offered.
  return { tools: some, toolChoice: 'required' }
}

/** The object without members that are undefined. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, it]) => it !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined> // what is left has none that is undefined
  }
}
