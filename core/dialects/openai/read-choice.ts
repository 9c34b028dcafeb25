import type { ChatEvent, Citation, TokenLogprob } from '../../chat.ts'
import { record } from '../../openai-usage.ts'
import { Malformed } from '../dialect.ts'
import type { Json } from '../dialect.ts'
import { callSignature, formatOf } from './artefacts.ts'
import { sourceOf } from './data-url.ts'
import { finishOf } from './finish.ts'

interface Call {
  /** What the server numbers it. */
  readonly key: unknown
  id: string
  name: string
  /** Its beginning has been said; until its name has come, what is known of it waits. */
  open: boolean
  /** Text of the arguments that waits, and whether any has been said. */
  waiting: string
  empty: boolean
  signature: ReturnType<typeof callSignature>
}

/**
 * Reads one answer of a chat, whole or delta by delta, of any server of OpenAI's dialect: calls without index or id, or whole in one piece;
 * thoughts under any of the names they have got; content as a string or as parts.
 */
export class ChoiceReader {
  finished = false
  private readonly choice: number
  private readonly requestId: string
  private readonly calls: Call[] = []
  /** What has been thought since the last signature. */
  private thought = ''

  constructor(choice: number, requestId: string) {
    this.choice = choice
    this.requestId = requestId
  }

  /** The events of a message or delta. */
  delta(delta: Json): readonly ChatEvent[] {
    const { choice } = this
    const out: ChatEvent[] = [...this.thoughts(delta), ...this.content(delta['content'])]
    if (text(delta['refusal'])) out.push({ type: 'refusal', choice, text: text(delta['refusal']) })
    const calls =
      delta['tool_calls'] ?? (record(delta['function_call']) ? [{ index: 0, function: delta['function_call'] }] : [])
    if (!Array.isArray(calls)) throw new Malformed('The tool calls are no list.')
    for (const call of calls) out.push(...this.call(call))
    for (const image of list(delta['images'])) {
      const source = sourceOf(text(record(record(image)?.['image_url'])?.['url']))
      if (source?.type === 'base64') out.push({ type: 'image', choice, mediaType: source.mediaType, data: source.data })
    }
    const audio = record(delta['audio'])
    if (audio) out.push({ type: 'audio', choice, ...audioOf(audio) })
    for (const annotation of list(delta['annotations'])) {
      const citation = citationOf(annotation)
      if (citation) out.push({ type: 'citation', choice, citation })
    }
    return out
  }

  logprobs(value: unknown): readonly ChatEvent[] {
    const content = list(record(value)?.['content']).map(tokenOf)
    return content.length > 0 ? [{ type: 'logprobs', choice: this.choice, content }] : []
  }

  /** The end of the answer for the reason that the server gives. */
  finish(reason: unknown, stopSequence: unknown): readonly ChatEvent[] {
    const { choice } = this
    if (this.finished) return []
    if (typeof reason !== 'string' && typeof reason !== 'number') throw new Malformed('A finish reason is no word.')
    const known = finishOf(reason, this.calls.length > 0)
    if (!known)
      return [{ type: 'error', body: JSON.stringify({ error: { message: `The answer ended with ${reason}.` } }) }]
    this.finished = true
    const owed = this.calls.flatMap((call, index): readonly ChatEvent[] => {
      if (!call.open) throw new Malformed('A tool call has no name.')
      return call.empty ? [{ type: 'arguments', choice, index, text: '{}' }] : []
    })
    const sequence = typeof stopSequence === 'string' && known === 'stop' ? { stopSequence } : {}
    return [...owed, { type: 'finish', choice, reason: known, ...sequence }]
  }

  /** Thoughts as text, as details, or as both: then a detail's words have been said already, in this delta or in those before. */
  private thoughts(delta: Json): readonly ChatEvent[] {
    const { choice } = this
    const plain = text(delta['reasoning_content']) || text(delta['reasoning']) || text(delta['thinking'])
    const details = list(delta['reasoning_details'])
      .map(record)
      .filter((it) => it !== undefined)
    const wordsOf = (detail: Json): string => text(detail['text']) || text(detail['summary'])
    const twice = plain !== '' && details.map(wordsOf).join('') === plain
    const out: ChatEvent[] = []
    const say = (words: string): void => {
      if (words === '') return
      this.thought += words
      out.push({ type: 'reasoning', choice, text: words })
    }
    if (!twice) say(plain)
    for (const detail of details) {
      const format = formatOf(detail['format'])
      const [words, signature, data] = [wordsOf(detail), text(detail['signature']), text(detail['data'])]
      if (detail['type'] === 'reasoning.encrypted') {
        if (data) out.push({ type: 'redacted', choice, data: { format, value: data } })
        continue
      }
      if (twice || (plain === '' && !(signature && words === this.thought))) say(words)
      if (!signature) continue
      out.push({ type: 'signature', choice, signature: { format, value: signature } })
      this.thought = ''
    }
    return out
  }

