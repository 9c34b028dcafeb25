import type { AnswerStream } from './answer-stream.ts'
import type { ErrorCode } from './errors.ts'
import { estimateContent, estimatePrompt, estimateTokens } from './estimate.ts'
import type { Exchange } from './exchange.ts'
import type { Operation } from './surfaces/surface.ts'
import { NO_USAGE } from './usage.ts'
import type { Usage } from './usage.ts'

/** Operations whose prompts and answers are texts, or vectors of them. */
const OF_TEXT: ReadonlySet<Operation> = new Set(['chat', 'completions', 'responses', 'embeddings'])

/** Ways to end in which it was us, or the caller, who gave up a target that was at work: it bills what it made so far. */
const GIVEN_UP: ReadonlySet<ErrorCode | undefined> = new Set([
  'client_closed',
  'request_timeout',
  'attempt_timeout',
  'first_token_timeout',
  'idle_timeout',
  'hedge_lost',
  'escalated',
  'displaced',
  'draining',
  'replay_diverged',
])

/** What has been seen of an answer when it ended. */
export interface Seen {
  /** Of a streamed one. */
  readonly stream: AnswerStream | undefined
  /** Bytes that came of one that is not streamed. */
  readonly bytes: number
  /** Why it is none; undefined where it is whole. */
  readonly code: ErrorCode | undefined
}

/**
 * The usage of a call whose provider did not come to say it: the prompt by its text, the answer by what was seen of it. Undefined where that
 * is no text, and where the target failed before it made anything: providers bill no refusals.
 */
export function estimateUsage(exchange: Exchange, { stream, bytes, code }: Seen): Usage | undefined {
  if (!OF_TEXT.has(exchange.surface.operation)) return undefined
  const output = stream ? saidBy(stream) : Math.ceil(bytes / 4)
  if (code !== undefined && !GIVEN_UP.has(code) && output === 0) return undefined
  const input = promptOf(exchange)
  return input === undefined ? undefined : { ...NO_USAGE, input, output, estimated: true }
}

/**
 * The usage of a stream that ended: what its provider said last. One that was cut may have said its prompt's alone, at the start (Anthropic):
 * what was seen of the answer is then the better figure for the rest.
 */
export function usageOfStream(
  exchange: Exchange,
  stream: AnswerStream,
  code: ErrorCode | undefined,
): Usage | undefined {
  const { usage, complete } = stream
  if (!usage) return estimateUsage(exchange, { stream, bytes: 0, code })
  const output = complete ? 0 : saidBy(stream)
  return output > usage.output ? { ...usage, output, estimated: true } : usage
}

/** The same for an answer that came whole and does not say; `body` is its bytes. */
export function estimateWhole(exchange: Exchange, body: Buffer): Usage | undefined {
  const { operation } = exchange.surface
  if (!OF_TEXT.has(operation)) return undefined
  const input = promptOf(exchange)
  if (input === undefined) return undefined
  const output = operation === 'embeddings' ? 0 : estimateContent(parse(body))
  return { ...NO_USAGE, input, output, estimated: true }
}

/** By its text where that was kept, else a token for each event; where any came, one has been made. */
function saidBy({ transcript, events, error, done }: AnswerStream): number {
  const good = Math.max(0, events - (error === undefined ? 0 : 1) - (done ? 1 : 0))
  if (!transcript || transcript.lost) return good
  let texts = ''
  for (const piece of transcript.pieces) if ('text' in piece) texts += `${piece.text}\n`
  return Math.max(estimateTokens(texts), Math.min(good, 1))
}

/** Larger bodies are not parsed for a figure that is estimated anyhow. */
const MOST_PARSED = 1024 * 1024
/** Recordings and pictures. */
const INLINED = /[A-Za-z0-9+/=_-]{512,}/g

function promptOf(exchange: Exchange): number | undefined {
  const { body, fields } = exchange
  if (!fields || fields.form) return undefined
  if (body.length <= MOST_PARSED) return estimatePrompt(exchange.json)
  return estimateTokens(body.slice(0, body.length).toString().replace(INLINED, ''))
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}
