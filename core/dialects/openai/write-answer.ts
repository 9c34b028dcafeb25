import type { AnswerChoice, ChatAnswer, Citation, OutputPart } from '../../chat.ts'
import type { AnswerContext, Json } from '../dialect.ts'
import { extraContent, hiddenDetail, thoughtDetail } from './artefacts.ts'
import { dataUrl } from './data-url.ts'
import { writeUsage } from './usage.ts'

/** The body of a whole answer: https://platform.openai.com/docs/api-reference/chat/object */
export function writeAnswer(answer: ChatAnswer, { request, requestId, now }: AnswerContext): Json {
  return {
    id: answer.id ?? `chatcmpl-${requestId}`,
    object: 'chat.completion',
    created: answer.created ?? now,
    model: answer.model ?? request.model,
    choices: answer.choices.map(writeChoice),
    ...(answer.usage ? { usage: writeUsage(answer.usage) } : {}),
  }
}

function writeChoice({ index, content, citations, logprobs, finish }: AnswerChoice): Json {
  return {
    index,
    message: writeMessage(content, citations),
    logprobs: logprobs ? { content: logprobs, refusal: null } : null,
    finish_reason: finish,
  }
}

const textOf = (content: readonly OutputPart[], type: 'text' | 'refusal' | 'reasoning'): string =>
  content.map((part) => (part.type === type ? part.text : '')).join('')

function writeMessage(content: readonly OutputPart[], citations: readonly Citation[]): Json {
  const text = textOf(content, 'text')
  const refusal = textOf(content, 'refusal')
  const reasoning = textOf(content, 'reasoning')
  const details = content
    .flatMap((part) => (part.type === 'redacted' || (part.type === 'reasoning' && part.signature) ? [part] : []))
    .map((part, i) =>
      part.type === 'redacted'
        ? hiddenDetail(part.data, i)
        : part.signature
          ? thoughtDetail(part.text, part.signature, i)
          : {},
    )
  const calls = content.flatMap((part) => (part.type === 'tool-call' ? [writeCall(part)] : []))
  const images = content.flatMap((part) =>
    part.type === 'image' && part.source.type === 'base64' ? [part.source] : [],
  )
  const audio = content.find((part) => part.type === 'audio')
  const annotations = citations.flatMap(writeCitation)
  return {
    role: 'assistant',
    content: text === '' && (calls.length > 0 || refusal !== '' || audio) ? null : text,
    refusal: refusal === '' ? null : refusal,
    ...(reasoning ? { reasoning_content: reasoning } : {}),
    ...(details.length > 0 ? { reasoning_details: details } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    ...(images.length > 0 ? { images: images.map((it, i) => writeImage(it.mediaType, it.data, i)) } : {}),
    ...(annotations.length > 0 ? { annotations } : {}),
    ...(audio
      ? {
          audio: {
            id: audio.id ?? '',
            data: audio.data,
            transcript: audio.transcript ?? '',
            expires_at: audio.expiresAt ?? 0,
          },
        }
      : {}),
  }
}

function writeCall({ id, name, arguments: text, signature }: Extract<OutputPart, { type: 'tool-call' }>): Json {
  return {
    id,
    type: 'function',
    function: { name, arguments: text },
    ...(signature ? { extra_content: extraContent(signature) } : {}),
  }
}

/** As OpenRouter has images of an answer: https://openrouter.ai/docs/features/multimodal/image-generation */
export function writeImage(mediaType: string, data: string, index: number): Json {
  return { type: 'image_url', index, image_url: { url: dataUrl(mediaType, data) } }
}

/** An annotation; nothing for a citation of what has no address, for which there is no kind. */
export function writeCitation({ url, title, start, end }: Citation): readonly Json[] {
  if (url === undefined) return []
  return [
    { type: 'url_citation', url_citation: { url, title: title ?? '', start_index: start ?? 0, end_index: end ?? 0 } },
  ]
}
