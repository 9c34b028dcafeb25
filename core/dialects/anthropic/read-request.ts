import type {
  Artefact,
  ChatRequest,
  Effort,
  Format,
  Message,
  OutputPart,
  Reasoning,
  ReasoningPart,
  TextPart,
  Tool,
} from '../../chat.ts'
import type { Asked as Path, Json } from '../dialect.ts'
import { Asked, wrong } from '../openai/asked.ts'
import { object, text } from '../request-fields.ts'
import { given } from '../given.ts'
import { cacheOf, inputBlock, outputBlock, readBlocks, textBlock } from './read-content.ts'
import type { Unread } from './read-content.ts'

/**
 * A Messages request: https://platform.claude.com/docs/en/api/messages/create. Throws `invalid_request` for what the API itself refuses in
 * the fields that are read.
 */
export function readRequest(body: Json, path: Path): ChatRequest {
  const asked = new Asked(body)
  const unread: Unread = []
  const maxTokens = asked.whole('max_tokens', 1)
  if (maxTokens === undefined) throw wrong('"max_tokens" is missing: give a whole number.')
  const messages = markLast(readMessages(asked, unread), cacheOf(asked))
  checkResults(messages)
  const tools = asked.objects('tools').flatMap(readTool)
  const config = asked.any('output_config') === undefined ? new Asked({}) : asked.within('output_config')
  const reasoning = readReasoning(asked, config)
  if ((reasoning?.budget ?? 0) >= maxTokens) throw wrong('"max_tokens" must be greater than "thinking.budget_tokens".')
  const request = given({
    model: path.model ?? asked.need('model'),
    messages,
    tools,
    ...readChoice(asked),
    maxTokens,
    temperature: asked.number('temperature', 0, 1),
    topP: asked.number('top_p', 0, 1),
    topK: asked.whole('top_k', 0),
    stop: asked.list('stop_sequences')?.map((stop, i) => text(stop, `stop_sequences.${i}`)),
    format: readFormat(config, asked),
    reasoning,
    user: readUser(asked),
    serviceTier:
      asked.word('service_tier', 'auto', 'standard_only') === 'standard_only' ? 'default' : asked.text('service_tier'),
    stream: asked.flag('stream') ?? path.stream ?? false,
    includeUsage: true,
  })
  return { ...request, unread: [...unread, ...asked.unread] }
}

function readMessages(asked: Asked, unread: Unread): Message[] {
  const messages = asked.objects('messages')
  if (messages.length === 0) throw wrong('"messages" must be a list of at least one message.')
  const system = asked.any('system')
  const before: Message[] = system === undefined ? [] : systemMessage(readBlocks(system, 'system', unread, textBlock))
  return [...before, ...messages.flatMap((message) => readMessage(message, unread))]
}

const systemMessage = (content: readonly TextPart[]): Message[] =>
  content.length === 0 ? [] : [{ role: 'system', content }]

function readMessage(asked: Asked, unread: Unread): Message[] {
  const role = asked.word('role', 'user', 'assistant', 'system')
  const [content, at] = [asked.any('content'), asked.path('content')]
  switch (role) {
    case 'assistant':
      return [{ role, content: withSignatures(readBlocks(content, at, unread, outputBlock)) }]
    case 'system':
      return systemMessage(readBlocks(content, at, unread, textBlock))
    case 'user':
      return userMessages(content, at, unread)
    case undefined:
      throw wrong(`"${asked.path('role')}" is missing: give user or assistant.`)
  }
}

/** What another provider signed without words, right before a call, is the call's own signature. */
function withSignatures(parts: readonly OutputPart[]): readonly OutputPart[] {
  return parts.flatMap((part, i) => {
    const [before, after] = [parts[i - 1], parts[i + 1]]
    if (part.type === 'tool-call' && isWordless(before)) return [{ ...part, signature: before.signature }]
    return isWordless(part) && after?.type === 'tool-call' ? [] : [part]
  })
}

type Signed = ReasoningPart & { readonly signature: Artefact }

function isWordless(part: OutputPart | undefined): part is Signed {
  const signature = part?.type === 'reasoning' && part.text === '' ? part.signature : undefined
  return signature !== undefined && signature.format !== 'anthropic'
}

/** Results of tools are messages of their own, in the order in which they stand; what is around them is the user's. */
function userMessages(content: unknown, at: string, unread: Unread): Message[] {
  const messages: Message[] = []
  const parts = readBlocks<Message>(content, at, unread, (asked) =>
    asked.any('type') === 'tool_result'
      ? [toolMessage(asked, unread)]
      : inputBlock(asked, unread)?.map((part): Message => ({ role: 'user', content: [part] })),
  )
  for (const part of parts) {
    // Content that is a string came as text.
    const message: Message = 'role' in part ? part : { role: 'user', content: [part] }
    const last = messages.at(-1)
    if (last?.role === 'user' && message.role === 'user')
      messages[messages.length - 1] = { ...last, content: [...last.content, ...message.content] }
    else messages.push(message)
  }
  return messages.length > 0 ? messages : [{ role: 'user', content: [] }]
}

