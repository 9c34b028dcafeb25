import type { ChatEvent } from '../../chat.ts'
import type { Failure } from '../../errors.ts'
import { envelope } from '../../errors.ts'
import type { Usage } from '../../usage.ts'
import type { AnswerContext, ChatWriter, Json } from '../dialect.ts'
import { writeUsage } from '../openai/usage.ts'
import { writeChoice, writeLogprobs } from './write-answer.ts'

const NOTHING = Buffer.alloc(0)
const DONE = Buffer.from('data: [DONE]\n\n')

/** Writes a stream of completions: text, the reason for the end, the usage where it was asked for, `[DONE]`. */
export class CompletionsWriter implements ChatWriter {
  private readonly includeUsage: boolean
  private readonly context: AnswerContext
  /** Characters of each choice that have log-probabilities. */
  private readonly offsets = new Map<number, number>()
  private head: Json
  private usage: Usage | undefined

  constructor(context: AnswerContext) {
    this.context = context
    this.includeUsage = context.request.includeUsage
    this.head = this.headOf(undefined, undefined, undefined)
  }

  write(event: ChatEvent): Buffer {
    switch (event.type) {
      case 'start':
        this.head = this.headOf(event.id, event.model, event.created)
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
    if (!this.includeUsage || !this.usage) return DONE
    return Buffer.concat([data({ ...this.head, choices: [], usage: writeUsage(this.usage) }), DONE])
  }

  fail(failure: Failure, words: string, requestId: string): Buffer {
    return Buffer.from(`data: ${envelope(failure, requestId, words)}\n\n`)
  }

  private headOf(id: string | undefined, model: string | undefined, created: number | undefined): Json {
    const { request, requestId, now } = this.context
    return {
      id: id ?? `cmpl-${requestId}`,
      object: 'text_completion',
      created: created ?? now,
      model: model ?? request.model,
    }
  }

  private chunk(choice: Json): Buffer {
    return data({ ...this.head, choices: [choice] })
  }
}

function data(body: Json): Buffer {
  return Buffer.from(`data: ${JSON.stringify(body)}\n\n`)
}
