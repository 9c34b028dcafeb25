import type { ChatEvent } from '../../chat.ts'
import type { Failure } from '../../errors.ts'
import type { Usage } from '../../usage.ts'
import { CallsInOrder } from '../calls-in-order.ts'
import type { AnswerContext, ChatWriter } from '../dialect.ts'
import { writeCitation } from './citations.ts'
import { finishReason } from './finish.ts'
import { writeLogprob } from './logprobs.ts'
import { cohereUsage } from './usage.ts'

const NOTHING = Buffer.alloc(0)

/**
 * Writes a streamed answer as Cohere does: https://docs.cohere.com/docs/streaming. Blocks and calls are numbered each from 0, and one is
 * open at a time. Words before a call are a block of text and not a plan, since nobody knows yet that a call follows; a whole answer
 * (`write-answer.ts`) knows.
 */
export class CohereWriter implements ChatWriter {
  private readonly requestId: string
  private readonly order = new CallsInOrder()
  private started = false
  private open: { readonly type: 'text' | 'thinking' | 'call'; readonly index: number } | undefined
  private blocks = 0
  private citations = 0
  private finish = 'COMPLETE'
  private usage: Usage | undefined

  constructor({ requestId }: AnswerContext) {
    this.requestId = requestId
  }

  write(event: ChatEvent): Buffer {
    if ('choice' in event && event.choice !== 0) return NOTHING
    return bytes(
      this.order
        .push(event)
        .map((it) => this.tell(it))
        .join(''),
    )
  }

  private tell(event: ChatEvent): string {
    switch (event.type) {
      case 'start':
        return this.start(event.id)
      case 'text':
      case 'refusal':
        return this.say('text', event.text)
      case 'reasoning':
        return this.say('thinking', event.text)
      case 'audio':
        return event.transcript === undefined ? '' : this.say('text', event.transcript)
      case 'tool': {
        const { id, name, index } = event
        const call = { id, type: 'function', function: { name, arguments: '' } }
        const before = this.start() + this.close()
        this.open = { type: 'call', index }
        return before + said('tool-call-start', { index, delta: { message: { tool_calls: call } } })
      }
      case 'arguments':
        return said('tool-call-delta', {
          index: event.index,
          delta: { message: { tool_calls: { function: { arguments: event.text } } } },
        })
      case 'citation': {
        const index = this.citations++
        const citations = writeCitation(event.citation, index)
        const begin = said('citation-start', { index, delta: { message: { citations } } })
        return this.start() + begin + said('citation-end', { index })
      }
      case 'logprobs':
        return event.content.map((it) => this.say('text', '', writeLogprob(it))).join('')
      case 'finish':
        this.finish = finishReason(event.reason, event.stopSequence)
        return ''
      case 'usage':
        this.usage = event.usage
        return ''
      case 'ping':
        // A comment: the dialect has no event that says nothing.
        return ': ping\n\n'
      default:
        return ''
    }
  }

  end(): Buffer {
    const delta = { finish_reason: this.finish, ...(this.usage ? { usage: cohereUsage(this.usage) } : {}) }
    const rest = this.order
      .rest()
      .map((it) => this.tell(it))
      .join('')
    return bytes(this.start() + rest + this.close() + said('message-end', { delta }) + 'data: [DONE]\n\n')
  }

  fail(_failure: Failure, words: string, _requestId: string): Buffer {
    return bytes(this.start() + this.close() + failed(words))
  }

  /** `message-start`, where it was not sent. */
  private start(id = this.requestId): string {
    if (this.started) return ''
    this.started = true
    const message = { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] }
    return said('message-start', { id, delta: { message } })
  }

  private say(type: 'text' | 'thinking', words: string, logprobs?: unknown): string {
    const content = { [type]: words }
    if (this.open?.type === type)
      return said('content-delta', { index: this.open.index, delta: { message: { content } }, logprobs })
    const before = this.start() + this.close()
    const index = this.blocks++
    this.open = { type, index }
    const begin = said('content-start', { index, delta: { message: { content: { type, [type]: '' } } } })
    return before + begin + said('content-delta', { index, delta: { message: { content } }, logprobs })
  }

  private close(): string {
    const { open } = this
    this.open = undefined
    return open ? said(open.type === 'call' ? 'tool-call-end' : 'content-end', { index: open.index }) : ''
  }
}

/** How a stream says that its answer failed; SDKs give it to the app as the last event. */
export function failed(words: string): string {
  return said('message-end', { delta: { error: words, finish_reason: 'ERROR' } })
}

function said(type: string, members: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`
}

const bytes = (text: string): Buffer => (text === '' ? NOTHING : Buffer.from(text))
