import { AwsEventStreamParser } from './aws-event-stream.ts'
import type { Frame, Framing } from './dialects/dialect.ts'
import { decode, SseParser } from './sse.ts'

/** A frame with its bytes as they came. */
export interface RawFrame extends Frame {
  readonly raw: Buffer
  /** It carries no data: a comment, a keep-alive. */
  readonly empty: boolean
}

/** Cuts the bytes of a stream into frames, whatever chunks they come in. */
export interface FrameParser {
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

  push(chunk: Buffer): readonly RawFrame[] {
    return this.parser.push(chunk).map(frame)
  }

  end(): RawFrame | undefined {
    const event = this.parser.end()
    return event && frame(event)
  }
}

function frame({ type, data, raw }: ReturnType<SseParser['push']>[number]): RawFrame {
  return { type, data: data === undefined ? '' : decode(data), raw, empty: data === undefined }
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
