import type { Answering } from './answering.ts'
import { Failure } from './errors.ts'
import { estimateWhole } from './estimated-usage.ts'
import type { Exchange, Reply } from './exchange.ts'
import type { Fault } from './judge.ts'
import { classify, messageOf } from './openai-errors.ts'
import { refusesEmpty } from './rescue/empty.ts'
import type { Endpoint } from './target.ts'
import type { TargetWords } from './target-words.ts'
import type { Usage } from './usage.ts'

/** An answer that has ended, as the target sent it. */
interface Whole {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Buffer
  /** ms since the epoch. */
  readonly wall: number
}

/** What an answer of an error status means; `cut`: its body is the beginning of a longer one. */
export function judgeError(
  { status, headers, body, wall }: Whole,
  cut: boolean,
  { provider, settings }: Endpoint,
  words: TargetWords,
  native: boolean,
): Failure {
  const said = words.ofError(body, cut)
  const text = said.toString()
  const verdict = provider.classify?.(status, headers, text, wall, settings) ?? classify(status, headers, text, wall)
  const { code, retryAfter, shouldRetry } = verdict
  const answer = { status, headers: words.passedOn(headers, false), body: said, native }
  const told = native ? '' : ` ${messageOf(text)}`
  return new Failure(code, { detail: words.named(`It answered ${status}.${told}`), retryAfter, shouldRetry, answer })
}

/** What is known of a whole answer of a good status. */
interface Judged {
  /** What the caller gets of it, or why it gets none. */
  readonly outcome: Reply | Failure
  readonly usage: Usage | undefined
  readonly finishReason: string | undefined
}

const NO_STREAM: Fault = { code: 'upstream_malformed', detail: 'A stream was asked for, and it is none.' }

/** Whether a whole answer of a good status is one, and what it cost. */
export function judgeWhole(whole: Whole, answering: Answering, exchange: Exchange, words: TargetWords): Judged {
  const { headers, body, wall } = whole
  const judged = answering.whole(headers, body, wall)
  const { finishReason } = judged
  const fault = judged.fault ?? (exchange.facts.stream ? NO_STREAM : undefined)
  const usage = judged.usage ?? (fault ? undefined : estimateWhole(exchange, body))
  const outcome = (): Reply | Failure => {
    const { status } = whole
    if (fault) return words.failureOf(fault)
    if (judged.empty && refusesEmpty(exchange)) return new Failure('upstream_empty', { detail: words.named() })
    if (finishReason === 'content_filter' && exchange.rule?.fallback.when.has('ContentFilter')) {
      const answer = { status, headers: words.passedOn(headers), body, native: answering.native }
      return new Failure('content_refused', { detail: words.named(), answer })
    }
    return judged.body
      ? { status: 200, headers: words.saidAnew(headers, 'application/json'), body: judged.body }
      : { status, headers: words.passedOn(headers), body }
  }
  return { outcome: outcome(), usage, finishReason }
}
