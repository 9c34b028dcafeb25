import type { AnswerChoice, ChatAnswer, OutputPart } from '../../chat.ts'
import type { AnswerContext, Json } from '../dialect.ts'
import { writeCitations } from './citations.ts'
import { finishWords } from './finish.ts'
import { writeLogprobs } from './logprobs.ts'
import { writeSignature } from './signature.ts'
import { writeUsage } from './usage.ts'

/** A whole answer for a caller: https://ai.google.dev/api/generate-content#GenerateContentResponse */
export function writeAnswer(answer: ChatAnswer, { request, requestId }: AnswerContext): unknown {
  return {
    candidates: answer.choices.map(candidate),
    ...(answer.usage ? { usageMetadata: writeUsage(answer.usage) } : {}),
    modelVersion: answer.model ?? request.model,
    responseId: answer.id ?? requestId,
  }
}

function candidate({ index, content, finish, citations, logprobs }: AnswerChoice): unknown {
  const parts = content.flatMap(written)
  return {
    content: { ...(parts.length > 0 ? { parts } : {}), role: 'model' },
    finishReason: finishWords[finish],
    index,
    ...writeCitations(citations),
    ...(logprobs ? { logprobsResult: writeLogprobs(logprobs) } : {}),
  }
}

/** A signature without words of its own belongs to the part before it. */
function written(part: OutputPart, i: number, all: readonly OutputPart[]): readonly Json[] {
  const next = all[i + 1]
  const signed =
    next?.type === 'reasoning' && next.text === '' && next.signature?.format === 'gemini' ? next.signature : undefined
  switch (part.type) {
    case 'text':
    case 'refusal':
      return [{ text: part.text, ...(signed ? { thoughtSignature: signed.value } : {}) }]
    case 'reasoning': {
      const before = all[i - 1]
      const taken =
        part.text === '' &&
        part.signature?.format === 'gemini' &&
        (before?.type === 'text' || before?.type === 'refusal')
      if (taken) return []
      return [
        {
          text: part.text,
          thought: true,
          ...(part.signature ? { thoughtSignature: writeSignature(part.signature) } : {}),
        },
      ]
    }
    case 'redacted':
      return [hiddenPart(part)]
    case 'tool-call':
      return [callPart(part)]
    case 'image':
      return part.source.type === 'base64' ? [inlinePart(part.source.mediaType, part.source.data)] : []
    case 'audio':
      return [
        ...(part.data === '' ? [] : [inlinePart(SPEECH, part.data)]),
        ...(part.transcript ? [{ text: part.transcript }] : []),
      ]
  }
}

/** Whoever speaks to callers of Google's API is asked for PCM, as Google gives it. */
export const SPEECH = 'audio/L16;codec=pcm;rate=24000'

export const inlinePart = (mimeType: string, data: string): Json => ({ inlineData: { mimeType, data } })

export function hiddenPart({ data }: Extract<OutputPart, { type: 'redacted' }>): Json {
  return { text: '', thought: true, thoughtSignature: writeSignature(data, true) }
}

export function callPart({ id, name, arguments: text, signature }: Extract<OutputPart, { type: 'tool-call' }>): Json {
  return {
    functionCall: { id, name, args: argsOf(text) },
    ...(signature ? { thoughtSignature: writeSignature(signature) } : {}),
  }
}

/** Arguments are an object here; what another model made of them may be no JSON at all, and is shown all the same. */
function argsOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text || '{}')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { value }
  } catch {
    return { value: text }
  }
}
