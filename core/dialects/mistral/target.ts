import type { ChatEvent } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import { inWords } from '../../providers/request-words.ts'
import type { ChatReader, ChatTarget, EmbeddingsTarget, Outgoing } from '../dialect.ts'
import { openaiEmbeddingsTarget } from '../openai/embeddings.ts'
import { openaiChat } from '../openai/target.ts'
import { chatWords, embeddingsWords, THINKING } from './words.ts'

/**
 * Mistral's chat as a target: OpenAI's with other words. Made for one request, since an answer that goes on from a prefix begins with it
 * again, and the caller has it already.
 */
export function mistralChat(model: string): ChatTarget {
  const base = openaiChat({
    maxTokens: () => 'max_tokens',
    thinks: () => false,
    effort: true,
    thoughts: 'reasoning_content',
    extras: false,
  })
  let prefix = ''
  return {
    ...base,
    write(request, context) {
      const { effort = 'none' } = request.reasoning ?? {}
      const thinks = THINKING.test(model) || (effort !== 'none' && effort !== 'minimal')
      const out = inWords(chatWords(thinks, model), base.write(request, context))
      prefix = prefixOf(out)
      return out
    },
    read: (body, context) => new Prefixed(prefix).withoutPrefix(base.read(body, context)),
    reader(context) {
      const [reader, prefixed] = [base.reader(context), new Prefixed(prefix)]
      return {
        read: (frame) => prefixed.withoutPrefix(reader.read(frame)),
        end: () => prefixed.withoutPrefix(reader.end()),
      } satisfies ChatReader
    },
  }
}

export const mistralEmbeddings: EmbeddingsTarget = {
  ...openaiEmbeddingsTarget,
  write: (request, context) => inWords(embeddingsWords, openaiEmbeddingsTarget.write(request, context)),
}

/** The text that the answer is to go on from. */
function prefixOf({ body }: Outgoing): string {
  const messages = record(body)?.['messages']
  const last = record(Array.isArray(messages) ? messages.at(-1) : undefined)
  if (last?.['prefix'] !== true) return ''
  const { content } = last
  if (typeof content === 'string') return content
  return Array.isArray(content) ? content.map((part: unknown) => textOf(record(part)?.['text'])).join('') : ''
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Takes the prefix off the beginning of an answer, whatever the pieces it comes in; text that does not begin with it stays whole. */
class Prefixed {
  private readonly prefix: string
  /** What has come of it so far. */
  private seen = ''
  private over: boolean

  constructor(prefix: string) {
    this.prefix = prefix
    this.over = prefix === ''
  }

  withoutPrefix(events: readonly ChatEvent[]): readonly ChatEvent[] {
    if (this.over) return events
    const out: ChatEvent[] = []
    for (const event of events)
      if (event.type === 'text' && event.choice === 0) out.push(...this.text(event))
      else {
        if (event.type === 'finish' || event.type === 'tool' || event.type === 'end') out.push(...this.give())
        out.push(event)
      }
    return out
  }

  private text(event: Extract<ChatEvent, { type: 'text' }>): readonly ChatEvent[] {
    if (this.over) return [event]
    this.seen += event.text
    const { seen, prefix } = this
    if (seen.length < prefix.length && prefix.startsWith(seen)) return []
    this.over = true
    const text = seen.startsWith(prefix) ? seen.slice(prefix.length) : seen
    return text === '' ? [] : [{ ...event, text }]
  }

  /** An answer that ended within what looked like the prefix was none of it. */
  private give(): readonly ChatEvent[] {
    if (this.over) return []
    this.over = true
    return this.seen === '' ? [] : [{ type: 'text', choice: 0, text: this.seen }]
  }
}
