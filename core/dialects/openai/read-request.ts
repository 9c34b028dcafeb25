import type { ChatRequest, Format, Reasoning, Tool } from '../../chat.ts'
import type { Asked as PathAsked, Json } from '../dialect.ts'
import { object, text } from '../request-fields.ts'
import { Asked, wrong } from './asked.ts'
import { cacheOf, readMessages } from './read-messages.ts'
import { given } from '../given.ts'
import type { Draft } from '../given.ts'

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const

/**
 * Reads a chat request of OpenAI's dialect: https://platform.openai.com/docs/api-reference/chat/create, with what its servers take besides
 * (`top_k`, OpenRouter's `reasoning`, Anthropic's `cache_control`). Throws `invalid_request`.
 */
export function readRequest(body: Json, path: PathAsked): ChatRequest {
  const asked = new Asked(body)
  if (asked.any('functions') !== undefined || asked.any('function_call') !== undefined)
    throw wrong('"functions" and "function_call" are of an API that is no more: use "tools" and "tool_choice".')
  const messages = readMessages(asked.objects('messages'))
  const { tools, toolChoice } = readTools(asked)
  const stream = path.stream ?? asked.flag('stream') ?? false
  if (asked.flag('store')) asked.leave('store')
  const [user, safety] = [asked.text('user'), asked.text('safety_identifier')]
  const request: Draft<ChatRequest> = {
    model: path.model ?? asked.need('model'),
    messages,
    tools,
    toolChoice,
    parallelToolCalls: asked.flag('parallel_tool_calls'),
    maxTokens: asked.whole('max_completion_tokens', 1) ?? asked.whole('max_tokens', 1),
    temperature: asked.number('temperature', 0, 2),
    topP: asked.number('top_p', 0, 1),
    topK: asked.whole('top_k', 0),
    stop: readStop(asked),
    n: asked.whole('n', 1, 128),
    seed: asked.whole('seed'),
    frequencyPenalty: asked.number('frequency_penalty', -2, 2),
    presencePenalty: asked.number('presence_penalty', -2, 2),
    logprobs: asked.flag('logprobs'),
    topLogprobs: asked.whole('top_logprobs', 0, 20),
    logitBias: readBias(asked),
    format: readFormat(asked),
    reasoning: readReasoning(asked),
    modalities: asked.list('modalities')?.map((it, i) => text(it, `modalities.${i}`)),
    audio: asked.object('audio'),
    user: user ?? safety,
    metadata: readMetadata(asked),
    serviceTier: asked.text('service_tier'),
    stream,
    includeUsage: readStreamOptions(asked) ?? false,
    unread: [],
  }
  asked.any('max_tokens')
  if (request.topLogprobs !== undefined && !request.logprobs) throw wrong('"top_logprobs" needs "logprobs": true.')
  if (user !== undefined && user !== safety) asked.leave('safety_identifier')
  request.unread = asked.unread
  return given(request)
}

/** Whether the usage of the stream is wanted. */
export function readStreamOptions(asked: Asked): boolean | undefined {
  if (asked.any('stream_options') === undefined) return undefined
  const options = asked.within('stream_options')
  readObfuscation(options)
  return options.flag('include_usage')
}

/** Padding against eavesdroppers who count bytes: there is none, which is what some ask for. */
export function readObfuscation(options: Asked): void {
  if (options.flag('include_obfuscation')) options.leave('include_obfuscation')
}

export function readStop(asked: Asked): readonly string[] | undefined {
  const value = asked.any('stop')
  if (value === undefined) return undefined
  return Array.isArray(value) ? value.map((it, i) => text(it, `stop.${i}`)) : [text(value, 'stop')]
}

export function readBias(asked: Asked): Readonly<Record<string, number>> | undefined {
  const bias = asked.object('logit_bias')
  if (!bias) return undefined
  const read = new Asked(bias, 'logit_bias')
  return Object.fromEntries(Object.keys(bias).map((token) => [token, read.number(token, -100, 100) ?? 0]))
}

function readMetadata(asked: Asked): Readonly<Record<string, string>> | undefined {
  const metadata = asked.object('metadata')
  return (
    metadata &&
    Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, text(value, `metadata.${key}`)]))
  )
}

interface Tools {
  readonly tools: readonly Tool[]
  readonly toolChoice: ChatRequest['toolChoice']
}

function readTools(asked: Asked): Tools {
  const tools = asked.objects('tools').flatMap((it): readonly Tool[] => {
    const type = it.text('type') ?? 'function'
    if (type !== 'function') {
      // A tool that only its provider has: the model goes without.
      it.leaveAll(it.path(type))
      return []
    }
    const fn = it.within('function')
    return [{ ...readFunction(fn), ...cacheOf(it) }]
  })
  const choice = asked.any('tool_choice')
  if (choice === undefined) return { tools, toolChoice: undefined }
  if (typeof choice === 'string') return { tools, toolChoice: asked.word('tool_choice', 'auto', 'none', 'required') }
  const it = asked.within('tool_choice')
  if (it.text('type') === 'allowed_tools') return allowed(it.within('allowed_tools'), tools)
  return { tools, toolChoice: { name: it.within('function').need('name') } }
}

/** A function as OpenAI's chat and Responses have it. */
export function readFunction(asked: Asked): Tool {
  const [description, parameters, strict] = [
    asked.text('description'),
    asked.object('parameters'),
    asked.flag('strict'),
  ]
  return {
    name: asked.need('name'),
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(strict === undefined ? {} : { strict }),
  }
}

/** A choice among some of the tools: the others are left out, which says the same to a model. */
function allowed(asked: Asked, tools: readonly Tool[]): Tools {
  const names = new Set(
    asked
      .objects('tools')
      .map((it) => (it.any('function') === undefined ? it.text('name') : it.within('function').need('name'))),
  )
  return {
    tools: tools.filter(({ name }) => names.has(name)),
    toolChoice: asked.word('mode', 'auto', 'required') ?? 'auto',
  }
}

function readFormat(asked: Asked): Format | undefined {
  if (asked.any('response_format') === undefined) return undefined
  const format = asked.within('response_format')
  const type = format.word('type', 'text', 'json_object', 'json_schema')
  if (type === 'json_object') return { type: 'json' }
  return type === 'json_schema' ? readSchema(format.within('json_schema')) : { type: 'text' }
}

/** A named schema as OpenAI's chat and Responses have it. */
export function readSchema(asked: Asked): Format {
  const [description, strict] = [asked.text('description'), asked.flag('strict')]
  return {
    type: 'schema',
    name: asked.need('name'),
    ...(description === undefined ? {} : { description }),
    schema: object(asked.any('schema'), asked.path('schema')),
    ...(strict === undefined ? {} : { strict }),
  }
}

function readReasoning(asked: Asked): Reasoning | undefined {
  const effort = asked.word('reasoning_effort', ...EFFORTS)
  if (asked.any('reasoning') === undefined) return effort === undefined ? undefined : { effort }
  const it = asked.within('reasoning')
  const budget = it.whole('max_tokens', 0)
  const exclude = it.flag('exclude')
  const named = effort ?? it.word('effort', ...EFFORTS) ?? (it.flag('enabled') === false ? 'none' : undefined)
  return {
    ...(named === undefined ? {} : { effort: named }),
    ...(budget === undefined ? {} : { budget }),
    ...(exclude === undefined ? {} : { include: !exclude }),
  }
}
