import type { ChatRequest } from '../../chat.ts'
import { writeForm } from '../anthropic/write-format.ts'
import type { Json, Outgoing, TargetContext } from '../dialect.ts'
import { settleCachePoints } from './cache-points.ts'
import { traitsOf } from './model-traits.ts'
import { writeInference } from './write-inference.ts'
import { writeMessages } from './write-messages.ts'
import { Writing } from './write-parts.ts'
import { writeThought } from './write-thought.ts'
import { writeTools } from './write-tools.ts'

/** Fields of a request that the API has no word for. */
const wordless = ['logprobs', 'topLogprobs', 'logitBias', 'audio', 'user'] as const

/**
 * The body of a Converse request (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html) and what could not be
 * said in it. Throws `not_translatable`.
 */
export function writeRequest(request: ChatRequest, { model, capabilities }: TargetContext): Omit<Outgoing, 'path'> {
  const traits = traitsOf(model)
  const writing = new Writing(traits)
  const { dropped } = writing
  dropped.push(...wordless.filter((name) => request[name] !== undefined && request[name] !== false))
  if ((request.n ?? 1) > 1) dropped.push('n')
  if (request.modalities?.some((modality) => modality !== 'text')) dropped.push('modalities')
  const form = writeForm(request, traits.model)
  const { system, turns } = writeMessages(request.messages, capabilities.prefill ?? traits.model.prefill, writing)
  const config = writeTools(request, turns, form.tool, writing)
  if (form.words !== undefined) system.push({ text: form.words })
  const lists = [...(config ? [config.tools] : []), system, ...turns.map(({ content }) => content)]
  if (settleCachePoints(lists, traits.claude && traits.model.schemas)) dropped.push('cache')
  const most = capabilities.maxOutputTokens
  const maxTokens = bounded(request.maxTokens, most, dropped)
  const { fields, on, ...thought } = writeThought(request, traits, turns, {
    maxTokens: maxTokens ?? most ?? traits.model.maxTokens,
    forced: config?.forced ?? false,
  })
  const inference = writeInference(request, traits, maxTokens, on, dropped)
  const { inferenceConfig } = inference
  const body = {
    messages: turns,
    ...some('system', system),
    ...some('inferenceConfig', inferenceConfig),
    ...(config ? { toolConfig: { tools: config.tools, ...(config.choice ? { toolChoice: config.choice } : {}) } } : {}),
    ...some('additionalModelRequestFields', { ...fields, ...inference.fields }),
    // Converse says that a stop sequence ended the answer, but not which: Claude says it where it is asked.
    ...(traits.claude && 'stopSequences' in inferenceConfig
      ? { additionalModelResponseFieldPaths: [STOP_SEQUENCE] }
      : {}),
    ...(form.format ? { outputConfig: outputConfig(request, form.format) } : {}),
    ...metadata(request, dropped),
    ...serviceTier(request, dropped),
  }
  return { body, dropped: [...dropped, ...form.dropped, ...thought.dropped] }
}

const STOP_SEQUENCE = '/stop_sequence'

/** A member, where there is something in it. */
function some(name: string, value: object): Json {
  return Object.keys(value).length > 0 ? { [name]: value } : {}
}

function bounded(asked: number | undefined, most: number | undefined, dropped: string[]): number | undefined {
  if (asked === undefined || most === undefined || asked <= most) return asked
  dropped.push('maxTokens')
  return most
}

function outputConfig({ format }: ChatRequest, { schema }: Json): Json {
  const named = format?.type === 'schema' ? format : undefined
  const jsonSchema = {
    schema: JSON.stringify(schema),
    ...(named ? { name: named.name } : {}),
    ...(named?.description === undefined ? {} : { description: named.description }),
  }
  return { textFormat: { type: 'json_schema', structure: { jsonSchema } } }
}

const MOST_METADATA = 16
/** Names of 1–256 of these characters, values of up to 256. */
const WORDS = /^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$/

function metadata({ metadata: given }: ChatRequest, dropped: string[]): Json {
  const entries = Object.entries(given ?? {})
  const fit = entries.filter(
    ([name, value], i) => i < MOST_METADATA && name !== '' && WORDS.test(name) && WORDS.test(value),
  )
  if (fit.length < entries.length) dropped.push('metadata')
  return some('requestMetadata', Object.fromEntries(fit))
}

const tiers: ReadonlySet<string> = new Set(['default', 'flex', 'priority', 'reserved'])

function serviceTier({ serviceTier: tier }: ChatRequest, dropped: string[]): Json {
  if (tier === undefined || tier === 'auto') return {}
  if (tiers.has(tier)) return { serviceTier: { type: tier } }
  dropped.push('serviceTier')
  return {}
}
