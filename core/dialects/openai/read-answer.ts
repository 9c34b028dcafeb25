import type { ChatEvent } from '../../chat.ts'
import { record, usageOf } from '../../openai-usage.ts'
import { Malformed } from '../dialect.ts'
import type { ChatReader, Frame, Json } from '../dialect.ts'
import { ChoiceReader } from './read-choice.ts'
import { readFrame } from './read-frame.ts'

/** Reads the body of a whole answer as the events that the same answer streamed has. */
export function readAnswer(body: unknown, requestId: string): readonly ChatEvent[] {
  const answer = record(body)
  if (!answer) throw new Malformed('The answer is no object.')
  const reader = new OpenAIReader(requestId)
  const events = reader.chunk(answer, JSON.stringify(body))
  if (events.some(({ type }) => type === 'error')) return events
  if (!events.some(({ type }) => type === 'finish'))
    throw new Malformed('The answer has no choice with a finish reason.')
  return [...events, ...reader.end(), { type: 'end' }]
}

/** Reads a stream of chunks, or one whole answer as a chunk that holds everything. */
export class OpenAIReader implements ChatReader {
  readonly steady = true
  private readonly requestId: string
  private readonly choices = new Map<number, ChoiceReader>()
  private started = false
  private cited = new Set<unknown>()

  /** Ids of calls that have none are made of `requestId`. */
  constructor(requestId: string) {
    this.requestId = requestId
  }

  read(frame: Frame): readonly ChatEvent[] {
    const chunk = readFrame(frame)
    if (chunk === 'end') return [{ type: 'end' }]
    const { type, data } = frame
    return chunk === 'error' || type === 'error' ? [{ type: 'error', body: data }] : this.chunk(chunk, data)
  }

  end(): readonly ChatEvent[] {
    return []
  }

  chunk(chunk: Json, source: string): readonly ChatEvent[] {
    // vLLM's errors have no envelope: {"object":"error","message":…}.
    if ((chunk['error'] !== undefined && chunk['error'] !== null) || chunk['object'] === 'error')
      return [{ type: 'error', body: source }]
    const out: ChatEvent[] = []
    const { choices, id, model, created } = chunk
    if (choices !== undefined && choices !== null && !Array.isArray(choices))
      throw new Malformed('The choices are no list.')
    const listed: readonly unknown[] = choices ?? []
    // Azure's first chunk has filter results and neither id nor model.
    if (!this.started && (listed.length > 0 || (typeof id === 'string' && id !== ''))) {
      this.started = true
      out.push({
        type: 'start',
        ...(typeof id === 'string' && id ? { id } : {}),
        ...(typeof model === 'string' && model ? { model } : {}),
        ...(typeof created === 'number' ? { created } : {}),
      })
    }
    let usage = usageOf(chunk['usage']) ?? usageOf(record(chunk['x_groq'])?.['usage'])
    for (const item of listed) {
      const choice = record(item)
      if (!choice) throw new Malformed('A choice is no object.')
      out.push(...this.choice(choice, chunk['citations']))
      usage ??= usageOf(choice['usage']) // Moonshot
    }
    if (usage) out.push({ type: 'usage', usage })
    return out
  }

  private choice(choice: Json, sources: unknown): readonly ChatEvent[] {
    const index = typeof choice['index'] === 'number' ? choice['index'] : 0
    let reader = this.choices.get(index)
    if (!reader) this.choices.set(index, (reader = new ChoiceReader(index, this.requestId)))
    if (reader.finished) return []
    const delta = record(choice['delta']) ?? record(choice['message'])
    const out: ChatEvent[] = delta ? [...reader.delta(delta)] : []
    out.push(...reader.logprobs(choice['logprobs']), ...this.sources(index, sources))
    const { finish_reason: reason } = choice
    if (reason !== undefined && reason !== null && reason !== '')
      out.push(...reader.finish(reason, choice['stop_reason']))
    return out
  }

  /** Perplexity and xAI list the addresses beside the choices, again with every chunk. */
  private sources(choice: number, sources: unknown): readonly ChatEvent[] {
    if (!Array.isArray(sources)) return []
    return sources.flatMap((url: unknown): readonly ChatEvent[] => {
      if (typeof url !== 'string' || this.cited.has(url)) return []
      this.cited.add(url)
      return [{ type: 'citation', choice, citation: { url } }]
    })
  }
}
