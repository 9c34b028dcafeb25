import type { ChatRequest, Effort, Format, Reasoning, Tool } from '../../chat.ts'
import { Asked, isObject, wrong } from '../openai/asked.ts'
import type { Asked as Path, Json } from '../dialect.ts'
import { object, text } from '../request-fields.ts'
import { readMessages } from './read-messages.ts'
import { kindOf, markLast, readCachePoint } from './read-parts.ts'

/** A Converse request in the canonical form. `path` says the model and whether to stream. Throws `invalid_request`, `not_translatable`. */
export function readRequest(sent: Json, path: Path): ChatRequest {
  const body = new Asked(sent)
  const messages = readMessages(body)
  if (messages.every(({ role }) => role === 'system')) throw wrong('"messages" must be a list of at least one message.')
  const inference = part(body, 'inferenceConfig')
  const tools = readTools(part(body, 'toolConfig'))
  const metadata = readMetadata(body)
  const tier = part(body, 'serviceTier').text('type')
  const stop = inference.list('stopSequences')?.map((it, i) => {
    if (typeof it !== 'string') throw wrong(`"inferenceConfig.stopSequences.${i}" must be a string.`)
    return it
  })
  const output = part(body, 'outputConfig')
  const format = readFormat(output)
  // It is asked for in the answer of every format that says it.
  const paths = body.list('additionalModelResponseFieldPaths')?.filter((it) => it !== '/stop_sequence') ?? []
  if (paths.length > 0) body.leave('additionalModelResponseFieldPaths')
  const request = {
    model: path.model ?? '',
    messages,
    ...tools,
    ...given('maxTokens', inference.whole('maxTokens', 1)),
    ...given('temperature', inference.number('temperature', 0, 1)),
    ...given('topP', inference.number('topP', 0, 1)),
    ...given('stop', stop),
    ...given('format', format),
    ...given('metadata', metadata),
    ...given('serviceTier', tier),
    ...readFields(part(body, 'additionalModelRequestFields'), output.text('effort')),
    stream: path.stream ?? false,
    includeUsage: true,
  }
  return { ...request, unread: body.unread }
}

function readMetadata(body: Asked): Readonly<Record<string, string>> | undefined {
  const metadata = body.object('requestMetadata')
  return (
    metadata &&
    Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, text(value, `requestMetadata.${name}`)]))
  )
}

/** A member that is an object, or an empty one in its place. */
function part(body: Asked, name: string): Asked {
  return body.any(name) === undefined ? new Asked({}) : body.within(name)
}

function given<N extends string, T>(name: N, value: T | undefined): { readonly [name in N]?: T } {
  // A computed name is any string to the compiler.
  return (value === undefined ? {} : { [name]: value }) as { readonly [name in N]?: T }
}

function readTools(config: Asked): Pick<ChatRequest, 'tools' | 'toolChoice'> {
  const tools: Tool[] = []
  for (const block of config.objects('tools')) {
    const kind = kindOf(block, 'toolSpec', 'cachePoint', 'systemTool')
    if (kind === 'cachePoint') markLast(tools, readCachePoint(block))
    else if (kind === 'systemTool') block.leaveAll(block.path('systemTool'))
    else tools.push(readTool(block.within('toolSpec')))
  }
  if (config.any('toolChoice') === undefined) return { tools }
  const asked = config.within('toolChoice')
  const kind = kindOf(asked, 'auto', 'any', 'tool')
  return {
    tools,
    toolChoice: kind === 'auto' ? 'auto' : kind === 'any' ? 'required' : { name: asked.within('tool').need('name') },
  }
}

function readTool(spec: Asked): Tool {
  const description = spec.text('description')
  const strict = spec.flag('strict')
  return {
    name: spec.need('name'),
    ...given('description', description),
    parameters: object(spec.within('inputSchema').any('json'), spec.path('inputSchema.json')),
    ...given('strict', strict),
  }
}

function readFormat(config: Asked): Format | undefined {
  if (config.any('textFormat') === undefined) return undefined
  const format = config.within('textFormat')
  format.word('type', 'json_schema')
  const definition = format.within('structure').within('jsonSchema')
  const schema = parsed(definition.need('schema'))
  if (!isObject(schema)) throw wrong(`"${definition.path('schema')}" must be the JSON text of a schema.`)
  return {
    type: 'schema',
    name: definition.text('name') ?? 'answer',
    ...given('description', definition.text('description')),
    schema,
    strict: true,
  }
}

const efforts: Readonly<Record<string, Effort>> = {
  none: 'none',
  minimal: 'minimal',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'xhigh',
}

/**
 * What apps say in `additionalModelRequestFields` in the words of one model or another, as far as it has a meaning for all. `asked`: the
 * effort that Converse itself was told.
 */
function readFields(fields: Asked, asked: string | undefined): Partial<ChatRequest> {
  const thinking = part(fields, 'thinking')
  const mode = thinking.text('type')
  const budget = thinking.whole('budget_tokens', 1)
  const shown = thinking.text('display')
  const config = fields.any('reasoning_config')
  const nova = part(fields, 'reasoningConfig')
  const output = part(fields, 'output_config')
  const inference = part(fields, 'inferenceConfig')
  const own = output.text('effort') ?? fields.text('reasoning_effort') ?? nova.text('maxReasoningEffort')
  const word = own ?? (typeof config === 'string' ? config : asked)
  const off = mode === 'disabled' || nova.text('type') === 'disabled'
  const said = word ?? (mode === 'adaptive' ? 'high' : undefined)
  const effort = off ? 'none' : said === undefined ? undefined : efforts[said]
  if (word !== undefined && effort === undefined)
    throw wrong(`The effort ${JSON.stringify(word)} must be one of ${Object.keys(efforts).join(', ')}.`)
  const reasoning: Reasoning | undefined =
    effort === undefined && budget === undefined && mode !== 'enabled'
      ? undefined
      : {
          ...given('effort', effort),
          ...given('budget', budget),
          ...(effort === 'none' ? {} : { include: shown !== 'omitted' }),
        }
  const topK = fields.whole('top_k', 0) ?? fields.whole('k', 0) ?? inference.whole('topK', 0)
  const seed = fields.whole('seed')
  return { ...given('reasoning', reasoning), ...given('topK', topK), ...given('seed', seed) }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
