/** How an answer travels; faults change this, the answer's words, or both. Times are in milliseconds, `Infinity` is for ever. */
export interface Delivery {
  /** Silence before the status line, besides the mock's own latency. */
  readonly holdHeaders: number
  /** Number of parts sent before a silence of `stallFor`. */
  readonly stallAfter: number
  readonly stallFor: number
  /** Bytes of body after which the connection goes away. */
  readonly cutAt: number
  /** How far `content-length` is from the truth; 0 is honest. */
  readonly lengthLie: number
  /** The body in pieces of so many bytes, one every `pieceEvery`. */
  readonly pieceBytes: number
  readonly pieceEvery: number
  /** What becomes of the connection: `keep` it, `reset` (RST) or `hang-up` (FIN) in place of an answer, or where `cutAt` says. */
  readonly connection: 'keep' | 'reset' | 'hang-up'
}

/** A piece of a body: text, or bytes where a provider's framing is binary. */
export type Part = string | Buffer

/** One answer as a value: what is said (`parts`: one whole body, or one event of a stream each) and how it is delivered. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly parts: readonly Part[]
  readonly stream: boolean
  /** Tokens of the answer, which `tokensPerSecond` turns into time for an answer that is not streamed. */
  readonly tokens: number
  readonly delivery: Delivery
}

const honest: Delivery = {
  holdHeaders: 0,
  stallAfter: Infinity,
  stallFor: 0,
  cutAt: Infinity,
  lengthLie: 0,
  pieceBytes: Infinity,
  pieceEvery: 0,
  connection: 'keep',
}

/** A whole answer of one part. */
export function whole(part: Part, type: string, tokens = 0): Answer {
  return { status: 200, headers: { 'content-type': type }, parts: [part], stream: false, tokens, delivery: honest }
}

/** A whole JSON answer. */
export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}, tokens = 0): Answer {
  const answer = whole(JSON.stringify(body), 'application/json', tokens)
  return { ...answer, status, headers: { ...answer.headers, ...headers } }
}

/** A streamed answer, one part for each event; server-sent events unless `type` says otherwise. */
export function streamed(parts: readonly Part[], tokens: number, type = 'text/event-stream; charset=utf-8'): Answer {
  return {
    status: 200,
    headers: { 'content-type': type, 'cache-control': 'no-cache' },
    parts,
    stream: true,
    tokens,
    delivery: honest,
  }
}

/** One server-sent event with `body` as JSON, with a name where one is given. */
export function event(body: unknown, name?: string): string {
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(body)}\n\n`
}

/** The body of an answer in one piece: text where every part is. */
export function bodyOf({ parts }: Answer): Part {
  return parts.every((part) => typeof part === 'string') ? parts.join('') : Buffer.concat(parts.map(bytesOf))
}

export function bytesOf(part: Part): Buffer {
  return typeof part === 'string' ? Buffer.from(part) : part
}

/** Thrown for a request that is wrong; becomes the answer, which has the provider's own words. */
export class Refusal extends Error {
  readonly answer: Answer
  constructor(message: string, answer: Answer) {
    super(message)
    this.answer = answer
  }
}
