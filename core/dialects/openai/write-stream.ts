import type { Artefact, ChatEvent } from '../../chat.ts'
import type { Failure } from '../../errors.ts'
import type { Usage } from '../../usage.ts'
import type { AnswerContext, ChatWriter, Json } from '../dialect.ts'
import { extraContent, hiddenDetail, thoughtDetail } from './artefacts.ts'
import { chunkHead, chunkText, streamEnd, streamFailure } from './stream-text.ts'
import { writeCitation, writeImage } from './write-answer.ts'

const NOTHING = Buffer.alloc(0)
const KIND = { object: 'chat.completion.chunk', prefix: 'chatcmpl' } as const
const PING = Buffer.from(': ping\n\n')

/** What has been said of one choice. */
interface Choice {
  /** The thought since its last signature. */
  thought: string
  details: number
  images: number
  finished: boolean
}

/**
 * Writes a stream of chunks: https://platform.openai.com/docs/api-reference/chat-streaming/streaming. The role comes first, a call's id and
 * name only once, the reason for the end in a chunk of its own, then the usage where it was asked for, then `[DONE]`.
 */
export class OpenAIWriter implements ChatWriter {
  private readonly context: AnswerContext
  private readonly choices = new Map<number, Choice>()
  /** Those whose role has been said. */
  private readonly opened = new Set<number>()
  private head: Json
  /** The beginning and the end of a chunk with words: most chunks are one, and only the words and the choice change. */
  private beginning = ''
  private ending = ''
  private usage: Usage | undefined

  constructor(context: AnswerContext) {
    this.context = context
    this.head = chunkHead(KIND, context)
    this.begin(this.head)
  }

  write(event: ChatEvent): Buffer {
    switch (event.type) {
      case 'start':
        // Nothing goes out before there is something to say, so that a target that fails here can still be changed for another.
        this.begin(chunkHead(KIND, this.context, event))
        return NOTHING
      case 'text':
        return this.words(event.choice, 'content', event.text)
      case 'refusal':
        return this.delta(event.choice, { refusal: event.text })
      case 'reasoning':
        this.choice(event.choice).thought += event.text
        return this.words(event.choice, 'reasoning_content', event.text)
      case 'signature':
        return this.signed(event.choice, event.signature)
      case 'redacted':
        return this.delta(event.choice, {
          reasoning_details: [hiddenDetail(event.data, this.choice(event.choice).details++)],
        })
      case 'tool': {
        const { index, id, name, signature } = event
        const call = { index, id, type: 'function', function: { name, arguments: '' } }
        return this.delta(event.choice, {
          tool_calls: [signature ? { ...call, extra_content: extraContent(signature) } : call],
        })
      }
      case 'arguments':
        return this.delta(event.choice, { tool_calls: [{ index: event.index, function: { arguments: event.text } }] })
      case 'image':
        return this.delta(event.choice, {
          images: [writeImage(event.mediaType, event.data, this.choice(event.choice).images++)],
        })
      case 'audio': {
        const { id, data, transcript, expiresAt } = event
        const audio = { id, data, transcript, expires_at: expiresAt }
        return this.delta(event.choice, { audio })
      }
      case 'citation': {
        const annotations = writeCitation(event.citation)
        return annotations.length > 0 ? this.delta(event.choice, { annotations }) : NOTHING
      }
      case 'logprobs':
        return this.delta(event.choice, {}, { content: event.content, refusal: null })
      case 'finish': {
        const choice = this.choice(event.choice)
        if (choice.finished) return NOTHING
        choice.finished = true
        return Buffer.concat([this.opening(event.choice), this.chunk([this.of(event.choice, {}, null, event.reason)])])
      }
      case 'usage':
        this.usage = event.usage
        return NOTHING
      case 'ping':
        return this.opened.size > 0 ? PING : NOTHING
      case 'error':
      case 'end':
        return NOTHING
    }
  }

  end(): Buffer {
    return streamEnd(this.head, this.context, this.usage)
  }

  fail(failure: Failure, words: string, requestId: string): Buffer {
    return streamFailure(failure, words, requestId)
  }

  private begin(head: Json): void {
    this.head = head
    this.beginning = `data: ${JSON.stringify(head).slice(0, -1)},"choices":[{"index":`
    this.ending = `},"logprobs":null,"finish_reason":null}]${this.context.request.includeUsage ? ',"usage":null' : ''}}\n\n`
  }

  private words(index: number, member: 'content' | 'reasoning_content', text: string): Buffer {
    const chunk = `${this.beginning}${index},"delta":{"${member}":${JSON.stringify(text)}${this.ending}`
    return this.opened.has(index) ? Buffer.from(chunk) : Buffer.concat([this.opening(index), Buffer.from(chunk)])
  }

  private choice(index: number): Choice {
    const known = this.choices.get(index)
    if (known) return known
    const choice = { thought: '', details: 0, images: 0, finished: false }
    this.choices.set(index, choice)
    return choice
  }

  /** The thought so far with what proves it, whole in one piece: clients that put the details together need nothing else. */
  private signed(index: number, signature: Artefact): Buffer {
    const choice = this.choice(index)
    const detail = thoughtDetail(choice.thought, signature, choice.details++)
    choice.thought = ''
    return this.delta(index, { reasoning_details: [detail] })
  }

  /** The chunk with the role, before the first of a choice. */
  private opening(index: number): Buffer {
    if (this.opened.has(index)) return NOTHING
    this.opened.add(index)
    return this.chunk([this.of(index, { role: 'assistant', content: '', refusal: null }, null, null)])
  }

  private delta(index: number, delta: Json, logprobs: Json | null = null): Buffer {
    this.choice(index)
    const chunk = this.chunk([this.of(index, delta, logprobs, null)])
    return this.opened.has(index) ? chunk : Buffer.concat([this.opening(index), chunk])
  }

  private of(index: number, delta: Json, logprobs: Json | null, finish_reason: string | null): Json {
    return { index, delta, logprobs, finish_reason }
  }

  private chunk(choices: readonly Json[]): Buffer {
    return chunkText({ ...this.head, choices, ...(this.context.request.includeUsage ? { usage: null } : {}) })
  }
}
