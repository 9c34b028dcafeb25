import type { ChatRequest, Tool } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import type { Outgoing, TargetContext } from '../dialect.ts'
import { writeMessages } from './write-messages.ts'

const STOPS = 5

/** The body of `POST /v2/chat`: https://docs.cohere.com/reference/chat. Throws `not_translatable`. */
export function writeRequest(request: ChatRequest, { model }: TargetContext): Outgoing {
  const dropped: string[] = []
  const limited = (name: string, value: number | undefined, least: number, most: number): number | undefined => {
    if (value === undefined || (value >= least && value <= most)) return value
    dropped.push(name)
    return Math.min(most, Math.max(least, value))
  }
  const messages = writeMessages(request.messages, dropped)
  const tools = writeTools(request, dropped)
  const { stop = [], frequencyPenalty, presencePenalty } = request
  if (stop.length > STOPS) dropped.push(`stop.${STOPS}`)
  if ((request.n ?? 1) > 1) dropped.push('n')
  // The API refuses both at once.
  const both = Boolean(frequencyPenalty) && Boolean(presencePenalty)
  if (both) dropped.push('presencePenalty')
  for (const name of ['logitBias', 'topLogprobs', 'user', 'metadata', 'serviceTier'] as const)
    if (request[name] !== undefined) dropped.push(name)
  if (request.parallelToolCalls === false && tools) dropped.push('parallelToolCalls')
  refuseOthers(request)
  const body = {
    model,
    messages,
    ...tools,
    response_format: writeFormat(request, tools !== undefined, dropped),
    max_tokens: request.maxTokens,
    stop_sequences: stop.length > 0 ? stop.slice(0, STOPS) : undefined,
    temperature: limited('temperature', request.temperature, 0, 1),
    seed: request.seed,
    // 0 is the default.
    frequency_penalty: limited('frequencyPenalty', frequencyPenalty || undefined, 0, 1),
    presence_penalty: both ? undefined : limited('presencePenalty', presencePenalty || undefined, 0, 1),
    k: limited('topK', request.topK, 0, 500),
    p: limited('topP', request.topP, 0.01, 0.99),
    logprobs: request.logprobs,
    thinking: writeThinking(request, dropped),
    stream: request.stream,
  }
  return { path: '/v2/chat', body, dropped }
}

function refuseOthers({ modalities }: ChatRequest): void {
  const other = modalities?.find((it) => it !== 'text')
  if (other) throw new Failure('not_translatable', { detail: `Cohere answers in text, not ${other}.` })
}

/** A choice of one tool is the obligation to call one, of that one alone. */
function writeTools({ tools, toolChoice, format }: ChatRequest, dropped: string[]): object | undefined {
  // Those that may not be called would only be in the way of a format, see below.
  if (toolChoice === 'none' && format && format.type !== 'text') return undefined
  const chosen = typeof toolChoice === 'object' ? tools.filter(({ name }) => name === toolChoice.name) : tools
  if (chosen.length === 0) return undefined
  const strict = chosen.every((tool) => tool.strict === true)
  tools.forEach((tool, i) => {
    if (tool.cache !== undefined) dropped.push(`tools.${i}.cache`)
    if (tool.strict === true && !strict) dropped.push(`tools.${i}.strict`)
  })
  const must = toolChoice === 'required' || typeof toolChoice === 'object'
  return {
    tools: chosen.map(writeTool),
    strict_tools: strict ? true : undefined,
    tool_choice: must ? 'REQUIRED' : toolChoice === 'none' ? 'NONE' : undefined,
  }
}

function writeTool({ name, description, parameters = { type: 'object', properties: {} } }: Tool): unknown {
  return { type: 'function', function: { name, description, parameters } }
}

/** Structured output and tools exclude each other: https://docs.cohere.com/docs/structured-outputs. */
function writeFormat({ format }: ChatRequest, tools: boolean, dropped: string[]): unknown {
  if (!format || format.type === 'text') return undefined
  if (tools) throw new Failure('not_translatable', { detail: 'Cohere takes response_format or tools, not both.' })
  if (format.type === 'json') return { type: 'json_object' }
  if (format.description !== undefined) dropped.push('format.description')
  return { type: 'json_object', json_schema: format.schema }
}

/** Thought is on or off, with a budget; there are no degrees. */
function writeThinking({ reasoning }: ChatRequest, dropped: string[]): unknown {
  if (!reasoning) return undefined
  const { effort, budget, include } = reasoning
  if (effort === 'none') return { type: 'disabled' }
  if (effort === undefined && budget === undefined && !include) return undefined
  if (effort !== undefined && budget === undefined) dropped.push('reasoning.effort')
  if (include === false) dropped.push('reasoning.include')
  return { type: 'enabled', token_budget: budget }
}
