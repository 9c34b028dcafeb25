import type { ChatRequest, Effort, Format, Message, Reasoning, Tool } from '../../chat.ts'
import type { Json, Outgoing } from '../dialect.ts'
import type { Options } from './options.ts'
import { writeMessages } from './write-messages.ts'
import { given } from '../given.ts'

/** Sampling that models which think refuse: https://platform.openai.com/docs/guides/reasoning */
const UNTHINKABLE = [
  'top_p',
  'frequency_penalty',
  'presence_penalty',
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'stop',
] as const
const TIERS = new Set(['auto', 'default', 'flex', 'priority', 'scale'])
const MOST_STOPS = 4

/** A chat request in OpenAI's words: https://platform.openai.com/docs/api-reference/chat/create */
export function writeRequest(request: ChatRequest, model: string, options: Options): Outgoing {
  const dropped: string[] = []
  const effort = effortOf(request.reasoning, model, options, dropped)
  const last = request.messages.at(-1)
  if (options.anew && last?.role === 'assistant' && last.content.some(({ type }) => type === 'text'))
    dropped.push(`messages.${request.messages.length - 1}.prefill`)
  // From gpt-5.1 on, a model that is told not to think is sampled as any other.
  const thinks = options.thinks(model) && !(effort === 'none' && /gpt-5\.\d/.test(model))
  const body: Record<string, unknown> = {
    model,
    messages: asksForJson(writeMessages(request.messages, options, dropped), request.format),
    ...toolsOf(request),
    [options.maxTokens(model)]: request.maxTokens,
    temperature: request.temperature,
    top_p: request.topP,
    top_k: request.topK,
    stop: request.stop?.slice(0, MOST_STOPS),
    n: request.n,
    seed: request.seed,
    frequency_penalty: request.frequencyPenalty,
    presence_penalty: request.presencePenalty,
    logprobs: request.logprobs,
    top_logprobs: request.topLogprobs,
    logit_bias: request.logitBias,
    response_format: formatOf(request.format),
    reasoning_effort: effort,
    // Sound never comes without its words, and needs a voice.
    modalities: request.modalities && [...new Set(['text', ...request.modalities])],
    audio: request.audio && { voice: 'alloy', ...request.audio },
    user: request.user,
    metadata: request.metadata,
    service_tier: request.serviceTier,
    ...(request.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  }
  const drop = (name: string, canonical = name): void => {
    if (body[name] === undefined) return
    delete body[name]
    dropped.push(canonical)
  }
  if (thinks) {
    for (const name of UNTHINKABLE) drop(name)
    if (request.temperature !== 1) drop('temperature')
  }
  if (!options.extras) drop('top_k')
  if ((request.stop?.length ?? 0) > MOST_STOPS && body['stop']) dropped.push(`stop.${MOST_STOPS}`)
  if (body['stop'] && request.stop?.length === 0) delete body['stop']
  if (request.serviceTier !== undefined && !TIERS.has(request.serviceTier)) drop('service_tier')
  if (request.tools.some(({ cache }) => cache) && !options.extras) dropped.push('tools.cache')
  return { path: '/chat/completions', body: given(body), dropped }

  function toolsOf({ tools, toolChoice, parallelToolCalls }: ChatRequest): Json {
    // A choice among no tools is refused.
    if (tools.length === 0) return {}
    return {
      tools: tools.map((tool) => writeTool(tool, options.extras)),
      tool_choice: typeof toolChoice === 'object' ? { type: 'function', function: toolChoice } : toolChoice,
      parallel_tool_calls: parallelToolCalls,
    }
  }
}

function writeTool({ name, description, parameters, strict, cache }: Tool, extras: boolean): Json {
  const mark = cache && extras ? { cache_control: { type: 'ephemeral', ...(cache === '1h' ? { ttl: '1h' } : {}) } } : {}
  return { type: 'function', function: given({ name, description, parameters, strict }), ...mark }
}

function formatOf(format: Format | undefined): Json | undefined {
  if (format?.type === 'json') return { type: 'json_object' }
  if (format?.type !== 'schema') return format
  const { type: _, ...schema } = format
  return { type: 'json_schema', json_schema: schema }
}

/** OpenAI takes the mode for JSON only where the word stands in the conversation; other APIs need no such word. */
function asksForJson(messages: readonly Json[], format: Format | undefined): readonly Json[] {
  if (format?.type !== 'json' || /json/i.test(JSON.stringify(messages.map(({ content }) => content)))) return messages
  // Before the conversation: some servers want the user's word, or a tool's, to be the last.
  const begins = messages.findIndex(({ role }) => role !== 'system')
  return messages.toSpliced(begins < 0 ? messages.length : begins, 0, {
    role: 'system' satisfies Message['role'],
    content: 'Answer in JSON.',
  })
}

/** How hard to think; a budget of tokens becomes the effort that takes about as many. */
function effortOf(
  reasoning: Reasoning | undefined,
  model: string,
  options: Options,
  dropped: string[],
): Effort | undefined {
  if (!reasoning) return undefined
  const { effort, budget, include } = reasoning
  const thinks = options.thinks(model)
  // OpenAI's own chat never shows what a model thought, and others always do.
  if (include === (options.anew === true) && (thinks || options.effort)) dropped.push('reasoning.include')
  if (thinks || (options.effort && effort !== undefined)) {
    const wanted = effort ?? (budget === undefined ? undefined : nearest(budget))
    const said = wanted && among(wanted, options.efforts?.(model) ?? EFFORTS)
    if (said !== wanted) dropped.push('reasoning.effort')
    return said
  }
  // Not to think is what a model that cannot does anyway.
  if (budget !== undefined || (effort !== undefined && effort !== 'none')) dropped.push('reasoning')
  return undefined
}

const EFFORTS: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh']

/** The effort itself where it is among those, else the next harder one, else the hardest. */
function among(wanted: Effort, efforts: readonly Effort[]): Effort | undefined {
  const harder = EFFORTS.slice(EFFORTS.indexOf(wanted)).find((it) => efforts.includes(it))
  return harder ?? efforts.at(-1)
}

function nearest(budget: number): Effort {
  if (budget === 0) return 'none'
  return budget <= 2048 ? 'low' : budget <= 12_288 ? 'medium' : 'high'
}
