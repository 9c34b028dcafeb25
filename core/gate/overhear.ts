import type { AnswerStream } from '../answer-stream.ts'
import type { Answering } from '../answering.ts'
import type { ChatEvent } from '../chat.ts'
import { Malformed } from '../dialects/dialect.ts'
import type { ChatReader } from '../dialects/dialect.ts'
import type { Failure } from '../errors.ts'
import { frameParser } from '../framing.ts'
import type { FrameParser, RawFrame } from '../framing.ts'
import type { Judged } from '../judge.ts'
import { record } from '../openai-usage.ts'
import type { Transcript } from '../rescue/transcript.ts'
import type { Watch } from '../surfaces/surface.ts'
import type { Usage } from '../usage.ts'
import type { Ear } from './said.ts'

/** What goes on of what was heard: log-probabilities that the caller did not ask for do not. */
export function heard(events: readonly ChatEvent[], ear: Ear): readonly ChatEvent[] {
  ear.hear(events)
  return ear.wantsLogprobs ? events.filter(({ type }) => type !== 'logprobs') : events
}

/** A target's reader with somebody listening. */
export function tapped(reader: ChatReader, ear: Ear | undefined): ChatReader {
  if (!ear) return reader
  return { read: (frame) => heard(reader.read(frame), ear), end: () => heard(reader.end(), ear) }
}

/** Listens to answers whose bytes pass in the caller's own dialect: what goes on of them is read beside its way. */
export function overheard(answering: Answering, watch: Watch, { ear, hides }: Listening): Answering {
  return {
    ...answering,
    stream: () => new Overheard(answering.stream(), watch, { ear, hides }),
    whole(headers, body, wall) {
      const judged = answering.whole(headers, body, wall)
      return judged.fault ? judged : whole(judged, body, watch, { ear, hides })
    },
  }
}

export interface Listening {
  readonly ear: Ear
  /** Log-probabilities were asked for in OpenAI's own words though the caller did not, and must not reach it. */
  readonly hides: boolean
}

function whole(judged: Judged, body: Buffer, watch: Watch, { ear, hides }: Listening): Judged {
  const json: unknown = JSON.parse(body.toString())
  try {
    ear.hear(watch.read(json))
  } catch (error) {
    // It passes all the same, as it would if nobody listened.
    if (!(error instanceof Malformed)) throw error
    ear.lose()
  }
  return hides ? { ...judged, body: Buffer.from(JSON.stringify(withoutLogprobs(json))) } : judged
}

/** OpenAI's body or event, as it would be if log-probabilities had not been asked for. */
function withoutLogprobs(json: unknown): unknown {
  const body = record(json)
  const choices = body?.['choices']
  if (!body || !Array.isArray(choices)) return json
  return { ...body, choices: choices.map((choice: unknown) => ({ ...record(choice), logprobs: null })) }
}

/** A stream whose events pass as they are, and are heard. */
class Overheard implements AnswerStream {
  private readonly stream: AnswerStream
  private readonly ear: Ear
  private readonly hides: boolean
  private readonly parser: FrameParser
  private readonly reader: ChatReader

  constructor(stream: AnswerStream, watch: Watch, { ear, hides }: Listening) {
    this.stream = stream
    this.ear = ear
    this.hides = hides
    this.parser = frameParser(watch.framing)
    this.reader = watch.reader()
  }

  get events(): number {
    return this.stream.events
  }
  get finishReason(): string | undefined {
    return this.stream.finishReason
  }
  get done(): boolean {
    return this.stream.done
  }
  get error(): string | undefined {
    return this.stream.error
  }
  get malformed(): boolean {
    return this.stream.malformed
  }
  get complete(): boolean {
    return this.stream.complete
  }
  get usage(): Usage | undefined {
    return this.stream.usage
  }
  get told(): Usage | undefined {
    return this.stream.told
  }
  get begun(): boolean {
    return this.stream.begun
  }
  get empty(): boolean {
    return this.stream.empty
  }
  get held(): boolean {
    return this.stream.held ?? false
  }
  get diverged(): boolean {
    return this.stream.diverged ?? false
  }
  get transcript(): Transcript | undefined {
    return this.stream.transcript
  }

  push(chunk: Buffer): Buffer {
    return this.pass(this.stream.push(chunk))
  }

  end(): Buffer {
    return this.pass(this.stream.end())
  }

  close(): Buffer {
    return this.stream.close()
  }

  get failure(): AnswerStream['failure'] {
    const { stream } = this
    return stream.failure && ((failure: Failure, words: string, id: string) => said(stream, failure, words, id))
  }

  /** Hears whole frames, as only such go on. */
  private pass(out: Buffer): Buffer {
    if (out.length === 0) return out
    const frames = this.parser.push(out)
    for (const frame of frames) if (!frame.empty) this.listen(frame)
    return this.hides ? Buffer.concat(frames.map(plain)) : out
  }

  private listen(frame: RawFrame): void {
    try {
      this.ear.hear(this.reader.read(frame))
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      this.ear.lose()
    }
  }
}

const said = (stream: AnswerStream, failure: Failure, words: string, requestId: string): Buffer =>
  stream.failure?.(failure, words, requestId) ?? Buffer.alloc(0)

/** The bytes of an event without log-probabilities. */
function plain({ data, raw, empty }: RawFrame): Buffer {
  if (empty || !data.includes('"logprobs"')) return raw
  return Buffer.from(`data: ${JSON.stringify(withoutLogprobs(JSON.parse(data)))}\n\n`)
}
