import type { Callable, Prompt } from '../mind.ts'
import { isRecord } from '../text.ts'
import { type Body, bool, list, message, number, string, word, wrong } from './fields.ts'
import { checkParameters, checkSchema, plain } from './schema.ts'
import { invalid } from './words.ts'

const CONFIG: ReadonlySet<string> = new Set(
  'stopSequences responseMimeType responseSchema responseJsonSchema responseModalities candidateCount maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty responseLogprobs logprobs enableEnhancedCivicAnswers speechConfig thinkingConfig imageConfig mediaResolution'.split(
    ' ',
  ),
)
const THINKING: ReadonlySet<string> = new Set(['includeThoughts', 'thinkingBudget', 'thinkingLevel'])
const SPEECH: ReadonlySet<string> = new Set(['voiceConfig', 'multiSpeakerVoiceConfig', 'languageCode'])
const MODALITIES = ['TEXT', 'IMAGE', 'AUDIO']
const LEVELS = ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH']
const AT = 'generationConfig'
const INT32 = 2 ** 31

/** What is asked of an answer. */
export interface Config {
  readonly candidates: number
  readonly limit: number | undefined
  readonly stop: readonly string[]
  readonly json: Prompt['json']
  /** Tokens of thought, and whether they are to be shown. */
  readonly think: number
  readonly showThought: boolean
  /** Alternatives for each token; undefined where no log-probabilities are wanted. */
  readonly logprobs: number | undefined
}

/** The version of a model; those without one are taken for the newest. */
export function versionOf(model: string): number {
  return Number(/gemini-(\d+(?:\.\d+)?)/.exec(model)?.[1] ?? 3)
}

/** Reads `generationConfig` as the model takes it: https://ai.google.dev/api/generate-content#GenerationConfig */
export function configOf(value: unknown, model: string, tools: boolean): Config {
  const config = value === undefined ? {} : message(value, AT, CONFIG)
  number(config, 'temperature', AT, 0, 2)
  number(config, 'topP', AT, 0, 1)
  number(config, 'topK', AT, 1, 1000, true)
  number(config, 'seed', AT, -INT32, INT32 - 1, true)
  number(config, 'presencePenalty', AT, -2, 2)
  number(config, 'frequencyPenalty', AT, -2, 2)
  const stop = list(config, 'stopSequences', AT).map((it, i) => {
    if (typeof it !== 'string') throw wrong(`${AT}.stopSequences[${i}]`, 'TYPE_STRING', it)
    return it
  })
  if (stop.length > 5)
    throw invalid('* GenerateContentRequest.generation_config.stop_sequences: at most 5 are allowed.')
  for (const [i, it] of list(config, 'responseModalities', AT).entries())
    if (!MODALITIES.includes(String(it).toUpperCase())) throw wrong(`${AT}.responseModalities[${i}]`, 'Modality', it)
  if (config['speechConfig'] !== undefined) message(config['speechConfig'], `${AT}.speechConfig`, SPEECH)
  return {
    candidates: number(config, 'candidateCount', AT, 1, 8, true) ?? 1,
    limit: number(config, 'maxOutputTokens', AT, 1, 1_000_000, true),
    stop,
    json: jsonOf(config, model, tools),
    ...thoughtOf(config['thinkingConfig'], model),
    logprobs: logprobsOf(config),
  }
}

function logprobsOf(config: Body): number | undefined {
  const wanted = bool(config, 'responseLogprobs', AT)
  const top = number(config, 'logprobs', AT, 0, 20, true)
  if (top !== undefined && wanted !== true) throw invalid('Logprobs can only be set if response_logprobs is true.')
  return wanted ? (top ?? 0) : undefined
}

function jsonOf(config: Body, model: string, tools: boolean): Prompt['json'] {
  const type = string(config, 'responseMimeType', AT) ?? 'text/plain'
  if (!['text/plain', 'application/json', 'text/x.enum'].includes(type))
    throw invalid(
      `* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are \`text/plain\`, \`application/json\`, and \`text/x.enum\`, not ${type}.`,
    )
  const { responseSchema, responseJsonSchema } = config
  if (responseSchema !== undefined && responseJsonSchema !== undefined)
    throw invalid('response_schema and response_json_schema cannot be set both.')
  if (responseSchema !== undefined) checkSchema(responseSchema, `${AT}.responseSchema`)
  const schema = responseSchema ?? responseJsonSchema
  if (type === 'text/plain') {
    if (schema !== undefined) throw invalid('response_schema needs the response mime type application/json.')
    return undefined
  }
  if (tools && versionOf(model) < 3)
    throw invalid(`Function calling with a response mime type: '${type}' is unsupported`)
  return schema === undefined ? {} : { schema: plain(schema) }
}

