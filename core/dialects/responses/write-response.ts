import type { AnswerChoice, ChatAnswer, Citation, FinishReason, Format, TokenLogprob, Tool } from '../../chat.ts'
import type { Usage } from '../../usage.ts'
import type { AnswerContext, Json } from '../dialect.ts'
import { customItem, customNames } from './custom-tool.ts'
import { encrypt } from './encrypted.ts'
import { writeUsage } from './usage.ts'

/** What is known of a response. */
export interface Known {
  readonly id: string
  readonly model: string
  /** Seconds since the epoch. */
  readonly created: number
  readonly output: readonly Json[]
  /** Undefined while it is in progress. */
  readonly finish?: FinishReason | undefined
  readonly usage?: Usage | undefined
}

/** The id of a response: OpenAI's begin with `resp_`, and clients look at that. */
export function responseId(id: string | undefined, requestId: string): string {
  const own = id ?? requestId
  return own.startsWith('resp_') ? own : `resp_${own}`
}

/** The response object with all members that SDKs say it has: https://platform.openai.com/docs/api-reference/responses/object */
export function writeResponse({ id, model, created, output, finish, usage }: Known, { request }: AnswerContext): Json {
  const cut = finish === 'length' ? 'max_output_tokens' : finish === 'content_filter' ? 'content_filter' : undefined
  return {
    id,
    object: 'response',
    created_at: created,
    status: finish === undefined ? 'in_progress' : cut ? 'incomplete' : 'completed',
    background: false,
    error: null,
    incomplete_details: cut ? { reason: cut } : null,
    instructions: null,
    max_output_tokens: request.maxTokens ?? null,
    max_tool_calls: null,
    model,
    output,
    parallel_tool_calls: request.parallelToolCalls ?? true,
    previous_response_id: null,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: request.reasoning?.include ? 'auto' : null },
    // It is kept nowhere: what comes next needs the conversation again.
    store: false,
    temperature: request.temperature ?? 1,
    text: { format: formatOf(request.format) },
    tool_choice:
      typeof request.toolChoice === 'object'
        ? { type: 'function', ...request.toolChoice }
        : (request.toolChoice ?? 'auto'),
    tools: request.tools.map(toolOf),
    top_logprobs: request.topLogprobs ?? 0,
    top_p: request.topP ?? 1,
    truncation: 'disabled',
    usage: usage ? writeUsage(usage) : null,
    user: request.user ?? null,
    metadata: request.metadata ?? {},
  }
}

function formatOf(format: Format | undefined): Json {
  if (format?.type === 'json') return { type: 'json_object' }
  if (format?.type !== 'schema') return { type: 'text' }
  const { type: _, ...schema } = format
  return { type: 'json_schema', ...schema }
}

function toolOf({ name, description, parameters, strict, custom }: Tool): Json {
  if (custom) return { type: 'custom', name, description: description ?? null, format: { type: 'text' } }
  return {
    type: 'function',
    name,
    description: description ?? null,
    parameters: parameters ?? null,
    strict: strict ?? null,
  }
}

/** The body of a whole answer. */
export function writeAnswer(answer: ChatAnswer, context: AnswerContext): Json {
  const { request, requestId, now } = context
  const id = responseId(answer.id, requestId)
  const first = answer.choices[0]
  const output = first ? itemsOf(first, id, customNames(request.tools)) : []
  const known = { id, model: answer.model ?? request.model, created: answer.created ?? now, output }
  return writeResponse({ ...known, finish: first?.finish ?? 'stop', usage: answer.usage }, context)
}

/** An item's id, by its place. */
export function itemId(kind: 'msg' | 'fc' | 'ctc' | 'rs' | 'ig', id: string, index: number): string {
  return `${kind}_${id.slice('resp_'.length)}_${index}`
}

function itemsOf(
  { content, citations, logprobs }: AnswerChoice,
  id: string,
  custom: ReadonlySet<string>,
): readonly Json[] {
  const items: Json[] = []
  /** Words that follow each other are parts of one message. */
  let spoken: Json[] | undefined
  const add = (item: (index: number) => Json): void => {
    spoken = undefined
    items.push(item(items.length))
  }
  const say = (part: Json): void => {
    if (!spoken) items.push(message(itemId('msg', id, items.length), (spoken = [])))
    spoken.push(part)
  }
  // Where the text is in several pieces, what belongs to it as a whole goes with the first.
  let [cited, probable] = [citations, logprobs]
  for (const part of content)
    switch (part.type) {
      case 'text':
        say(textPart(part.text, cited.flatMap(annotation), probable ?? []))
        cited = []
        probable = undefined
        break
      case 'refusal':
        say({ type: 'refusal', refusal: part.text })
        break
      case 'audio':
        if (part.transcript) say(textPart(part.transcript, [], []))
        break
      case 'reasoning':
        add((i) =>
          reasoningItem(itemId('rs', id, i), part.text, part.signature && encrypt(part.signature, 'signature')),
        )
        break
      case 'redacted':
        add((i) => reasoningItem(itemId('rs', id, i), '', encrypt(part.data, 'redacted')))
        break
      case 'tool-call':
        if (part.signature) {
          const sealed = encrypt(part.signature, 'call')
          add((i) => reasoningItem(itemId('rs', id, i), '', sealed))
        }
        add((i) =>
          custom.has(part.name)
            ? customItem(itemId('ctc', id, i), part.id, part.name, part.arguments)
            : callItem(itemId('fc', id, i), part.id, part.name, part.arguments),
        )
        break
      case 'image': {
        const { source } = part
        if (source.type === 'base64') add((i) => imageItem(itemId('ig', id, i), source.data))
        break
      }
    }
  return items
}

export function message(id: string, content: readonly Json[], status = 'completed'): Json {
  return { id, type: 'message', status, role: 'assistant', content }
}

export function textPart(text: string, annotations: readonly Json[], logprobs: readonly TokenLogprob[]): Json {
  return { type: 'output_text', text, annotations, logprobs }
}

export function reasoningItem(id: string, text: string, encrypted: string | undefined): Json {
  return {
    id,
    type: 'reasoning',
    summary: text === '' ? [] : [{ type: 'summary_text', text }],
    ...(encrypted === undefined ? {} : { encrypted_content: encrypted }),
  }
}

export function callItem(id: string, callId: string, name: string, text: string, status = 'completed'): Json {
  return { id, type: 'function_call', status, arguments: text, call_id: callId, name }
}

export function imageItem(id: string, data: string): Json {
  return { id, type: 'image_generation_call', status: 'completed', result: data }
}

/** An annotation; nothing for a citation of what has no address, for which there is no kind. */
export function annotation({ url, title, start, end }: Citation): readonly Json[] {
  if (url === undefined) return []
  return [{ type: 'url_citation', url, title: title ?? '', start_index: start ?? 0, end_index: end ?? 0 }]
}
