import type { ChatAnswer, Citation, OutputPart } from '../../chat.ts'
import { NO_USAGE } from '../../usage.ts'
import type { AnswerContext, Json } from '../dialect.ts'
import { writeArtefact } from './artefact.ts'
import { stopReasonOf } from './stop-reason.ts'
import { writeUsage } from './usage.ts'

/** A whole message, with the members that Anthropic's SDKs have in their types. Of several answers the first: nobody asks for more here. */
export function writeAnswer({ id, model, choices, usage }: ChatAnswer, { request, requestId }: AnswerContext): Json {
  const choice = choices[0]
  const content = (choice?.content ?? []).flatMap(block)
  const calls = content.some(({ type }) => type === 'tool_use')
  const text = content.findLast(({ type }) => type === 'text')
  const citations = choice?.citations.map(writeCitation) ?? []
  return {
    ...messageHead(id, model ?? request.model, requestId),
    content: content.map((it) => (it === text && citations.length > 0 ? { ...it, citations } : it)),
    stop_reason: stopReasonOf(choice?.finish ?? 'stop', calls, choice?.stopSequence),
    stop_sequence: choice?.stopSequence ?? null,
    usage: writeUsage(usage ?? NO_USAGE),
  }
}

/** What a message has before its content is known. */
export function messageHead(id: string | undefined, model: string, requestId: string): Json {
  return {
    id: id ?? `msg_${requestId}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
  }
}

/**
 * A source of an answer: a page where it has an address, else a place in a document. What Anthropic would have encrypted there is not ours
 * to give.
 */
export function writeCitation({ url, title, text, start, end }: Citation): Json {
  if (url !== undefined)
    return {
      type: 'web_search_result_location',
      cited_text: text ?? '',
      encrypted_index: '',
      title: title ?? null,
      url,
    }
  return {
    type: 'char_location',
    cited_text: text ?? '',
    document_index: 0,
    document_title: title ?? null,
    file_id: null,
    start_char_index: start ?? 0,
    end_char_index: end ?? 0,
  }
}

/** Images and sound have no place in a message of the model's; of speech its words have. */
function block(part: OutputPart): readonly Json[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text, citations: null }]
    case 'reasoning':
      return [{ type: 'thinking', thinking: part.text, signature: part.signature ? writeArtefact(part.signature) : '' }]
    case 'redacted':
      return [{ type: 'redacted_thinking', data: writeArtefact(part.data) }]
    case 'tool-call':
      return [
        // A call's signature has no place in its block.
        ...(part.signature ? [{ type: 'thinking', thinking: '', signature: writeArtefact(part.signature) }] : []),
        { type: 'tool_use', id: part.id, name: part.name, input: inputOf(part.arguments), caller: { type: 'direct' } },
      ]
    case 'audio':
      return part.transcript ? [{ type: 'text', text: part.transcript, citations: null }] : []
    case 'image':
      return []
  }
}

/** Arguments that are no JSON, as a model may write them, are still the caller's to see. */
function inputOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return { arguments: text }
  }
}