function thoughtOf(value: unknown, model: string): { readonly think: number; readonly showThought: boolean } {
  const version = versionOf(model)
  const thinks = version >= 2.5
  if (value === undefined) return { think: thinks ? 8 : 0, showThought: false }
  const at = `${AT}.thinkingConfig`
  const config = message(value, at, THINKING)
  if (!thinks) throw invalid('Thinking is not supported for this model.')
  const budget = number(config, 'thinkingBudget', at, -1, 32_768, true)
  const level = word(config, 'thinkingLevel', at, LEVELS)
  if (budget !== undefined && level !== undefined)
    throw invalid('You can only set only one of thinking budget and thinking level.')
  if (level !== undefined && version < 3) throw invalid('Thinking level is not supported for this model.')
  if (level === 'MINIMAL' && model.includes('pro'))
    throw invalid('Thinking level MINIMAL is not supported for this model.')
  if (budget === 0 && (model.includes('pro') || version >= 3))
    throw invalid('Budget 0 is invalid. This model only works in thinking mode.')
  const showThought = bool(config, 'includeThoughts', at) === true
  if (level !== undefined) return { think: 2 ** (LEVELS.indexOf(level) + 1), showThought }
  return { think: budget === 0 ? 0 : 8, showThought }
}

const TOOL: ReadonlySet<string> = new Set(
  'functionDeclarations googleSearch googleSearchRetrieval codeExecution urlContext fileSearch computerUse googleMaps'.split(
    ' ',
  ),
)
const DECLARATION: ReadonlySet<string> = new Set(
  'name description behavior parameters parametersJsonSchema response responseJsonSchema'.split(' '),
)
const NAME = /^[A-Za-z_][\w.:-]{0,63}$/

/** The functions that are declared. */
export function toolsOf(body: Body): readonly Callable[] {
  const found = list(body, 'tools', '').flatMap((it, i) => {
    const tool = message(it, `tools[${i}]`, TOOL)
    return list(tool, 'functionDeclarations', `tools[${i}]`).map((declaration, n) =>
      declared(declaration, `tools[${i}].functionDeclarations[${n}]`),
    )
  })
  const twice = found.find(({ name }, i) => found.findIndex((it) => it.name === name) < i)
  if (twice) throw invalid(`Duplicate function declaration found: ${twice.name}`)
  return found
}

function declared(value: unknown, at: string): Callable {
  const declaration = message(value, at, DECLARATION)
  const name = string(declaration, 'name', at) ?? ''
  if (!NAME.test(name))
    throw invalid(
      `* GenerateContentRequest.${at}.name: [FIELD_INVALID] Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.\n`,
    )
  string(declaration, 'description', at)
  const { parameters, parametersJsonSchema: json } = declaration
  if (parameters !== undefined && json !== undefined)
    throw invalid('parameters and parameters_json_schema cannot be set both.')
  if (parameters !== undefined) checkParameters(parameters, `${at}.parameters`)
  if (json !== undefined && (!isRecord(json) || json['type'] !== 'object'))
    throw invalid(`* GenerateContentRequest.${at}.parameters_json_schema: schema type should be OBJECT\n`)
  return { name, schema: plain(parameters ?? json ?? {}) }
}

const TOOL_CONFIG: ReadonlySet<string> = new Set(['functionCallingConfig', 'retrievalConfig'])
const CALLING: ReadonlySet<string> = new Set(['mode', 'allowedFunctionNames'])

/** Which of the functions may be called, and whether one has to be. */
export function choiceOf(value: unknown, tools: readonly Callable[]): Pick<Prompt, 'tools' | 'must'> {
  const config = value === undefined ? {} : message(value, 'toolConfig', TOOL_CONFIG)
  const at = 'toolConfig.functionCallingConfig'
  const calling =
    config['functionCallingConfig'] === undefined ? {} : message(config['functionCallingConfig'], at, CALLING)
  const mode = word(calling, 'mode', at, ['AUTO', 'ANY', 'NONE', 'VALIDATED']) ?? 'AUTO'
  const allowed = list(calling, 'allowedFunctionNames', at).map(String)
  if (allowed.length > 0 && mode !== 'ANY' && mode !== 'VALIDATED')
    throw invalid(
      'Function calling config: allowed_function_names should be set only when the mode is ANY or VALIDATED.',
    )
  const missing = allowed.find((name) => !tools.some((it) => it.name === name))
  if (missing !== undefined) throw invalid(`Function calling config: allowed function name ${missing} is not declared.`)
  if (mode === 'ANY' && tools.length === 0)
    throw invalid('Function calling config is set without function_declarations.')
  const offered = allowed.length > 0 ? tools.filter(({ name }) => allowed.includes(name)) : tools
  return { tools: mode === 'NONE' ? [] : offered, must: mode === 'ANY' ? 'any' : undefined }
}
