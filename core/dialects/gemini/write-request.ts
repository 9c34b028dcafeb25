import type { ChatRequest } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import type { Json } from '../dialect.ts'
import { budgets } from './model-traits.ts'
import type { Level, Traits } from './model-traits.ts'
import { toOpenApi } from './schema.ts'
import { given } from '../given.ts'

/** https://ai.google.dev/api/generate-content#GenerationConfig */
const STOPS = 5
/** `seed` is an int32. */
const SEEDS = 2 ** 31

/** `generationConfig`; undefined where nothing is asked. Throws `not_translatable`. */
export function generationConfig(request: ChatRequest, traits: Traits, dropped: string[]): Json | undefined {
  const { seed, stop, temperature, topP, topK, maxTokens, n, frequencyPenalty, presencePenalty } = request
  if (stop && stop.length > STOPS) dropped.push(`stop.${STOPS}`)
  const sown = seed !== undefined && seed >= -SEEDS && seed < SEEDS
  if (seed !== undefined && !sown) dropped.push('seed')
  const config = {
    temperature,
    topP,
    topK,
    maxOutputTokens: maxTokens,
    stopSequences: stop && stop.length > 0 ? stop.slice(0, STOPS) : undefined,
    candidateCount: n === 1 ? undefined : n,
    seed: sown ? seed : undefined,
    frequencyPenalty,
    presencePenalty,
    responseLogprobs: request.logprobs ? true : undefined,
    logprobs: request.logprobs && request.topLogprobs ? request.topLogprobs : undefined,
    ...format(request, traits, dropped),
    ...modalities(request, dropped),
    thinkingConfig: thinking(request, traits, dropped),
  }
  for (const name of ['logitBias', 'user'] as const) if (request[name] !== undefined) dropped.push(name)
  if (request.parallelToolCalls === false && request.tools.length > 0) dropped.push('parallelToolCalls')
  const said = given(config)
  return Object.keys(said).length > 0 ? said : undefined
}

function format({ format: asked, tools, toolChoice }: ChatRequest, traits: Traits, dropped: string[]): Json {
  if (!asked || asked.type === 'text') return {}
  if (tools.length > 0 && toolChoice !== 'none' && !traits.toolsWithJson)
    throw new Failure('not_translatable', {
      detail: 'This model of Google’s takes tools or an answer in JSON, not both at once (from Gemini 3 on both).',
    })
  const type = { responseMimeType: 'application/json' }
  if (asked.type === 'json') return type
  if (asked.description !== undefined) dropped.push('format.description')
  if (traits.jsonSchema) return { ...type, responseJsonSchema: asked.schema }
  return { ...type, responseSchema: subset(asked.schema, 'format.schema', dropped) }
}

/** Voices of OpenAI's, which are no voices of Google's. */
const VOICES: ReadonlySet<unknown> = new Set(
  'alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse'.split(' '),
)

function modalities({ modalities: asked, audio }: ChatRequest, dropped: string[]): Json {
  if (!asked?.some((it) => it !== 'text')) return {}
  const responseModalities = asked.map((it) => it.toUpperCase())
  if (!asked.includes('audio')) return { responseModalities }
  const form = audio?.['format']
  if (form !== undefined && form !== 'pcm16')
    throw new Failure('not_translatable', {
      detail: `Gemini speaks in pcm16, not in ${typeof form === 'string' ? form : 'another format'} (audio.format).`,
    })
  const voice = audio?.['voice']
  if (typeof voice !== 'string') return { responseModalities }
  if (VOICES.has(voice)) {
    dropped.push('audio.voice')
    return { responseModalities }
  }
  return { responseModalities, speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: voice } } } }
}

