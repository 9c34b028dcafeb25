import type { ChatEvent } from '../chat.ts'
import { Malformed } from '../dialects/dialect.ts'
import type { ChatReader, Frame } from '../dialects/dialect.ts'
import { mediaUsageOf, together } from '../media-usage.ts'
import { record } from '../openai-usage.ts'
import type { Usage } from '../usage.ts'
import type { Watch } from './surface.ts'

interface Options {
  /** Without it a whole answer is none: `data`, `text`, `results`. */
  readonly member: string
  readonly makes: 'image' | 'audio' | 'text'
  /** Events that end a stream, one for each answer. */
  readonly ends?: readonly string[]
  readonly unread?: Watch['unread']
  readonly hold?: number
}

/** Watches answers of OpenAI's surfaces that are not chat: whole ones for what makes them whole, streams for the event that ends them. */
export function mediaWatch({ member, makes, ends = [], unread, hold }: Options): Watch {
  return {
    framing: 'sse',
    reader: () => new MediaReader(ends, makes),
    read(body) {
      const answer = record(body)
      if (!answer) throw new Malformed('It is no object.')
      if (answer['error'] !== undefined && answer['error'] !== null)
        return [{ type: 'error', body: JSON.stringify(answer) }]
      const value = answer[member]
      if (value === undefined || value === null || (Array.isArray(value) && value.length === 0))
        throw new Malformed(`It has no ${member}.`)
      const usage = mediaUsageOf(answer['usage'], makes)
      return [...(usage ? [{ type: 'usage', usage } as const] : []), { type: 'finish', choice: 0, reason: 'stop' }]
    },
    ...(unread ? { unread } : {}),
    ...(hold === undefined ? {} : { hold }),
  }
}

/** Only the last event of an answer is parsed: those before it hold images and sound by the megabyte. */
class MediaReader implements ChatReader {
  private readonly ends: readonly string[]
  private readonly makes: Options['makes']
  private ended = 0
  private usage: Usage | undefined

  constructor(ends: readonly string[], makes: Options['makes']) {
    this.ends = ends
    this.makes = makes
  }

  read({ type, data }: Frame): readonly ChatEvent[] {
    const text = data.trim()
    if (text === '[DONE]') return [{ type: 'end' }]
    if (!text.startsWith('{') || !text.endsWith('}')) throw new Malformed('An event is no object.')
    const last = this.ends.some((end) => type === end || text.includes(`"${end}"`))
    if (!last && type !== 'error' && !text.includes('"error"')) return []
    const event = parse(text)
    const failed =
      type === 'error' || event['type'] === 'error' || (event['error'] !== undefined && event['error'] !== null)
    if (failed) return [{ type: 'error', body: text }]
    // The words may stand in a text.
    if (!this.ends.some((end) => type === end || event['type'] === end)) return []
    const usage = mediaUsageOf(event['usage'], this.makes)
    if (usage) this.usage = together(usage, this.usage)
    const finish = { type: 'finish', choice: this.ended++, reason: 'stop' } as const
    return this.usage ? [{ type: 'usage', usage: this.usage }, finish] : [finish]
  }

  end(): readonly ChatEvent[] {
    return []
  }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return record(JSON.parse(text)) ?? {}
  } catch {
    throw new Malformed('An event is not JSON.')
  }
}
