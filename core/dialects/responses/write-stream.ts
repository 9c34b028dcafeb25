import type { ChatEvent, FinishReason, TokenLogprob } from '../../chat.ts'
import type { Failure } from '../../errors.ts'
import type { Usage } from '../../usage.ts'
import type { AnswerContext, ChatWriter, Json } from '../dialect.ts'
import { areWhole } from '../whole-arguments.ts'
import { customItem, customNames, inputOfArguments } from './custom-tool.ts'
import { encrypt } from './encrypted.ts'
import {
  annotation,
  callItem,
  imageItem,
  itemId,
  message,
  reasoningItem,
  responseId,
  textPart,
  writeResponse,
} from './write-response.ts'

const NOTHING = Buffer.alloc(0)

interface Item {
  readonly index: number
  readonly id: string
}
type Open =
  | (Item & { readonly kind: 'message'; readonly parts: Json[]; part: Spoken | undefined })
  | (Item & { readonly kind: 'reasoning'; text: string })
interface Spoken {
  readonly type: 'output_text' | 'refusal'
  text: string
  readonly annotations: Json[]
  readonly logprobs: TokenLogprob[]
}
interface Call extends Item {
  readonly callId: string
  readonly name: string
  /** It takes a text that is known only when its arguments are whole. */
  readonly custom: boolean
  text: string
  done: boolean
}

/**
 * Writes a stream of typed events, each with its number: https://platform.openai.com/docs/api-reference/responses-streaming. Items come one
 * after the other, each added, filled and done, except calls whose arguments come in turns: those are done together at the end.
 */
export class ResponsesWriter implements ChatWriter {
  private readonly context: AnswerContext
  private out: string[] = []
  private sequence = 0
  private begun = false
  private id: string
  private model: string
  private created: number
  /** Items that are done, by their place. */
  private readonly output: Json[] = []
  private items = 0
  private open: Open | undefined
  private readonly calls = new Map<number, Call>()
  private readonly custom: ReadonlySet<string>
  private finish: FinishReason | undefined
  private usage: Usage | undefined

  constructor(context: AnswerContext) {
    this.context = context
    this.custom = customNames(context.request.tools)
    this.id = responseId(undefined, context.requestId)
    this.model = context.request.model
    this.created = context.now
  }

  write(event: ChatEvent): Buffer {
    if ('choice' in event && event.choice > 0) return NOTHING
    this.take(event)
    return this.flush()
  }

  end(): Buffer {
    this.begin()
    this.closeAll()
    const response = this.response()
    this.emit(response['status'] === 'incomplete' ? 'response.incomplete' : 'response.completed', { response })
    return this.flush()
  }

  /** As the SDKs raise it: the API's own event, with the error as an object besides for those that look for one. */
  fail({ code, entry }: Failure, words: string, requestId: string): Buffer {
    const error = { type: entry.type, code, message: words, param: null }
    this.emit('error', { code, message: words, param: null, error, request_id: requestId })
    return this.flush()
  }

  private take(event: ChatEvent): void {
    switch (event.type) {
      case 'start':
        // Nothing goes out before there is something to say, so that a target that fails here can still be changed for another.
        this.id = responseId(event.id, this.context.requestId)
        this.model = event.model ?? this.model
        this.created = event.created ?? this.created
        break
      case 'text':
      case 'refusal':
        this.say(event.type === 'text' ? 'output_text' : 'refusal', event.text)
        break
      case 'audio':
        if (event.transcript) this.say('output_text', event.transcript)
        break
      case 'logprobs':
        this.spoken('output_text').logprobs.push(...event.content)
        break
      case 'citation':
        this.cite(annotation(event.citation))
        break
      case 'reasoning':
        this.think(event.text)
        break
      case 'signature':
        this.closeReasoning(encrypt(event.signature, 'signature'))
        break
      case 'redacted':
        this.whole((item) => reasoningItem(item.id, '', encrypt(event.data, 'redacted')), 'rs')
        break
      case 'image':
        this.whole((item) => imageItem(item.id, event.data), 'ig')
        break
      case 'tool':
        this.call(event)
        break
      case 'arguments':
        this.argue(event.index, event.text)
        break
      case 'finish':
        this.begin()
        this.finish = event.reason
        break
      case 'usage':
        this.usage = event.usage
        break
      case 'ping':
        if (this.begun) this.out.push(': ping\n\n')
        break
      case 'error':
      case 'end':
        break
    }
  }

