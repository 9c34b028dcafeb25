import type { ChatRequest, Format, Message, Reasoning, Tool } from '../../chat.ts'
import { Failure } from '../../errors.ts'
import type { Asked as PathAsked, Json } from '../dialect.ts'
import { Asked } from '../openai/asked.ts'
import { readFunction, readObfuscation, readSchema } from '../openai/read-request.ts'
import { text } from '../request-fields.ts'
import { readCustomTool } from './custom-tool.ts'
import { readInput } from './read-input.ts'
import { given } from '../given.ts'
import type { Draft } from '../given.ts'

/** What needs a provider that keeps responses, and what to do without. */
const kept: Readonly<Record<string, string>> = {
  previous_response_id: 'send the conversation in "input"',
  conversation: 'send the conversation in "input"',
  background: 'leave it out and wait for the answer',
  prompt: 'send its text in "instructions" or "input"',
}

/**
 * Reads a request of OpenAI's Responses API: https://platform.openai.com/docs/api-reference/responses/create. It is answered without any
 * state: throws `not_translatable` for what only a provider that keeps responses can do, `invalid_request` for a caller's mistake.
 */
export function readRequest(body: Json, path: PathAsked): ChatRequest {
  const asked = new Asked(body)
  for (const [name, instead] of Object.entries(kept)) {
    const value = asked.any(name)
    if (value !== undefined && value !== false)
      throw new Failure('not_translatable', { detail: `"${name}" needs OpenAI itself: ${instead}.` })
  }
  const instructions = asked.text('instructions')
  const system: readonly Message[] = instructions
    ? [{ role: 'system', content: [{ type: 'text', text: instructions }] }]
    : []
  const { tools, toolChoice } = readTools(asked)
  const include = asked.list('include')?.map((it, i) => text(it, `include.${i}`)) ?? []
  const logprobs = include.includes('message.output_text.logprobs')
  // Of tools that only OpenAI runs. Thoughts go with every answer, to come back with the next request.
  const more = include.some((it) => it !== 'message.output_text.logprobs' && it !== 'reasoning.encrypted_content')
  if (more) asked.leave('include')
  if (asked.flag('store')) asked.leave('store')
  if (asked.word('truncation', 'auto', 'disabled') === 'auto') asked.leave('truncation')
  if (asked.any('stream_options') !== undefined) readObfuscation(asked.within('stream_options'))
  const user = asked.text('user')
  const safety = asked.text('safety_identifier')
  if (user !== undefined && user !== safety) asked.leave('safety_identifier')
  const metadata = asked.object('metadata')
  const request: Draft<ChatRequest> = {
    model: path.model ?? asked.need('model'),
    messages: [...system, ...readMessages(asked)],
    tools,
    toolChoice,
    parallelToolCalls: asked.flag('parallel_tool_calls'),
    maxTokens: asked.whole('max_output_tokens', 1),
    temperature: asked.number('temperature', 0, 2),
    topP: asked.number('top_p', 0, 1),
    topLogprobs: asked.whole('top_logprobs', 0, 20),
    logprobs: logprobs || undefined,
    format: readFormat(asked),
    reasoning: readReasoning(asked),
    user: user ?? safety,
    metadata:
      metadata &&
      Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, text(value, `metadata.${key}`)])),
    serviceTier: asked.text('service_tier'),
    stream: path.stream ?? asked.flag('stream') ?? false,
    includeUsage: true,
    unread: [],
  }
  // They are shown only where they are included.
  if (!logprobs && request.topLogprobs) {
    request.topLogprobs = undefined
    asked.leave('top_logprobs')
  }
  request.unread = asked.unread
  return given(request)
}

function readMessages(asked: Asked): readonly Message[] {
  const input = asked.any('input')
  if (typeof input === 'string') return [{ role: 'user', content: [{ type: 'text', text: input }] }]
  if (input === undefined)
    throw new Failure('invalid_request', { detail: '"input" is missing: give a string or a list of items.' })
  return readInput(asked.objects('input'))
}

interface Tools {
  readonly tools: readonly Tool[]
  readonly toolChoice: ChatRequest['toolChoice']
}

function readTools(asked: Asked): Tools {
  const tools = asked.objects('tools').flatMap((it): readonly Tool[] => {
    const type = it.need('type')
    if (type === 'function') return [readFunction(it)]
    if (type === 'custom') return [readCustomTool(it)]
    // A tool that OpenAI itself runs: the model goes without.
    it.leaveAll(it.path(type))
    return []
  })
  const choice = asked.any('tool_choice')
  if (choice === undefined) return { tools, toolChoice: undefined }
  if (typeof choice === 'string') return { tools, toolChoice: asked.word('tool_choice', 'auto', 'none', 'required') }
  const it = asked.within('tool_choice')
  const type = it.need('type')
  if (type === 'function' || type === 'custom') return { tools, toolChoice: { name: it.need('name') } }
  if (type === 'allowed_tools') {
    const names = new Set(it.objects('tools').map((tool) => tool.text('name')))
    return {
      tools: tools.filter(({ name }) => names.has(name)),
      toolChoice: it.word('mode', 'auto', 'required') ?? 'auto',
    }
  }
  it.leaveAll(it.path(type))
  return { tools, toolChoice: undefined }
}

function readFormat(asked: Asked): Format | undefined {
  if (asked.any('text') === undefined) return undefined
  const it = asked.within('text')
  if (it.any('format') === undefined) return undefined
  const format = it.within('format')
  const type = format.word('type', 'text', 'json_object', 'json_schema')
  if (type === 'json_object') return { type: 'json' }
  return type === 'json_schema' ? readSchema(format) : { type: 'text' }
}

function readReasoning(asked: Asked): Reasoning | undefined {
  if (asked.any('reasoning') === undefined) return undefined
  const it = asked.within('reasoning')
  const effort = it.word('effort', 'none', 'minimal', 'low', 'medium', 'high', 'xhigh')
  const [summary, generated] = [it.text('summary'), it.text('generate_summary')]
  return {
    ...(effort === undefined ? {} : { effort }),
    ...((summary ?? generated) === undefined ? {} : { include: true }),
  }
}
