import type { ChatEvent, Citation, FinishReason } from '../../chat.ts'
import type { Failure } from '../../errors.ts'
import type { Usage } from '../../usage.ts'
import type { AnswerContext, ChatWriter, Json } from '../dialect.ts'
import { callPart, hiddenPart, inlinePart, SPEECH } from './answer.ts'
import { writeCitations } from './citations.ts'
import { googleError } from './error.ts'
import { finishWords } from './finish.ts'
import { writeLogprobs } from './logprobs.ts'
import { writeSignature } from './signature.ts'
import { writeUsage } from './usage.ts'

const NOTHING = Buffer.alloc(0)

/** SDKs' chats take an event without a part for a broken answer, and forget the whole of it. */
const EMPTY = { parts: [{ text: '' }], role: 'model' }

interface Call {
  readonly id: string
  readonly name: string
  readonly signature: Extract<ChatEvent, { type: 'tool' }>['signature']
  arguments: string
}

interface Candidate {
  /** Calls whose arguments are still coming: they go out whole. */
  readonly calls: Map<number, Call>
  readonly citations: Citation[]
  finish: FinishReason | undefined
  /** What was said last: a signature belongs to it. */
  thought: boolean
}

/**
 * Writes a stream as `streamGenerateContent?alt=sse` has it: every event a `GenerateContentResponse`, functions with all their arguments at
 * once, why it ended and the usage in the last one, and no terminator.
 */
export class GeminiWriter implements ChatWriter {
  private readonly candidates = new Map<number, Candidate>()
  private usage: Usage | undefined
  private model: string
  private id: string

  constructor({ request, requestId }: AnswerContext) {
    this.model = request.model
    this.id = requestId
  }

  write(event: ChatEvent): Buffer {
    switch (event.type) {
      case 'start':
        this.model = event.model ?? this.model
        this.id = event.id ?? this.id
        return NOTHING
      case 'usage':
        this.usage = event.usage
        return NOTHING
      // Google's streams have nothing that says only that more is to come, and one of its SDKs takes comments for JSON.
      case 'ping':
      case 'error':
      case 'end':
        return NOTHING
      default:
        return this.piece(event)
    }
  }

  end(): Buffer {
    const out = [...this.candidates].map(([choice, candidate]) => this.calls(choice, candidate))
    const candidates = [...this.candidates].map(([index, { finish, citations }]) => ({
      content: EMPTY,
      ...(finish ? { finishReason: finishWords[finish] } : {}),
      index,
      ...writeCitations(citations),
    }))
    out.push(this.event({ candidates, ...(this.usage ? { usageMetadata: writeUsage(this.usage) } : {}) }))
    return Buffer.concat(out)
  }

  fail(failure: Failure, words: string, requestId: string): Buffer {
    return Buffer.from(`data: ${googleError(failure, words, requestId)}\r\n\r\n`)
  }

  private piece(event: Exclude<ChatEvent, { type: 'start' | 'usage' | 'ping' | 'error' | 'end' }>): Buffer {
    const { choice } = event
    let candidate = this.candidates.get(choice)
    if (!candidate)
      this.candidates.set(choice, (candidate = { calls: new Map(), citations: [], finish: undefined, thought: false }))
    switch (event.type) {
      case 'tool': {
        const { id, name, signature } = event
        candidate.calls.set(event.index, { id, name, signature, arguments: '' })
        return NOTHING
      }
      case 'arguments': {
        const call = candidate.calls.get(event.index)
        if (call) call.arguments += event.text
        return NOTHING
      }
      case 'citation':
        candidate.citations.push(event.citation)
        return NOTHING
      case 'finish':
        candidate.finish = event.reason
        return this.calls(choice, candidate)
      case 'logprobs':
        return this.event({
          candidates: [{ content: EMPTY, index: choice, logprobsResult: writeLogprobs(event.content) }],
        })
      case 'text':
      case 'refusal':
      case 'reasoning': {
        const thought = event.type === 'reasoning'
        const out = this.calls(choice, candidate)
        candidate.thought = thought
        return Buffer.concat([out, this.parts(choice, [{ text: event.text, ...(thought ? { thought: true } : {}) }])])
      }
      case 'signature': {
        const { signature } = event
        const thought = candidate.thought || signature.format !== 'gemini'
        return this.parts(choice, [
          { text: '', ...(thought ? { thought: true } : {}), thoughtSignature: writeSignature(signature) },
        ])
      }
      case 'redacted':
        return this.parts(choice, [hiddenPart(event)])
      case 'image':
        return this.parts(choice, [inlinePart(event.mediaType, event.data)])
      case 'audio': {
        const parts = [
          ...(event.data ? [inlinePart(SPEECH, event.data)] : []),
          ...(event.transcript ? [{ text: event.transcript }] : []),
        ]
        return parts.length > 0 ? this.parts(choice, parts) : NOTHING
      }
    }
  }

  /** The calls that are waiting, in their order. */
  private calls(choice: number, { calls }: Candidate): Buffer {
    if (calls.size === 0) return NOTHING
    const parts = [...calls]
      .sort(([a], [b]) => a - b)
      .map(([, { id, name, signature, arguments: text }]) =>
        callPart({ type: 'tool-call', id, name, arguments: text, ...(signature ? { signature } : {}) }),
      )
    calls.clear()
    return this.parts(choice, parts)
  }

  private parts(choice: number, parts: readonly Json[]): Buffer {
    return this.event({ candidates: [{ content: { parts, role: 'model' }, index: choice }] })
  }

  private event(chunk: Json): Buffer {
    const whole = { ...chunk, modelVersion: this.model, responseId: this.id }
    return Buffer.from(`data: ${JSON.stringify(whole)}\r\n\r\n`)
  }
}