function thinking({ reasoning }: ChatRequest, traits: Traits, dropped: string[]): Json | undefined {
  if (!reasoning) return undefined
  const { effort, budget, include } = reasoning
  if (!traits.thinking) {
    // A model that does not think is quiet already.
    if (effort !== undefined && effort !== 'none') dropped.push('reasoning.effort')
    if (budget !== undefined) dropped.push('reasoning.budget')
    return undefined
  }
  // The APIs in which thought has a budget show it unless they are told not to.
  const shown = include ?? (budget === undefined ? undefined : true)
  const config = {
    ...(shown === undefined ? {} : { includeThoughts: shown }),
    ...(traits.thinking === 'level'
      ? levelled(effort, budget, traits, dropped)
      : measured(effort, budget, traits, dropped)),
  }
  return Object.keys(config).length > 0 ? config : undefined
}

type Effort = NonNullable<ChatRequest['reasoning']>['effort']

/** Both at once are refused: what is said in words counts. */
function levelled(effort: Effort, budget: number | undefined, { levels }: Traits, dropped: string[]): Json {
  if (effort === undefined) return budget === undefined ? {} : { thinkingBudget: budget }
  if (budget !== undefined) dropped.push('reasoning.budget')
  // It cannot be told not to think.
  if (effort === 'none') dropped.push('reasoning.effort')
  const wanted = effort === 'xhigh' ? 'high' : effort
  const level: Level | undefined = levels.find((it) => it === wanted) ?? levels[0]
  return { thinkingLevel: level?.toUpperCase() }
}

function measured(effort: Effort, budget: number | undefined, { quiet }: Traits, dropped: string[]): Json {
  if (budget !== undefined) return { thinkingBudget: budget }
  if (effort === undefined) return {}
  if (effort !== 'none') return { thinkingBudget: budgets[effort] }
  if (quiet) return { thinkingBudget: 0 }
  dropped.push('reasoning.effort')
  return { thinkingBudget: 128 } // the least that 2.5 Pro takes
}

/** `tools` and `toolConfig`; empty where there are none. */
export function writeTools({ tools, toolChoice, format }: ChatRequest, traits: Traits, dropped: string[]): Json {
  if (tools.length === 0) return {}
  // Tools that are not to be called say nothing, and stand against an answer in JSON.
  if (toolChoice === 'none' && format && format.type !== 'text' && !traits.toolsWithJson) return {}
  const strict = tools.some((tool) => tool.strict === true)
  // Calls under ANY are held to their schemas anyway.
  const forced = toolChoice === 'required' || typeof toolChoice === 'object'
  const functionDeclarations = tools.map(({ name, description, parameters, strict: wanted, cache }, i) => {
    if (wanted === true && !traits.validates && !forced) dropped.push(`tools.${i}.strict`)
    if (cache !== undefined) dropped.push(`tools.${i}.cache`)
    return {
      name,
      ...(description === undefined ? {} : { description }),
      ...declared(parameters, `tools.${i}.parameters`, traits, dropped),
    }
  })
  const mode = modeOf(toolChoice, strict && traits.validates)
  return {
    tools: [{ functionDeclarations }],
    ...(mode ? { toolConfig: { functionCallingConfig: mode } } : {}),
  }
}

function declared(parameters: Json | undefined, at: string, traits: Traits, dropped: string[]): Json {
  // The older field refuses an object without properties; a function without parameters has none there.
  if (parameters === undefined) return {}
  if (traits.jsonSchema) return { parametersJsonSchema: parameters }
  const schema = subset(parameters, at, dropped)
  const properties = schema['properties']
  return typeof properties === 'object' && properties !== null && Object.keys(properties).length > 0
    ? { parameters: schema }
    : {}
}

function modeOf(choice: ChatRequest['toolChoice'], validated: boolean): Json | undefined {
  if (choice === 'none') return { mode: 'NONE' }
  if (choice === 'required') return { mode: 'ANY' }
  if (typeof choice === 'object') return { mode: 'ANY', allowedFunctionNames: [choice.name] }
  if (validated) return { mode: 'VALIDATED' }
  return choice === 'auto' ? { mode: 'AUTO' } : undefined
}

function subset(schema: Json, at: string, dropped: string[]): Json {
  const lost = new Set<string>()
  const out = toOpenApi(schema, lost)
  for (const keyword of lost) dropped.push(`${at}.${keyword}`)
  return out
}