function toolMessage(asked: Asked, unread: Unread): Message {
  asked.need('type')
  const content = asked.any('content')
  return given({
    role: 'tool' as const,
    callId: asked.need('tool_use_id'),
    content: content === undefined ? [] : readBlocks(content, asked.path('content'), unread, inputBlock),
    isError: asked.flag('is_error'),
    ...cacheOf(asked),
  })
}

/** Every call has its result in the next message, before anything else there; every result has its call in the message before. */
function checkResults(messages: readonly Message[]): void {
  let open: readonly string[] = []
  const settle = (): void => {
    if (open.length > 0)
      throw wrong(
        `The tool_use blocks ${open.join(', ')} have no tool_result: the next message must begin with one for each.`,
      )
  }
  for (const message of messages) {
    if (message.role === 'tool') {
      const { callId } = message
      if (!open.includes(callId))
        throw wrong(`The tool_result for ${JSON.stringify(callId)} has no tool_use in the message before.`)
      open = open.filter((id) => id !== callId)
      continue
    }
    settle()
    if (message.role === 'assistant')
      open = message.content.flatMap((part) => (part.type === 'tool-call' ? [part.id] : []))
  }
  settle()
}

/** A mark at the top of the request is one on its last block. */
function markLast(messages: readonly Message[], { cache }: ReturnType<typeof cacheOf>): readonly Message[] {
  const last = messages.at(-1)
  if (!cache || !last) return messages
  const before = messages.slice(0, -1)
  if (last.role === 'tool') return [...before, { cache, ...last }]
  const content = last.content.map((part, i) =>
    i === last.content.length - 1 && part.type === 'text' ? { cache, ...part } : part,
  )
  // The parts are those of the message, each of its own kind.
  return [...before, { ...last, content } as Message]
}

function readTool(asked: Asked): readonly Tool[] {
  const type = asked.text('type')
  if (type !== undefined && type !== 'custom') {
    // It is known to Claude by its type alone, or runs at Anthropic.
    asked.leaveAll(asked.at)
    return []
  }
  const tool = given({
    name: asked.need('name'),
    description: asked.text('description'),
    parameters: asked.object('input_schema'),
    strict: asked.flag('strict'),
    ...cacheOf(asked),
  })
  return [tool]
}

function readChoice(asked: Asked): Pick<ChatRequest, 'toolChoice' | 'parallelToolCalls'> {
  if (asked.any('tool_choice') === undefined) return {}
  const choice = asked.within('tool_choice')
  const type = choice.word('type', 'auto', 'any', 'tool', 'none')
  const alone = choice.flag('disable_parallel_tool_use')
  const toolChoice: ChatRequest['toolChoice'] =
    type === 'any' ? 'required' : type === 'tool' ? { name: choice.need('name') } : type
  return given({ toolChoice, parallelToolCalls: alone === undefined ? undefined : !alone })
}

/** `output_format` is how the field was called while it was a beta. */
function readFormat(config: Asked, asked: Asked): Format | undefined {
  const [it, key] = config.any('format') === undefined ? [asked, 'output_format'] : [config, 'format']
  if (it.any(key) === undefined) return undefined
  const format = it.within(key)
  format.word('type', 'json_schema')
  return { type: 'schema', name: 'answer', schema: object(format.any('schema'), format.path('schema')), strict: true }
}

function readReasoning(asked: Asked, config: Asked): Reasoning | undefined {
  const wanted = config.word('effort', 'low', 'medium', 'high', 'xhigh', 'max')
  const effort: Effort | undefined = wanted === 'max' ? 'xhigh' : wanted
  if (asked.any('thinking') === undefined) return effort && { effort }
  const thinking = asked.within('thinking')
  const type = thinking.word('type', 'enabled', 'adaptive', 'disabled', 'between_tools')
  const display = thinking.word('display', 'summarized', 'omitted')
  const budget = thinking.whole('budget_tokens', 1024)
  if (type === 'enabled' && budget === undefined)
    throw wrong('"thinking.budget_tokens" is missing: give a whole number of at least 1024.')
  if (type === 'disabled' || type === 'between_tools') return { effort: 'none' }
  return given({
    // Nothing said of it is `high`: https://platform.claude.com/docs/en/build-with-claude/effort
    effort: effort ?? (type === 'adaptive' ? 'high' : undefined),
    budget,
    include: display && display === 'summarized',
  })
}

function readUser(asked: Asked): string | undefined {
  return asked.any('metadata') === undefined ? undefined : asked.within('metadata').text('user_id')
}
