import type { AnswerStream } from './answer-stream.ts'
import type { ChatReader } from './dialects/dialect.ts'
import { Malformed } from './dialects/dialect.ts'
import { LARGEST_EVENT } from './framing.ts'
import { record, usageOf } from './openai-usage.ts'
import { Transcript } from './rescue/transcript.ts'
import { decode, SseParser } from './sse.ts'
import type { SseEvent } from './sse.ts'
import type { Usage } from './usage.ts'
import { WordEvents } from './word-events.ts'

const NOTHING = Buffer.alloc(0)
const DONE = Buffer.from('data: [DONE]\n\n')

/** How nearly all events of a chat begin to say what is new, if they say nothing else: what follows is the text and a quote. */
const PLAIN = '"delta":{"content":"'
const BACKSLASH = 0x5c
const CLOSE_OBJECT = 0x7d

interface Options {
  /** The caller did not ask for the usage that we asked for. */
  readonly hideUsage: boolean
  /** How many answers it asked for. */
  readonly choices: number
  /** Reads events other than plain text, where what goes on is to be kept. */
  readonly keep?: { readonly reader: ChatReader; readonly refusesEmpty: () => boolean } | undefined
}

/**
 * Watches a streamed answer of OpenAI's dialect on its way through, chat or completions. Only whole events go on, so that whatever
 * happens the caller never sees half a one; their bytes are untouched. Deltas are not parsed: inside a JSON string every quote has a
 * backslash before it, so `"finish_reason":` in the bytes is a key, and only where its value is not null is the event looked into.
 */
export class OpenAIStream implements AnswerStream {
  /** Events with data, `[DONE]` included. */
  events = 0
  /** The last reason that was given for an answer's end. */
  finishReason: string | undefined
  /** `[DONE]` was seen. */
  done = false
  /** The data of an error event, JSON or not; it and all after it are withheld. */
  error: string | undefined
  /** An event's data is no JSON object; it and all after it are withheld. */
  malformed = false
  /** Something has been said; known only where what goes on is kept. */
  private said = false
  empty = false
  /** What has gone on, where it is kept. */
  readonly transcript: Transcript | undefined
  private readonly keep: Options['keep']
  private readonly words = new WordEvents()
  /** The answer itself has begun. */
  private spoke = false
  private readonly parser = new SseParser(LARGEST_EVENT)
  private readonly hideUsage: boolean
  private readonly choices: number
  private readonly finished = new Set<unknown>()
  private usageData: string | undefined

  constructor({ hideUsage, choices, keep }: Options) {
    this.hideUsage = hideUsage
    this.choices = choices
    this.keep = keep
    this.transcript = keep && new Transcript()
  }

  get begun(): boolean {
    return this.keep ? this.said : this.events > 0
  }

  /** Every answer that was asked for has its finish reason; or at least one has, and the server says that it is done. */
  get complete(): boolean {
    return this.finished.size >= this.choices || (this.done && this.finished.size > 0)
  }

  /** The last usage that was reported. */
  get usage(): Usage | undefined {
    if (this.usageData === undefined) return undefined
    const chunk = record(parse(this.usageData))
    // Groq has it one level down, where it was not asked for otherwise.
    return usageOf(chunk?.['usage']) ?? usageOf(record(chunk?.['x_groq'])?.['usage'])
  }

  /** Takes bytes of the answer and returns those that go on; the chunk itself where nothing is held back. Throws `EventTooLarge`. */
  push(chunk: Buffer): Buffer {
    if (this.over) return NOTHING
    const at = this.pass(chunk)
    if (at === 0) return this.read(chunk)
    if (at === chunk.length) return chunk
    const rest = chunk.subarray(at)
    const more = this.read(rest)
    return more === rest ? chunk : Buffer.concat([chunk.subarray(0, at), more])
  }

  /** Of whole events like those before them: they pass, and nothing is to be found in them but words. Returns where they end. */
  private pass(chunk: Buffer): number {
    if (!this.words.known || !this.parser.fresh) return 0
    for (let at = 0; ;) {
      const end = this.match(chunk, at)
      if (end < 0) return at
      at = end
    }
  }

  /** The same of an event that came in pieces. */
  private isLikeLast(raw: Buffer): boolean {
    return this.match(raw, 0) === raw.length
  }

  private match(bytes: Buffer, at: number): number {
    const { words } = this
    // After its end an answer says nothing more; what comes then is looked at.
    const end = this.finished.size > 0 || this.done ? -1 : words.match(bytes, at)
    if (end < 0) return end
    this.events++
    this.spoke = true
    this.transcript?.words(0, bytes, words.from, words.to)
    return end
  }

  private read(chunk: Buffer): Buffer {
    const clean = this.parser.between
    const events = this.parser.push(chunk)
    const kept = events.filter((event) => this.observe(event))
    if (clean && kept.length === events.length && this.parser.between) return chunk
    if (kept.length === 0) return NOTHING
    return kept.length === 1 && kept[0] ? kept[0].raw : Buffer.concat(kept.map((event) => event.raw))
  }

