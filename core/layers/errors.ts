import { answerHeaders } from '../answer-headers.ts'
import { Failure } from '../errors.ts'
import type { Exchange, Reply } from '../exchange.ts'
import type { Layer } from '../pipeline.ts'

/** Catches every error once, and makes the answer of it that the caller gets. */
export const errors: Layer<unknown> = () => (next) => async (exchange) => {
  try {
    return await next(exchange)
  } catch (error) {
    return replyTo(exchange, asFailure(error))
  }
}

/** Anything that is not of the table is a fault of ours. */
export function asFailure(error: unknown): Failure {
  return error instanceof Failure ? error : new Failure('internal', { cause: error })
}

/**
 * The answer for a failure: what the target itself said where that is JSON, else an error of the caller's dialect with our code, under the target's own
 * status where it gave one. With no target left, the SDKs are told not to try again, and how soon one may be free.
 */
export function replyTo(exchange: Exchange, failure: Failure): Reply {
  const { answer } = failure
  const asIs = answer !== undefined && answer.native && isJson(answer.headers, answer.body)
  const { surface, facts } = exchange
  const said = asIs ? undefined : surface.error(failure, failure.message, facts.requestId)
  const headers: string[] = answerHeaders(exchange.facts, false)
  const final = exchange.exhausted || failure.code === 'request_timeout'
  const { retryAfter = failure.retryAfter } = exchange
  if (asIs)
    for (let i = 0; i < answer.headers.length; i += 2) {
      const name = answer.headers[i] ?? ''
      if (replaced(name, final, retryAfter)) continue
      headers.push(name, answer.headers[i + 1] ?? '')
    }
  else headers.push('content-type', 'application/json', ...(said?.headers ?? []))
  if (retryAfter !== undefined)
    headers.push(
      'retry-after',
      String(Math.max(1, Math.ceil(retryAfter / 1000))),
      'retry-after-ms',
      String(Math.ceil(retryAfter)),
    )
  if (final) headers.push('x-should-retry', 'false')
  return {
    status: statusOf(failure),
    headers,
    body: said ? Buffer.from(said.body) : (answer?.body ?? Buffer.alloc(0)),
  }
}

/** A target's own status goes on where it says that something failed, or with its own words: a refusal may come with status 200. */
export function statusOf({ answer, entry, code }: Failure): number {
  return answer && (answer.status >= 400 || code === 'content_refused') ? answer.status : entry.status
}

/** Headers of the target's answer for which we say something of our own. */
function replaced(name: string, final: boolean, retryAfter: number | undefined): boolean {
  return (
    (retryAfter !== undefined && name.endsWith('retry-after')) ||
    (retryAfter !== undefined && name.endsWith('retry-after-ms')) ||
    (final && name === 'x-should-retry')
  )
}

const OPEN_BRACE = 0x7b

function isJson(headers: readonly string[], body: Buffer): boolean {
  const at = headers.findIndex((name, i) => i % 2 === 0 && name === 'content-type')
  return at >= 0 && (headers[at + 1] ?? '').includes('json') && body[0] === OPEN_BRACE
}