  /** A string, or parts as Mistral has them: `thinking` holds parts of its own. */
  private content(content: unknown): readonly ChatEvent[] {
    const { choice } = this
    if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', choice, text: content }]
    return list(content).flatMap((item): readonly ChatEvent[] => {
      const part = record(item)
      if (part?.['type'] === 'refusal') return [{ type: 'refusal', choice, text: text(part['refusal']) }]
      if (part?.['type'] !== 'thinking')
        return text(part?.['text']) ? [{ type: 'text', choice, text: text(part?.['text']) }] : []
      const { thinking } = part
      const words =
        typeof thinking === 'string'
          ? thinking
          : list(thinking)
              .map((it) => text(record(it)?.['text']))
              .join('')
      return words ? [{ type: 'reasoning', choice, text: words }] : []
    })
  }

  private call(value: unknown): readonly ChatEvent[] {
    const call = record(value)
    if (!call) throw new Malformed('A tool call is no object.')
    const { choice } = this
    const fn = record(call['function']) ?? {}
    const [id, name] = [text(call['id']), text(fn['name'])]
    const known = this.find(call['index'], id, name)
    const it = known ?? this.add(call['index'], id)
    const index = this.calls.indexOf(it)
    if (it.name === '') it.name = name
    it.signature ??= callSignature(call['extra_content'])
    const more =
      fn['arguments'] === null || fn['arguments'] === undefined
        ? ''
        : typeof fn['arguments'] === 'string'
          ? fn['arguments']
          : JSON.stringify(fn['arguments'])
    const out: ChatEvent[] = []
    if (!it.open) {
      it.waiting += more
      if (it.name === '') return out
      it.open = true
      out.push({
        type: 'tool',
        choice,
        index,
        id: it.id,
        name: it.name,
        ...(it.signature ? { signature: it.signature } : {}),
      })
    } else it.waiting = more
    if (it.waiting !== '') {
      out.push({ type: 'arguments', choice, index, text: it.waiting })
      it.empty = false
      it.waiting = ''
    }
    return out
  }

  /** The call that a piece belongs to: by index, unless the server gives every call the same; else by id; else the last. */
  private find(key: unknown, id: string, name: string): Call | undefined {
    const last = this.calls.at(-1)
    if (typeof key === 'number') {
      const same = this.calls.findLast((call) => call.key === key)
      // Another id with a name of its own is another call, whatever its number.
      return same && id !== '' && id !== same.id && name !== '' && same.open ? undefined : same
    }
    if (id !== '') return this.calls.find((call) => call.id === id)
    return name !== '' && last?.open ? undefined : last
  }

  private add(key: unknown, id: string): Call {
    const made = id || `call_${this.requestId}_${this.choice}_${this.calls.length}`
    const call: Call = { key, id: made, name: '', open: false, waiting: '', empty: true, signature: undefined }
    this.calls.push(call)
    return call
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function audioOf(audio: Json): Omit<Extract<ChatEvent, { type: 'audio' }>, 'type' | 'choice'> {
  const { id, data, transcript, expires_at: expiresAt } = audio
  return {
    ...(typeof id === 'string' ? { id } : {}),
    ...(typeof data === 'string' ? { data } : {}),
    ...(typeof transcript === 'string' ? { transcript } : {}),
    ...(typeof expiresAt === 'number' ? { expiresAt } : {}),
  }
}

function citationOf(value: unknown): Citation | undefined {
  const annotation = record(value)
  const it = record(annotation?.['url_citation'])
  if (typeof it?.['url'] !== 'string') return undefined
  const { url, title, content, start_index: start, end_index: end } = it
  return {
    url,
    ...(typeof title === 'string' && title ? { title } : {}),
    ...(typeof content === 'string' ? { text: content } : {}),
    ...(typeof start === 'number' ? { start } : {}),
    ...(typeof end === 'number' ? { end } : {}),
  }
}

function tokenOf(value: unknown): TokenLogprob {
  const it = record(value) ?? {}
  const one = (entry: Json): Omit<TokenLogprob, 'top_logprobs'> => {
    const { token, logprob, bytes } = entry
    if (typeof token !== 'string' || typeof logprob !== 'number') throw new Malformed('A log-probability is none.')
    const whole = Array.isArray(bytes) ? bytes.filter((byte) => typeof byte === 'number') : null
    return { token, logprob, bytes: whole }
  }
  return { ...one(it), top_logprobs: list(it['top_logprobs']).map((top) => one(record(top) ?? {})) }
}
