import { createHash } from 'node:crypto'
import type { ChatEvent } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import { Malformed } from '../dialect.ts'
import type { ChatReader, Frame, Json } from '../dialect.ts'
import { readCitations } from './citations.ts'
import { finishOf } from './finish.ts'
import { readLogprobs } from './logprobs.ts'
import { usageOf } from './usage.ts'

interface Candidate {
  /** Functions called so far. */
  calls: number
  finished: boolean
}

/**
 * Reads an answer, whole or chunk by chunk (each is a `GenerateContentResponse`): https://ai.google.dev/api/generate-content. A stream has
 * no terminator, and its usage stands in every chunk, so far.
 */
export class GeminiReader implements ChatReader {
  private readonly requestId: string
  private readonly candidates = new Map<number, Candidate>()
  /** Citations that were told: some streams repeat them. */
  private readonly cited = new Set<string>()
  private started = false
  private over = false

  /** Ids of calls are made of the request's. */
  constructor(requestId: string) {
    this.requestId = requestId
  }

  read({ data }: Frame): readonly ChatEvent[] {
    // Nothing of Google's; servers that imitate it send it.
    if (data.trim() === '[DONE]') return this.end()
    let chunk: unknown
    try {
      chunk = JSON.parse(data)
    } catch {
      throw new Malformed('An event of the stream is not JSON.')
    }
    return this.chunk(chunk)
  }

  /** The events of one chunk, or of a whole answer. Throws `Malformed`. */
  chunk(value: unknown): readonly ChatEvent[] {
    const chunk = record(value)
    if (!chunk) throw new Malformed('It is not a JSON object.')
    if (chunk['error'] !== undefined) return [{ type: 'error', body: JSON.stringify(chunk) }]
    const events: ChatEvent[] = []
    if (!this.started) {
      this.started = true
      events.push(start(chunk))
    }
    const candidates = list(chunk, 'candidates')
    for (const candidate of candidates) {
      if (this.candidate(object(candidate, 'candidates'), events)) continue
      return events
    }
    // The prompt was refused: there are no candidates at all, now or later.
    if (record(chunk['promptFeedback'])?.['blockReason'] !== undefined && this.candidates.size === 0) {
      this.candidates.set(0, { calls: 0, finished: true })
      events.push({ type: 'finish', choice: 0, reason: 'content_filter' })
    }
    const usage = usageOf(chunk['usageMetadata'])
    if (usage) events.push({ type: 'usage', usage })
    return events
  }

  end(): readonly ChatEvent[] {
    const whole = this.candidates.size > 0 && [...this.candidates.values()].every(({ finished }) => finished)
    if (!whole || this.over) return []
    this.over = true
    return [{ type: 'end' }]
  }

  /** False: it failed, and nothing more is to be read. */
  private candidate(candidate: Json, events: ChatEvent[]): boolean {
    const index = candidate['index']
    // What is 0 is left out of the JSON.
    const choice = typeof index === 'number' ? index : 0
    let state = this.candidates.get(choice)
    if (!state) this.candidates.set(choice, (state = { calls: 0, finished: false }))
    const content = record(candidate['content'])
    if (content) for (const part of list(content, 'parts')) this.part(object(part, 'parts'), choice, state, events)
    const logprobs = readLogprobs(candidate['logprobsResult'])
    if (logprobs.length > 0) events.push({ type: 'logprobs', choice, content: logprobs })
    for (const citation of readCitations(candidate)) {
      const key = `${choice} ${JSON.stringify(citation)}`
      if (this.cited.has(key)) continue
      this.cited.add(key)
      events.push({ type: 'citation', choice, citation })
    }
    const reason = candidate['finishReason']
    if (typeof reason !== 'string' || reason === 'FINISH_REASON_UNSPECIFIED' || state.finished) return true
    const message = candidate['finishMessage']
    const finish = finishOf(reason, typeof message === 'string' ? message : undefined, state.calls > 0)
    if ('error' in finish) {
      events.push({ type: 'error', body: finish.error })
      return false
    }
    state.finished = true
    events.push({ type: 'finish', choice, reason: finish.reason })
    return true
  }

  private part(part: Json, choice: number, state: Candidate, events: ChatEvent[]): void {
    const text = part['text']
    const call = record(part['functionCall'])
    const value = part['thoughtSignature']
    const signature = typeof value === 'string' && value !== '' ? ({ format: 'gemini', value } as const) : undefined
    if (call) {
      const name = call['name']
      // More of the arguments before it, for callers of Vertex AI that asked for arguments in pieces.
      if (name === undefined && state.calls > 0) return
      if (typeof name !== 'string' || name === '') throw new Malformed('A function call has no name.')
      const index = state.calls++
      const id = typeof call['id'] === 'string' && call['id'] !== '' ? call['id'] : this.callId(choice, index, name)
      events.push({ type: 'tool', choice, index, id, name, ...(signature ? { signature } : {}) })
      events.push({ type: 'arguments', choice, index, text: JSON.stringify(call['args'] ?? {}) })
      return
    }
    if (typeof text === 'string' && text !== '')
      events.push({ type: part['thought'] === true ? 'reasoning' : 'text', choice, text })
    else if (part['inlineData'] !== undefined) inline(object(part['inlineData'], 'inlineData'), choice, events)
    else if (part['executableCode'] !== undefined) ran(record(part['executableCode'])?.['code'], choice, events)
    else if (part['codeExecutionResult'] !== undefined)
      ran(record(part['codeExecutionResult'])?.['output'], choice, events)
    if (signature) events.push({ type: 'signature', choice, signature })
  }

  private callId(choice: number, index: number, name: string): string {
    const digest = createHash('sha256').update(`${this.requestId} ${choice} ${index} ${name}`).digest('hex')
    return `call_${digest.slice(0, 24)}`
  }
}

function start(chunk: Json): ChatEvent {
  const { responseId, modelVersion, createTime } = chunk
  const created = typeof createTime === 'string' ? Math.floor(Date.parse(createTime) / 1000) : NaN
  return {
    type: 'start',
    ...(typeof responseId === 'string' ? { id: responseId } : {}),
    ...(typeof modelVersion === 'string' ? { model: modelVersion } : {}),
    ...(Number.isNaN(created) ? {} : { created }),
  }
}

/** Pictures and speech; files that code of the model's made go the way of pictures, with their type. */
function inline({ mimeType, data }: Json, choice: number, events: ChatEvent[]): void {
  if (typeof mimeType !== 'string' || typeof data !== 'string') throw new Malformed('Inline data without its type.')
  if (mimeType.startsWith('audio/')) events.push({ type: 'audio', choice, data })
  else events.push({ type: 'image', choice, mediaType: mimeType, data })
}

/** Code that Google ran, and what came out of it: text to everybody else. */
function ran(text: unknown, choice: number, events: ChatEvent[]): void {
  if (typeof text === 'string' && text !== '')
    events.push({ type: 'text', choice, text: `\n\`\`\`\n${text}\n\`\`\`\n` })
}

function list(of: Json, name: string): readonly unknown[] {
  const value = of[name]
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new Malformed(`Its ${name} are no list.`)
  return value
}

function object(value: unknown, name: string): Json {
  const found = record(value)
  if (!found) throw new Malformed(`One of its ${name} is no object.`)
  return found
}