  /** At the end of the answer: the rest that goes on. A last event that lacks its blank line gets it; half a one is dropped. */
  end(): Buffer {
    const event = this.over ? undefined : this.parser.end()
    if (event?.data === undefined || (event.data.trim() !== '[DONE]' && parse(event.data) === undefined)) return NOTHING
    return this.observe(event) ? Buffer.concat([event.raw, Buffer.from('\n\n')]) : NOTHING
  }

  /** What says that nothing follows, where the server left it out: some clients wait for it. */
  close(): Buffer {
    return this.complete && !this.done ? DONE : NOTHING
  }

  /** It, or all that is still to come of it, is withheld. */
  private get over(): boolean {
    return this.error !== undefined || this.malformed || this.empty
  }

  /** Whether the event goes on. */
  private observe(event: SseEvent): boolean {
    const { data } = event
    if (this.over) return false
    if (data === undefined) return true
    if (this.words.known && this.isLikeLast(event.raw)) return true
    this.events++
    if (data.length < 10 && data.trim() === '[DONE]') {
      this.done = true
      // Without a finish reason it would make a truncated answer look whole.
      return this.finished.size > 0
    }
    if (event.type === 'error' || hasValue(data, '"error"')) {
      // Below the top level the word is the provider's own business.
      const error = record(parse(data))?.['error']
      if (event.type === 'error' || (error !== undefined && error !== null)) {
        this.error = decode(data)
        return false
      }
    }
    if (!isBraced(data)) {
      this.malformed = true
      return false
    }
    if (this.transcript && !this.take(this.transcript, event.type, data)) return false
    const ends = hasValue(data, '"finish_reason"')
    const counts = hasValue(data, '"usage"')
    if (ends) this.finish(data)
    if (!counts) {
      if (!ends && event.type === '') this.learn(event, data)
      return true
    }
    this.usageData = data
    return !(this.hideUsage && /"choices"\s*:\s*\[\s*\]/.test(data))
  }

  /** Of an event that passed and brings words. */
  private learn({ raw }: SseEvent, data: string): void {
    const { words } = this
    words.forget()
    // What is kept is one answer; and that it has begun is to be heard by who reads.
    if (this.transcript && (this.choices !== 1 || !this.said)) return
    const at = data.indexOf(PLAIN)
    if (at < 0) return
    const end = data.indexOf('"', at + PLAIN.length)
    if (data.charCodeAt(end - 1) === BACKSLASH || data.charCodeAt(end + 1) !== CLOSE_OBJECT) return
    // The data is one line, and the last.
    const text = raw.toString('latin1')
    const before = raw.length - 2 - data.length
    if (text.startsWith(data, before)) words.learnAt(raw, text, before + at + PLAIN.length, before + end)
  }

  /** Keeps what an event says; false where it must not go on. */
  private take(kept: Transcript, type: string, data: string): boolean {
    if (!this.keep) return true
    kept.opened = true
    try {
      for (const event of this.keep.reader.read({ type, data: decode(data) })) {
        if (event.type === 'finish' && event.reason === 'stop' && !this.spoke && this.keep.refusesEmpty()) {
          this.empty = true
          return false
        }
        if (event.type === 'text' || event.type === 'refusal' || event.type === 'tool' || event.type === 'audio')
          this.spoke = this.said = true
        else if (event.type === 'reasoning' || event.type === 'redacted') this.said = true
        kept.add(event)
      }
    } catch (error) {
      // It passes all the same, as it would if nothing were kept.
      if (!(error instanceof Malformed)) throw error
      kept.lose()
    }
    return true
  }

  private finish(data: string): void {
    const choices = record(parse(data))?.['choices']
    if (!Array.isArray(choices)) return
    for (const item of choices) {
      const choice = record(item)
      const reason = choice?.['finish_reason']
      if (typeof reason !== 'string') continue
      this.finished.add(choice?.['index'] ?? 0)
      this.finishReason = reason
    }
  }
}

/** Whether it begins and ends as an object does: an event that was cut, or is no JSON at all, does not. */
function isBraced(data: string): boolean {
  let end = data.length - 1
  while (data.charCodeAt(end) <= 0x20) end--
  return data.charCodeAt(space(data, 0)) === 0x7b && data.charCodeAt(end) === 0x7d
}

/** Whether the quoted key stands in the JSON text, at any depth and any place, with a value that is not null. */
function hasValue(data: string, key: string): boolean {
  for (let at = data.indexOf(key); at >= 0; at = data.indexOf(key, at)) {
    at = space(data, at + key.length)
    if (data.charCodeAt(at) !== 0x3a) continue
    at = space(data, at + 1)
    if (data.charCodeAt(at) !== 0x6e) return true
  }
  return false
}

function space(data: string, at: number): number {
  while (data.charCodeAt(at) <= 0x20) at++
  return at
}

/** The value of a JSON text of one character a byte; undefined where it is none. */
function parse(data: string): unknown {
  try {
    return JSON.parse(decode(data))
  } catch {
    return undefined
  }
}
