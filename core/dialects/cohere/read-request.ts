import type { ChatRequest, Format, InputPart, Message, Reasoning, Tool } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import type { Asked as Path, Json } from '../dialect.ts'
import { Asked } from '../openai/asked.ts'
import { invalid, listOf, optional, text } from '../request-fields.ts'
import { dataText, readMessages } from './read-messages.ts'

/** The body of `POST /v2/chat`: https://docs.cohere.com/reference/chat. Throws `invalid_request`. */
export function readRequest(body: Json, path: Path): ChatRequest {
  const asked = new Asked(body)
  const messages = withDocuments(readMessages(asked.objects('messages')), documentsOf(asked))
  const stop = optional(asked.any('stop_sequences'), 'stop_sequences', listOf(text))
  if (stop && stop.length > 5) throw invalid('stop_sequences', 'a list of at most 5')
  const choice = asked.word('tool_choice', 'REQUIRED', 'NONE')
  const tools = readTools(asked)
  if (choice === 'REQUIRED' && tools.length === 0) throw invalid('tools', 'given where "tool_choice" is "REQUIRED"')
  readCitations(asked)
  const request = {
    model: path.model ?? asked.need('model'),
    messages,
    tools,
    toolChoice: choice === 'REQUIRED' ? ('required' as const) : choice === 'NONE' ? ('none' as const) : undefined,
    maxTokens: asked.whole('max_tokens', 0),
    temperature: asked.number('temperature', 0, 1),
    topP: asked.number('p', 0.01, 0.99),
    topK: asked.whole('k', 0, 500) || undefined,
    stop,
    seed: asked.whole('seed', 0),
    frequencyPenalty: asked.number('frequency_penalty', 0, 1),
    presencePenalty: asked.number('presence_penalty', 0, 1),
    logprobs: asked.flag('logprobs'),
    format: readFormat(asked),
    reasoning: readThinking(asked),
    stream: path.stream ?? asked.flag('stream') ?? false,
    includeUsage: true,
  }
  return { ...request, unread: asked.unread }
}

/** Where an answer is from, which only Cohere's own models say. */
function readCitations(asked: Asked): void {
  if (asked.any('citation_options') === undefined) return
  const options = asked.within('citation_options')
  const mode = options.text('mode')
  if (mode !== undefined && mode !== 'OFF' && mode !== 'DISABLED') options.leave('mode')
}

function readTools(asked: Asked): readonly Tool[] {
  const strict = asked.flag('strict_tools') ?? false
  const tools = asked.objects('tools').map((tool) => {
    tool.word('type', 'function')
    const it = tool.within('function')
    return {
      name: it.need('name'),
      description: it.text('description'),
      parameters: it.object('parameters'),
    }
  })
  if (!strict) return tools
  if (tools.every(({ parameters }) => isClosed(parameters))) return tools.map((tool) => ({ ...tool, strict }))
  asked.leave('strict_tools')
  return tools
}

/**
 * Whether a schema says all that an object has and that all of it is needed, as others want it for what has to be followed to the letter:
 * https://platform.openai.com/docs/guides/structured-outputs#supported-schemas. Cohere does not.
 */
function isClosed(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isClosed)
  const schema = record(value)
  if (!schema) return true
  const names = Object.keys(record(schema['properties']) ?? {})
  const required: readonly unknown[] = Array.isArray(schema['required']) ? schema['required'] : []
  if (
    schema['type'] === 'object' &&
    (schema['additionalProperties'] !== false || !names.every((it) => required.includes(it)))
  )
    return false
  return Object.values(schema).every(isClosed)
}

function readFormat(asked: Asked): Format | undefined {
  if (asked.any('response_format') === undefined) return undefined
  const format = asked.within('response_format')
  if (format.word('type', 'text', 'json_object') !== 'json_object') return { type: 'text' }
  // The second is the first version's name, which the API still takes.
  const schema = format.object('json_schema') ?? format.object('schema')
  return schema ? { type: 'schema', name: 'response', schema, strict: isClosed(schema) } : { type: 'json' }
}

function readThinking(asked: Asked): Reasoning | undefined {
  if (asked.any('thinking') === undefined) return undefined
  const thinking = asked.within('thinking')
  if (thinking.word('type', 'enabled', 'disabled') === 'disabled') return { effort: 'none' }
  return { budget: thinking.whole('token_budget', 1), include: true }
}

/** Documents that the answer is to be made from, as text: other dialects have no place for them. */
function documentsOf(asked: Asked): readonly string[] {
  return (asked.list('documents') ?? []).map((value, i) => {
    if (typeof value === 'string') return `Document ${i}:\n${value}`
    const document = asked.below(`documents.${i}`, value)
    const said = dataText(document.any('data'), document.path('data'))
    return `Document ${document.text('id') ?? i}:\n${said}`
  })
}

/** Puts the documents before the words of the last user message. */
function withDocuments(messages: readonly Message[], documents: readonly string[]): readonly Message[] {
  if (documents.length === 0) return messages
  const at = messages.findLastIndex(({ role }) => role === 'user')
  const user = messages[at]
  if (user?.role !== 'user') throw invalid('messages', 'a list with a user message where there are documents')
  const parts = documents.map((it): InputPart => ({ type: 'text', text: `${it}\n\n` }))
  return messages.with(at, { ...user, content: [...parts, ...user.content] })
}
