import { AwsEventStreamParser } from './aws-event-stream.ts'
import type { Frame, Framing } from './dialects/dialect.ts'
import { SseParser } from './sse.ts'
import type { SseEvent } from './sse.ts'

/** A frame with its bytes as they came. */
export interface RawFrame extends Frame {
  readonly raw: Buffer
  /** It carries no data: a comment, a keep-alive. */
  readonly empty: boolean
}

/** Cuts the bytes of a stream into frames, whatever chunks they come in. */
export interface FrameParser {
  /** Whether the next byte begins a frame, and no memory of what went before is needed to read it; undefined where frames are not text. */
  readonly fresh?: boolean
  /** The frames that the chunk makes whole. Throws `EventTooLarge`, and `Malformed` where a checksum is wrong. */
  push(chunk: Buffer): readonly RawFrame[]
  /** At the end: what came of a frame that was not ended. Throws `Malformed`. */
  end(): RawFrame | undefined
}

/** More than any event that is not an attack: images come in some, as base64. */
export const LARGEST_EVENT = 32 * 1024 * 1024

/** Server-sent events as frames. */
class SseFrames implements FrameParser {
  private readonly parser = new SseParser(LARGEST_EVENT)

  get fresh(): boolean {
    return this.parser.fresh
  }

  push(chunk: Buffer): readonly RawFrame[] {
    return this.parser.push(chunk).map(frame)
  }

  end(): RawFrame | undefined {
    const event = this.parser.end()
    return event && frame(event)
  }
}

function frame(event: SseEvent): RawFrame {
  return { type: event.type, data: event.text, raw: event.raw, empty: event.data === undefined }
}

const parsers: Readonly<Record<Framing, () => FrameParser>> = {
  sse: () => new SseFrames(),
  'aws-event-stream': () => new AwsEventStreamParser(LARGEST_EVENT),
}

export const frameParser = (framing: Framing): FrameParser => parsers[framing]()

/** The content type of streams of a framing. */
export const streamTypes: Readonly<Record<Framing, string>> = {
  sse: 'text/event-stream',
  'aws-event-stream': 'application/vnd.amazon.eventstream',
}
