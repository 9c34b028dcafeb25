import type { ChatEvent } from '../../chat.ts'
import type { Failure } from '../../errors.ts'
import type { Usage } from '../../usage.ts'
import type { AnswerContext, ChatWriter, Json } from '../dialect.ts'
import { chunkHead, chunkText, streamEnd, streamFailure } from '../openai/stream-text.ts'
import { writeChoice, writeLogprobs } from './write-answer.ts'

const NOTHING = Buffer.alloc(0)
const KIND = { object: 'text_completion', prefix: 'cmpl' } as const

/** Writes a stream of completions: text, the reason for the end, the usage where it was asked for, `[DONE]`. */
export class CompletionsWriter implements ChatWriter {
  private readonly context: AnswerContext
  /** Characters of each choice that have log-probabilities. */
  private readonly offsets = new Map<number, number>()
  private head: Json
  private usage: Usage | undefined

  constructor(context: AnswerContext) {
    this.context = context
    this.head = chunkHead(KIND, context)
  }

  write(event: ChatEvent): Buffer {
    switch (event.type) {
      case 'start':
        this.head = chunkHead(KIND, this.context, event)
        return NOTHING
      case 'text':
      case 'refusal':
        return this.chunk(writeChoice(event.choice, event.text, null, null))
      case 'logprobs': {
        const offset = this.offsets.get(event.choice) ?? 0
        this.offsets.set(event.choice, offset + event.content.reduce((sum, { token }) => sum + token.length, 0))
        return this.chunk(writeChoice(event.choice, '', writeLogprobs(event.content, offset), null))
      }
      case 'finish':
        return this.chunk(writeChoice(event.choice, '', null, event.reason))
      case 'usage':
        this.usage = event.usage
        return NOTHING
      default:
        return NOTHING
    }
  }

  end(): Buffer {
    return streamEnd(this.head, this.context, this.usage)
  }

  fail(failure: Failure, words: string, requestId: string): Buffer {
    return streamFailure(failure, words, requestId)
  }

  private chunk(choice: Json): Buffer {
    return chunkText({ ...this.head, choices: [choice] })
  }
}
