import type { AnswerChoice, ChatAnswer, ChatEvent, Citation, FinishReason, OutputPart, TokenLogprob } from './chat.ts'
import { Malformed } from './dialects/dialect.ts'
import type { Usage } from './usage.ts'

interface Growing {
  readonly content: OutputPart[]
  readonly citations: Citation[]
  readonly logprobs: TokenLogprob[]
  /** Where each tool call is in `content`. */
  readonly calls: Map<number, number>
  finish: FinishReason | undefined
  stopSequence: string | undefined
}

/** The whole answer that events make. Throws `Malformed` where an answer has no finish reason, or arguments without a call. */
export function collect(events: Iterable<ChatEvent>): ChatAnswer {
  let id: string | undefined
  let model: string | undefined
  let created: number | undefined
  let usage: Usage | undefined
  const choices = new Map<number, Growing>()
  const of = (choice: number): Growing => {
    let growing = choices.get(choice)
    if (!growing) {
      growing = {
        content: [],
        citations: [],
        logprobs: [],
        calls: new Map(),
        finish: undefined,
        stopSequence: undefined,
      }
      choices.set(choice, growing)
    }
    return growing
  }
  for (const event of events)
    switch (event.type) {
      case 'start':
        id ??= event.id
        model ??= event.model
        created ??= event.created
        break
      case 'usage':
        usage = event.usage
        break
      case 'finish': {
        const growing = of(event.choice)
        growing.finish = event.reason
        growing.stopSequence = event.stopSequence
        break
      }
      case 'ping':
      case 'end':
      case 'error':
        break
      default:
        grow(of(event.choice), event)
    }
  return {
    id,
    model,
    created,
    usage,
    choices: [...choices].sort(([a], [b]) => a - b).map(([index, growing]) => choice(index, growing)),
  }
}

type Piece = Exclude<ChatEvent, { readonly type: 'start' | 'usage' | 'finish' | 'ping' | 'end' | 'error' }>

function grow(growing: Growing, event: Piece): void {
  const { content, calls } = growing
  const last = content.at(-1)
  switch (event.type) {
    case 'text':
    case 'refusal':
      if (last?.type === event.type) content[content.length - 1] = { ...last, text: last.text + event.text }
      else content.push({ type: event.type, text: event.text })
      break
    case 'reasoning':
      if (last?.type === 'reasoning' && !last.signature)
        content[content.length - 1] = { ...last, text: last.text + event.text }
      else content.push({ type: 'reasoning', text: event.text })
      break
    case 'signature':
      if (last?.type === 'reasoning' && !last.signature)
        content[content.length - 1] = { ...last, signature: event.signature }
      else content.push({ type: 'reasoning', text: '', signature: event.signature })
      break
    case 'redacted':
      content.push({ type: 'redacted', data: event.data })
      break
    case 'tool': {
      const { id, name, signature } = event
      calls.set(event.index, content.length)
      content.push({ type: 'tool-call', id, name, arguments: '', ...(signature ? { signature } : {}) })
      break
    }
    case 'arguments': {
      const at = calls.get(event.index)
      const call = at === undefined ? undefined : content[at]
      if (at === undefined || call?.type !== 'tool-call') throw new Malformed('There are arguments without a call.')
      content[at] = { ...call, arguments: call.arguments + event.text }
      break
    }
    case 'image':
      content.push({ type: 'image', source: { type: 'base64', mediaType: event.mediaType, data: event.data } })
      break
    case 'audio': {
      const before = last?.type === 'audio' ? last : undefined
      const id = before?.id ?? event.id
      const transcript = (before?.transcript ?? '') + (event.transcript ?? '')
      const expiresAt = event.expiresAt ?? before?.expiresAt
      const audio: OutputPart = {
        type: 'audio',
        data: joined(before?.data ?? '', event.data ?? ''),
        format: before?.format ?? '',
        ...(id === undefined ? {} : { id }),
        ...(transcript ? { transcript } : {}),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      }
      if (before) content[content.length - 1] = audio
      else content.push(audio)
      break
    }
    case 'citation':
      growing.citations.push(event.citation)
      break
    case 'logprobs':
      growing.logprobs.push(...event.content)
      break
  }
}

/** Two pieces of base64 as one: the first may end in padding, which stands only at an end. */
function joined(before: string, more: string): string {
  if (!before.endsWith('=')) return before + more
  return Buffer.concat([Buffer.from(before, 'base64'), Buffer.from(more, 'base64')]).toString('base64')
}

function choice(index: number, { content, citations, logprobs, finish, stopSequence }: Growing): AnswerChoice {
  if (!finish) throw new Malformed('The answer has no finish reason.')
  const parts = content.map((part) =>
    part.type === 'tool-call' && part.arguments === '' ? { ...part, arguments: '{}' } : part,
  )
  return {
    index,
    content: parts,
    citations,
    logprobs: logprobs.length > 0 ? logprobs : undefined,
    finish,
    stopSequence,
  }
}