  private emit(type: string, members: Json): void {
    this.out.push(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.sequence++, ...members })}\n\n`)
  }

  private flush(): Buffer {
    if (this.out.length === 0) return NOTHING
    const bytes = Buffer.from(this.out.join(''))
    this.out = []
    return bytes
  }

  private response(): Json {
    const { id, model, created, finish, usage } = this
    return writeResponse({ id, model, created, output: this.output, finish, usage }, this.context)
  }

  private begin(): void {
    if (this.begun) return
    this.begun = true
    this.emit('response.created', { response: this.response() })
    this.emit('response.in_progress', { response: this.response() })
  }

  private item(kind: Parameters<typeof itemId>[0]): Item {
    const index = this.items++
    return { index, id: itemId(kind, this.id, index) }
  }

  private added(item: Json, index: number): void {
    this.emit('response.output_item.added', { output_index: index, item })
  }

  private done(item: Json, index: number): void {
    this.output[index] = item
    this.emit('response.output_item.done', { output_index: index, item })
  }

  /** An item that comes in one piece. */
  private whole(write: (item: Item) => Json, kind: Parameters<typeof itemId>[0]): void {
    this.next()
    const item = this.item(kind)
    const written = write(item)
    this.added(written, item.index)
    this.done(written, item.index)
  }

  /** Something else begins: what was open is done. */
  private next(): void {
    this.begin()
    this.close()
    // A call whose arguments are whole gets no more of them.
    for (const call of this.calls.values()) if (!call.done && areWhole(call.text)) this.closeCall(call)
  }

  private closeAll(): void {
    this.close()
    for (const call of this.calls.values()) if (!call.done) this.closeCall(call)
  }

  private close(): void {
    if (this.open?.kind === 'reasoning') this.closeReasoning(undefined)
    else if (this.open?.kind === 'message') {
      this.closePart()
      const { id, index, parts } = this.open
      this.open = undefined
      this.done(message(id, parts), index)
    }
  }

  // Words.

  private spoken(type: Spoken['type']): Spoken {
    if (this.open?.kind !== 'message') {
      this.next()
      const item = this.item('msg')
      this.open = { ...item, kind: 'message', parts: [], part: undefined }
      this.added(message(item.id, [], 'in_progress'), item.index)
    }
    const { open } = this
    if (open.part?.type === type) return open.part
    this.closePart()
    const part: Spoken = { type, text: '', annotations: [], logprobs: [] }
    open.part = part
    this.emit('response.content_part.added', { ...this.place(), part: partOf(part) })
    return part
  }

  /** Where the open part is. */
  private place(): Json {
    const { open } = this
    return open?.kind === 'message'
      ? { item_id: open.id, output_index: open.index, content_index: open.parts.length }
      : {}
  }

  private say(type: Spoken['type'], text: string): void {
    const part = this.spoken(type)
    part.text += text
    const logprobs = type === 'output_text' ? { logprobs: [] } : {}
    this.emit(`response.${type}.delta`, { ...this.place(), delta: text, ...logprobs })
  }

  private cite(annotations: readonly Json[]): void {
    for (const it of annotations) {
      const part = this.spoken('output_text')
      this.emit('response.output_text.annotation.added', {
        ...this.place(),
        annotation_index: part.annotations.length,
        annotation: it,
      })
      part.annotations.push(it)
    }
  }

  private closePart(): void {
    const { open } = this
    if (open?.kind !== 'message' || !open.part) return
    const { part } = open
    const written = partOf(part)
    if (part.type === 'refusal') this.emit('response.refusal.done', { ...this.place(), refusal: part.text })
    else this.emit('response.output_text.done', { ...this.place(), text: part.text, logprobs: part.logprobs })
    this.emit('response.content_part.done', { ...this.place(), part: written })
    open.parts.push(written)
    open.part = undefined
  }

  // Thoughts.

  private think(text: string): void {
    if (this.open?.kind !== 'reasoning') {
      this.next()
      const item = this.item('rs')
      this.open = { ...item, kind: 'reasoning', text: '' }
      this.added(reasoningItem(item.id, '', undefined), item.index)
      const part = { type: 'summary_text', text: '' }
      this.emit('response.reasoning_summary_part.added', {
        item_id: item.id,
        output_index: item.index,
        summary_index: 0,
        part,
      })
    }
    const { open } = this
    open.text += text
    this.emit('response.reasoning_summary_text.delta', {
      item_id: open.id,
      output_index: open.index,
      summary_index: 0,
      delta: text,
    })
  }

  private closeReasoning(encrypted: string | undefined): void {
    const { open } = this
    if (open?.kind !== 'reasoning') {
      // A signature of thoughts that were not shown.
      if (encrypted !== undefined) this.whole(({ id }) => reasoningItem(id, '', encrypted), 'rs')
      return
    }
    this.open = undefined
    const { id, index, text } = open
    const place = { item_id: id, output_index: index, summary_index: 0 }
    this.emit('response.reasoning_summary_text.done', { ...place, text })
    this.emit('response.reasoning_summary_part.done', { ...place, part: { type: 'summary_text', text } })
    this.done(reasoningItem(id, text, encrypted), index)
  }

  // Calls.

  private call({ index, id, name, signature }: Extract<ChatEvent, { type: 'tool' }>): void {
    if (signature) this.whole((it) => reasoningItem(it.id, '', encrypt(signature, 'call')), 'rs')
    this.next()
    const custom = this.custom.has(name)
    const item = this.item(custom ? 'ctc' : 'fc')
    this.calls.set(index, { ...item, callId: id, name, custom, text: '', done: false })
    const begun = custom
      ? { ...customItem(item.id, id, name, ''), status: 'in_progress' }
      : callItem(item.id, id, name, '', 'in_progress')
    this.added(begun, item.index)
  }

  private argue(index: number, text: string): void {
    const call = this.calls.get(index)
    if (!call || call.done) return
    call.text += text
    if (call.custom) return
    this.emit('response.function_call_arguments.delta', { item_id: call.id, output_index: call.index, delta: text })
  }

  private closeCall(call: Call): void {
    call.done = true
    const { id, index, callId, name } = call
    const text = call.text || '{}'
    if (call.custom) {
      const [place, input] = [{ item_id: id, output_index: index }, inputOfArguments(text)]
      this.emit('response.custom_tool_call_input.delta', { ...place, delta: input })
      this.emit('response.custom_tool_call_input.done', { ...place, input })
      return this.done(customItem(id, callId, name, text), index)
    }
    this.emit('response.function_call_arguments.done', { item_id: id, output_index: index, name, arguments: text })
    this.done(callItem(id, callId, name, text), index)
  }
}

function partOf({ type, text, annotations, logprobs }: Spoken): Json {
  return type === 'refusal' ? { type, refusal: text } : textPart(text, annotations, logprobs)
}
