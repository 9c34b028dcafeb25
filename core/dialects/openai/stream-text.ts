import type { Failure } from '../../errors.ts'
import { envelope } from '../../errors.ts'
import type { Usage } from '../../usage.ts'
import type { AnswerContext, Json } from '../dialect.ts'
import { writeUsage } from './usage.ts'

/** What streams of chats and of completions have in common: how chunks are framed, how each begins, and how the stream ends. */

const DONE = Buffer.from('data: [DONE]\n\n')

/** What chunks of one of the two are called. */
interface Kind {
  readonly object: 'chat.completion.chunk' | 'text_completion'
  readonly prefix: 'chatcmpl' | 'cmpl'
}

/** One chunk as the bytes of an event. */
export function chunkText(chunk: Json): Buffer {
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`)
}

/** The members that all chunks of an answer begin with; what the target does not say is made of the request. */
export function chunkHead(
  { object, prefix }: Kind,
  { request, requestId, now }: AnswerContext,
  said: {
    readonly id?: string | undefined
    readonly model?: string | undefined
    readonly created?: number | undefined
  } = {},
): Json {
  const { id = `${prefix}-${requestId}`, created = now, model = request.model } = said
  return { id, object, created, model }
}

/** The usage where it was asked for, then `[DONE]`. */
export function streamEnd(head: Json, { request }: AnswerContext, usage: Usage | undefined): Buffer {
  if (!request.includeUsage || !usage) return DONE
  return Buffer.concat([chunkText({ ...head, choices: [], usage: writeUsage(usage) }), DONE])
}

/** An error in the midst of it, which has no `[DONE]` after it. */
export function streamFailure(failure: Failure, words: string, requestId: string): Buffer {
  return Buffer.from(`data: ${envelope(failure, requestId, words)}\n\n`)
}
