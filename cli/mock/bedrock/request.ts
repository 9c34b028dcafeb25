import type { Callable, Prompt } from '../mind.ts'
import { isRecord } from '../text.ts'
import { asObject, constraint, listAt, need, numberAt, objectAt, textAt, unionOf, wordAt } from './fields.ts'
import { conversationOf, type Heard } from './messages.ts'
import { type Body, invalid, onlyKnown } from './words.ts'

const KNOWN =
  'messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables ' +
  'additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig'

export interface Asked extends Omit<Prompt, 'voice'> {
  readonly heard: Heard
  /** The answer is to say which stop sequence ended it. */
  readonly tellsSequence: boolean
}

/** Checks a request of Converse: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
export function requestOf(body: Body, model: string): Asked {
  onlyKnown(body, KNOWN, '')
  const heard = conversationOf(body)
  const tools = toolsOf(objectAt(body, 'toolConfig', ''), heard)
  if (heard.cachePoints + tools.cachePoints > 4)
    throw invalid('The model returned the following errors: A maximum of 4 blocks with cache_control may be provided.')
  const claude = /claude/.test(model)
  if (!claude && !/nova/.test(model) && heard.cachePoints + tools.cachePoints > 0)
    throw invalid(
      'You invoked an unsupported model or your request did not allow prompt caching.',
      'AccessDeniedException',
      403,
    )
  const config = objectAt(body, 'inferenceConfig', '') ?? {}
  onlyKnown(config, 'maxTokens temperature topP stopSequences', 'inferenceConfig')
  const limit = numberAt(config, 'maxTokens', 'inferenceConfig', 1, 1_000_000)
  const temperature = numberAt(config, 'temperature', 'inferenceConfig', 0, 1)
  const topP = numberAt(config, 'topP', 'inferenceConfig', 0, 1)
  if (/claude-(opus|sonnet|haiku)-4-[1-9]/.test(model) && temperature !== undefined && topP !== undefined)
    throw invalid(
      'The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model. Please use only one.',
    )
  const stop = (listAt(config, 'stopSequences', 'inferenceConfig') ?? []).map((it, i) => {
    if (typeof it !== 'string' || it.trim() === '')
      throw constraint(`inferenceConfig.stopSequences.${i}`, it, 'Member must have length greater than or equal to 1')
    return it
  })
  const last = heard.turns.at(-1)
  if (claude && last?.role === 'assistant' && /\s$/.test(last.text))
    throw invalid(
      'The model returned the following errors: messages: final assistant content cannot end with trailing whitespace',
    )
  metadataOf(body)
  const thinking = additionalOf(objectAt(body, 'additionalModelRequestFields', '') ?? {}, model)
  if (thinking && tools.must !== undefined)
    throw invalid(
      'The model returned the following errors: Thinking may not be enabled when tool_choice forces tool use.',
    )
  if (thinking && temperature !== undefined && temperature !== 1)
    throw invalid(
      'The model returned the following errors: `temperature` may only be set to 1 when thinking is enabled.',
    )
  if (thinking?.budget !== undefined && limit !== undefined && thinking.budget >= limit)
    throw invalid(
      'The model returned the following errors: `max_tokens` must be greater than `thinking.budget_tokens`.',
    )
  const paths = listAt(body, 'additionalModelResponseFieldPaths', '') ?? []
  if (paths.some((it) => typeof it !== 'string' || !it.startsWith('/')))
    throw invalid('Invalid JSON Pointer in additionalModelResponseFieldPaths.')
  return {
    turns: heard.turns,
    heard,
    tools: tools.tools,
    must: tools.must,
    json: schemaOf(objectAt(body, 'outputConfig', '')),
    limit,
    stop,
    think: thinking ? 4 : 0,
    tellsSequence: paths.includes('/stop_sequence'),
  }
}

interface Tools {
  readonly tools: readonly Callable[]
  readonly must: Prompt['must']
  readonly cachePoints: number
}

function toolsOf(config: Body | undefined, { tools: history }: Heard): Tools {
  if (!config) {
    if (history) throw invalid('The toolConfig field must be defined when using toolUse and toolResult content blocks.')
    return { tools: [], must: undefined, cachePoints: 0 }
  }
  onlyKnown(config, 'tools toolChoice', 'toolConfig')
  const list = need(listAt(config, 'tools', 'toolConfig'), 'toolConfig.tools')
  let cachePoints = 0
  const tools = list.flatMap((value, i): readonly Callable[] => {
    const at = `toolConfig.tools.${i}`
    const { kind, body } = unionOf(asObject(value, at), 'toolSpec cachePoint systemTool', at)
    if (kind === 'toolSpec') return [toolOf(asObject(body, `${at}.toolSpec`), `${at}.toolSpec`)]
    if (kind === 'cachePoint') {
      need(wordAt(asObject(body, at), 'type', at, 'default'), `${at}.cachePoint.type`)
      cachePoints++
    }
    return []
  })
  if (tools.length === 0)
    throw constraint('toolConfig.tools', '[]', 'Member must have length greater than or equal to 1')
  if (new Set(tools.map(({ name }) => name)).size < tools.length)
    throw invalid('The toolConfig.tools contains duplicate tool names.')
  const choice = objectAt(config, 'toolChoice', 'toolConfig')
  if (!choice) return { tools, must: undefined, cachePoints }
  const { kind, body } = unionOf(choice, 'auto any tool', 'toolConfig.toolChoice')
  if (kind !== 'tool') return { tools, must: kind === 'any' ? 'any' : undefined, cachePoints }
  const name = need(textAt(asObject(body, 'toolConfig.toolChoice.tool'), 'name', ''), 'toolConfig.toolChoice.tool.name')
  if (!tools.some((tool) => tool.name === name))
    throw invalid(`The tool name ${name} at toolConfig.toolChoice.tool is not one of toolConfig.tools.`)
  return { tools, must: { name }, cachePoints }
}

function toolOf(spec: Body, at: string): Callable {
  onlyKnown(spec, 'name description inputSchema strict', at)
  const name = need(textAt(spec, 'name', at), `${at}.name`)
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name))
    throw constraint(`${at}.name`, name, 'Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+')
  if (textAt(spec, 'description', at) === '')
    throw constraint(`${at}.description`, '', 'Member must have length greater than or equal to 1')
  const input = need(objectAt(spec, 'inputSchema', at), `${at}.inputSchema`)
  onlyKnown(input, 'json', `${at}.inputSchema`)
  const schema = need(objectAt(input, 'json', at), `${at}.inputSchema.json`)
  if (schema['type'] !== 'object')
    throw invalid(`The value at ${at}.inputSchema.json.type must be one of the following: object.`)
  return { name, schema }
}

function schemaOf(config: Body | undefined): Prompt['json'] {
  if (!config) return undefined
  onlyKnown(config, 'textFormat', 'outputConfig')
  const at = 'outputConfig.textFormat'
  const format = need(objectAt(config, 'textFormat', 'outputConfig'), at)
  need(wordAt(format, 'type', at, 'json_schema'), `${at}.type`)
  const structure = need(objectAt(format, 'structure', at), `${at}.structure`)
  const definition = need(objectAt(structure, 'jsonSchema', at), `${at}.structure.jsonSchema`)
  onlyKnown(definition, 'schema name description', `${at}.structure.jsonSchema`)
  try {
    const schema: unknown = JSON.parse(need(textAt(definition, 'schema', at), `${at}.schema`))
    if (isRecord(schema) && schema['type'] === 'object' && schema['additionalProperties'] === false) return { schema }
  } catch {
    // Said below.
  }
  throw invalid(
    "The model returned the following errors: output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
  )
}

interface Thinking {
  readonly budget?: number
}

/** What a model takes besides; the members are its own, and it refuses others. */
function additionalOf(fields: Body, model: string): Thinking | undefined {
  const at = 'additionalModelRequestFields'
  if (/claude/.test(model)) {
    onlyKnown(fields, 'thinking top_k output_config anthropic_beta', at)
    numberAt(fields, 'top_k', at, 0, 500)
    const thinking = objectAt(fields, 'thinking', at)
    const type =
      thinking &&
      need(wordAt(thinking, 'type', `${at}.thinking`, 'enabled', 'disabled', 'adaptive'), `${at}.thinking.type`)
    if (type === 'adaptive') return {}
    return type === 'enabled'
      ? {
          budget: need(
            numberAt(thinking ?? {}, 'budget_tokens', `${at}.thinking`, 1024, 1e6),
            `${at}.thinking.budget_tokens`,
          ),
        }
      : undefined
  }
  if (/nova-2/.test(model)) {
    onlyKnown(fields, 'inferenceConfig reasoningConfig', at)
    return objectAt(fields, 'reasoningConfig', at) ? {} : undefined
  }
  if (/nova/.test(model)) onlyKnown(fields, 'inferenceConfig', at)
  else if (/gpt-oss/.test(model)) onlyKnown(fields, 'reasoning_effort', at)
  else if (/qwen/.test(model)) onlyKnown(fields, 'reasoning_config', at)
  else if (/cohere/.test(model)) onlyKnown(fields, 'k seed frequency_penalty presence_penalty', at)
  else onlyKnown(fields, '', at)
  return 'reasoning_effort' in fields || 'reasoning_config' in fields ? {} : undefined
}

function metadataOf(body: Body): void {
  const metadata = objectAt(body, 'requestMetadata', '') ?? {}
  for (const [name, value] of Object.entries(metadata))
    if (!/^[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}$/.test(name) || !/^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$/.test(String(value)))
      throw constraint(
        'requestMetadata',
        `${name}=${String(value)}`,
        'Map keys and values must satisfy regular expression pattern: [a-zA-Z0-9\\s:_@$#=/+,-.]{1,256}',
      )
  const tier = objectAt(body, 'serviceTier', '')
  if (tier) need(wordAt(tier, 'type', 'serviceTier', 'priority', 'default', 'flex', 'reserved'), 'serviceTier.type')
}
