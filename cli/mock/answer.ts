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

/** One answer as a value: what is said (`parts`: one whole body, or one server-sent event each) and how it is delivered. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly parts: readonly string[]
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

/** A whole JSON answer. */
export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}, tokens = 0): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    parts: [JSON.stringify(body)],
    stream: false,
    tokens,
    delivery: honest,
  }
}

/** A streamed answer: each of `events` becomes one `data:` event, then `[DONE]`. */
export function events(bodies: readonly unknown[], tokens: number): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    parts: [...bodies.map((body) => `data: ${JSON.stringify(body)}\n\n`), 'data: [DONE]\n\n'],
    stream: true,
    tokens,
    delivery: honest,
  }
}

/** The members of OpenAI's error object. */
export interface Complaint {
  readonly status: number
  readonly message: string
  readonly type: string
  readonly code: string | null
  readonly param?: string | null
}

/** OpenAI's error envelope, `{"error":{message,type,param,code}}`. */
export function envelope({ message, type, code, param = null }: Omit<Complaint, 'status'>): unknown {
  return { error: { message, type, param, code } }
}

/** An error as OpenAI words it. */
export function complaint(it: Complaint, headers: Readonly<Record<string, string>> = {}): Answer {
  return json(envelope(it), it.status, headers)
}

/** Thrown by the surfaces for a request that is wrong; becomes the answer of the same words. */
export class Refusal extends Error {
  readonly answer: Answer
  constructor(it: Complaint) {
    super(it.message)
    this.answer = complaint(it)
  }
}

/** A request the caller got wrong: 400, `invalid_request_error`. */
export function invalid(message: string, param: string | null = null): Refusal {
  return new Refusal({ status: 400, message, type: 'invalid_request_error', code: null, param })
}
