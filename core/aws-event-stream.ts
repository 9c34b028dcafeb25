import { crc32 } from 'node:zlib'
import { Malformed } from './dialects/dialect.ts'
import { EventTooLarge } from './sse.ts'

/**
 * AWS's binary event streams (`application/vnd.amazon.eventstream`,
 * https://smithy.io/2.0/aws/amazon-eventstream.html): messages of a prelude (length of all, length of the headers, CRC-32 of both),
 * headers, a payload, and a CRC-32 of all before it. Own code, since what the AWS SDK has for it (`@smithy/core`) reads async iterables
 * only, keeps no raw bytes, and brings the SDK's serialisers along.
 */

const PRELUDE = 12
const CRC = 4
const STRING = 7

/** One message of an event stream. */
export class AwsMessage {
  /** Of an event its `:event-type`, of an exception its `:exception-type`; `error` where the service failed without one. */
  readonly type: string
  /** The payload as text; of an `error` its code and message as JSON. */
  readonly data: string
  /** All its bytes as they came. */
  readonly raw: Buffer
  readonly empty = false

  constructor(type: string, data: string, raw: Buffer) {
    this.type = type
    this.data = data
    this.raw = raw
  }
}

const NONE: readonly AwsMessage[] = []

/** Cuts a byte stream into messages, whatever the chunks it comes in. Messages keep their bytes, so that they can be passed on untouched. */
export class AwsEventStreamParser {
  private readonly limit: number
  /** The message that is not whole yet, its size so far, and the size at which there is something new to be known of it. */
  private carried: Buffer[] = []
  private size = 0
  private wanted = PRELUDE
  /** Found behind messages that were good: thrown once they have been taken. */
  private fault: Error | undefined = undefined

  constructor(limitBytes: number) {
    this.limit = limitBytes
  }

  /** Whether all bytes so far belong to whole messages. */
  get between(): boolean {
    return this.size === 0
  }

  /**
   * The messages that the chunk makes whole. Throws `EventTooLarge` and `Malformed`, of what follows good messages in a chunk at the next
   * call; nothing can be read after that.
   */
  push(chunk: Buffer): readonly AwsMessage[] {
    if (this.fault) throw this.fault
    this.carried.push(chunk)
    this.size += chunk.length
    if (this.size < this.wanted) return NONE
    const [first] = this.carried
    const bytes = this.carried.length === 1 && first ? first : Buffer.concat(this.carried)
    const messages: AwsMessage[] = []
    let at = 0
    this.wanted = PRELUDE
    try {
      while (bytes.length - at >= PRELUDE) {
        const length = this.lengthOf(bytes, at)
        if (bytes.length - at < length) {
          this.wanted = length
          break
        }
        messages.push(read(bytes.subarray(at, at + length)))
        at += length
      }
    } catch (error) {
      if (!(error instanceof Malformed || error instanceof EventTooLarge)) throw error
      this.fault = error
      if (messages.length === 0) throw error
    }
    this.carried = at === bytes.length ? [] : [bytes.subarray(at)]
    this.size = bytes.length - at
    return messages
  }

  /** At the end of the stream: a message that is not whole has no use. Throws what `push` still had to. */
  end(): undefined {
    if (this.fault) throw this.fault
    return undefined
  }

  /** Of the message at `at`, whose prelude is there. */
  private lengthOf(bytes: Buffer, at: number): number {
    if (crc32(bytes.subarray(at, at + PRELUDE - CRC)) !== bytes.readUInt32BE(at + PRELUDE - CRC))
      throw new Malformed('The checksum of a message’s prelude is wrong.')
    const length = bytes.readUInt32BE(at)
    if (length > this.limit) throw new EventTooLarge(`a message is larger than ${this.limit} bytes`)
    if (length < PRELUDE + bytes.readUInt32BE(at + 4) + CRC)
      throw new Malformed('A message is shorter than its headers.')
    return length
  }
}

/** Reads one whole message, whose prelude is known to be right. */
function read(bytes: Buffer): AwsMessage {
  const end = bytes.length - CRC
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end))
    throw new Malformed('The checksum of a message is wrong.')
  const body = PRELUDE + bytes.readUInt32BE(4)
  const headers = readHeaders(bytes.subarray(PRELUDE, body))
  switch (headers.get(':message-type')) {
    case 'event':
      return new AwsMessage(headers.get(':event-type') ?? '', bytes.toString('utf8', body, end), bytes)
    case 'exception':
      return new AwsMessage(headers.get(':exception-type') ?? '', bytes.toString('utf8', body, end), bytes)
    case 'error': {
      const said = { code: headers.get(':error-code'), message: headers.get(':error-message') }
      return new AwsMessage('error', JSON.stringify(said), bytes)
    }
    default:
      throw new Malformed('A message is no event, no exception and no error.')
  }
}

/** Bytes of the values of types 0–9; -1: two bytes say how many follow. */
const SIZES = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16]

/** The headers that are strings; those of other types are only passed over. */
function readHeaders(bytes: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  try {
    for (let at = 0; at < bytes.length;) {
      const named = at + 1 + bytes.readUInt8(at)
      const type = bytes.readUInt8(named)
      const size = SIZES[type]
      if (size === undefined) throw new Malformed('A header has a type that there is not.')
      const from = named + (size < 0 ? 3 : 1)
      const to = from + (size < 0 ? bytes.readUInt16BE(named + 1) : size)
      if (to > bytes.length) throw new Malformed('A header is longer than the headers.')
      if (type === STRING) headers.set(bytes.toString('utf8', at + 1, named), bytes.toString('utf8', from, to))
      at = to
    }
  } catch (error) {
    if (error instanceof RangeError) throw new Malformed('A header ends early.', { cause: error })
    throw error
  }
  return headers
}

/** An event of that type with a payload of JSON text, as bytes. */
export function awsEvent(type: string, payload: string): Buffer {
  return message([':event-type', type, ':content-type', 'application/json', ':message-type', 'event'], payload)
}

/** An exception of that type with a payload of JSON text, as bytes; it ends the stream. */
export function awsException(type: string, payload: string): Buffer {
  return message([':exception-type', type, ':content-type', 'application/json', ':message-type', 'exception'], payload)
}

function message(headers: readonly string[], payload: string): Buffer {
  let size = 0
  for (let i = 0; i < headers.length; i += 2)
    size += 4 + Buffer.byteLength(headers[i] ?? '') + Buffer.byteLength(headers[i + 1] ?? '')
  const length = PRELUDE + size + Buffer.byteLength(payload) + CRC
  const bytes = Buffer.allocUnsafe(length)
  bytes.writeUInt32BE(length, 0)
  bytes.writeUInt32BE(size, 4)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, PRELUDE - CRC)), PRELUDE - CRC)
  let at = PRELUDE
  for (let i = 0; i < headers.length; i += 2) {
    const named = bytes.write(headers[i] ?? '', at + 1)
    bytes.writeUInt8(named, at)
    at = bytes.writeUInt8(STRING, at + 1 + named)
    const valued = bytes.write(headers[i + 1] ?? '', at + 2)
    bytes.writeUInt16BE(valued, at)
    at += 2 + valued
  }
  bytes.write(payload, at)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, length - CRC)), length - CRC)
  return bytes
}
