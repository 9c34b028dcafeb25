import type { AnswerStream } from './answer-stream.ts'
import { LARGEST_EVENT } from './framing.ts'
import { record, usageOf } from './openai-usage.ts'
import { decode, SseParser } from './sse.ts'
import type { SseEvent } from './sse.ts'
import type { Usage } from './usage.ts'

const NOTHING = Buffer.alloc(0)

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
  private readonly parser = new SseParser(LARGEST_EVENT)
  private readonly hideUsage: boolean
  private readonly choices: number
  private readonly finished = new Set<unknown>()
  private usageData: string | undefined

  /** `hideUsage`: the caller did not ask for the usage that we asked for; `choices`: how many answers it asked for. */
  constructor(options: { readonly hideUsage: boolean; readonly choices: number }) {
    this.hideUsage = options.hideUsage
    this.choices = options.choices
  }

  /** Every answer that was asked for has its finish reason; or at least one has, and the server says that it is done. */
  get complete(): boolean {
    return this.finished.size >= this.choices || (this.done && this.finished.size > 0)
  }

  /** The last usage that was reported. */
  get usage(): Usage | undefined {
    return this.usageData === undefined ? undefined : usageOf(record(parse(this.usageData))?.['usage'])
  }

  /** Takes bytes of the answer and returns those that go on; the chunk itself where nothing is held back. Throws `EventTooLarge`. */
  push(chunk: Buffer): Buffer {
    if (this.error !== undefined || this.malformed) return NOTHING
    const clean = this.parser.between
    const events = this.parser.push(chunk)
    const kept = events.filter((event) => this.observe(event))
    if (clean && kept.length === events.length && this.parser.between) return chunk
    if (kept.length === 0) return NOTHING
    return kept.length === 1 && kept[0] ? kept[0].raw : Buffer.concat(kept.map((event) => event.raw))
  }

  /** At the end of the answer: the rest that goes on. A last event that lacks its blank line gets it; half a one is dropped. */
  end(): Buffer {
    const event = this.error === undefined ? this.parser.end() : undefined
    if (event?.data === undefined || (event.data.trim() !== '[DONE]' && parse(event.data) === undefined)) return NOTHING
    return this.observe(event) ? Buffer.concat([event.raw, Buffer.from('\n\n')]) : NOTHING
  }

  /** The bytes have said all. */
  close(): Buffer {
    return NOTHING
  }

  /** Whether the event goes on. */
  private observe(event: SseEvent): boolean {
    const { data } = event
    if (this.error !== undefined || this.malformed) return false
    if (data === undefined) return true
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
    if (hasValue(data, '"finish_reason"')) this.finish(data)
    if (!hasValue(data, '"usage"')) return true
    this.usageData = data
    return !(this.hideUsage && /"choices"\s*:\s*\[\s*\]/.test(data))
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
