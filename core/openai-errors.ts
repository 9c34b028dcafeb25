import type { ErrorCode } from './errors.ts'
import { untilMidnight } from './midnight.ts'
import { record } from './openai-usage.ts'
import { retryAfter } from './retry-after.ts'

/** What a target's failure is, in the terms of the table of errors. */
export interface Verdict {
  readonly code: ErrorCode
  /** How long it asks to be left alone, ms; undefined where it does not say, or where that would be no matter of time. */
  readonly retryAfter: number | undefined
  /** False: asking the same again is of no use (`x-should-retry`, or by the nature of the failure). */
  readonly shouldRetry: boolean | undefined
}

/** Codes and types of errors, in lower case. */
const codes: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ['context_length_exceeded', 'context_length'],
  ['context_window_exceeded', 'context_length'],
  ['model_context_window_exceeded', 'context_length'],
  ['exceed_context_size_error', 'context_length'], // llama.cpp
  ['string_above_max_length', 'context_length'],
  ['tokens_limit_reached', 'context_length'], // GitHub Models
  ['content_filter', 'content_refused'],
  ['content_policy_violation', 'content_refused'],
  ['image_content_policy_violation', 'content_refused'],
  ['responsibleaipolicyviolation', 'content_refused'], // Azure, in innererror
  ['moderation_blocked', 'content_refused'],
  ['invalid_prompt', 'content_refused'], // OpenAI's reasoning models: the usage policy
  ['data_inspection_failed', 'content_refused'], // Qwen
  ['insufficient_quota', 'quota_exhausted'],
  ['insufficient_balance', 'quota_exhausted'],
  ['insufficient_credits', 'quota_exhausted'],
  ['billing_hard_limit_reached', 'quota_exhausted'],
  ['billing_not_active', 'quota_exhausted'],
  ['billing_error', 'quota_exhausted'],
  ['exceeded_current_quota_error', 'quota_exhausted'], // Moonshot
])

/** The request does not fit into the model's context: what servers and gateways say, from their sources and recorded answers. */
const tooLong = [
  /maximum context length/, // OpenAI, vLLM, OpenRouter, Together
  /context (length|window|size|limit)[^.]{0,40}(exceed|overflow)/, // "context size has been exceeded", MiniMax
  /exceed[^.]{0,60}context[ -](length|window|size|limit)/, // OpenAI's Responses, llama.cpp, Ollama, Anthropic
  /exceeds [^.]{0,40}max(imum)? (input|prompt|sequence) length/, // TensorRT-LLM
  /(prompt|input|request) (is )?too long/, // Anthropic, Bedrock, Fireworks
  /too many (input |prompt )?tokens/, // Cohere, Bedrock
  /input token count[^.]{0,80}exceeds/, // Gemini
  /maximum number of (input )?tokens allowed/, // Gemini
  /tokens in request more than max tokens allowed/,
  /maximum prompt length/, // xAI
  /prompt exceeds (the )?max/, // Zhipu
  /reduce (the length of )?(the|your) (messages|prompt|input)/, // OpenAI, Groq
  /longer than the (maximum model|model'?s? (maximum )?context) length/, // vLLM, SGLang
  /too large for model with/, // Mistral
  /must (be <=|have less than) \d+( tokens)?/, // TGI
  /exceeded model token limit/, // Moonshot
  /range of input length should be/, // Qwen
  /(greater than the context|context length is only)/, // LM Studio
  /context the overflows/, // LM Studio, as it has it
  /prompt token count[^.]{0,40}exceeds the limit/, // Copilot
  /request body too large for [^.]{0,80}model/, // GitHub Models
]

const refused = [
  /content management policy/, // Azure
  /content filtering policy/, // Anthropic
  /(violat|against)[^.]{0,60}(usage|content|safety|acceptable use) (polic|guideline)/,
  /(rejected|blocked|flagged)[^.]{0,60}(safety|moderation|content filter|guardrail|polic)/,
  /(input|prompt|request|message)s? (was|were|has been|have been) flagged/, // OpenRouter
  /inappropriate content/, // Qwen
  /prohibited[_ ]content/, // Gemini
]

/** Never time alone: someone has to pay, or the day has to end. */
const exhausted = [
  /credit balance is too low/, // Anthropic
  /insufficient (account )?(balance|credits?|funds|quota)/,
  /(billing|spending|hard) limit[^.]{0,40}(reached|exceeded)/,
  /quota[^.]{0,40}per ?day/, // Gemini
  /requires more credits/, // OpenRouter
]

/** Gemini's words for any quota, and Bedrock's and others' for one of a day or month: used up, unless a time is named with them. */
const ofLongerSpan =
  /current quota|(requests|tokens|calls)[^.]{0,20} (per|\/) (day|month)|monthly (limit|quota|allowance)/

/** Gemini's `QuotaFailure`. */
const ofDay = /"quotaId"\s*:\s*"[^"]*PerDay/

const PACIFIC = 'America/Los_Angeles'

/** The request asks for more tokens than a minute's limit has: waiting does not help, another account may. */
const overLimit = /request too large for/

/**
 * What the failure of a target is, by its status, headers (flat list) and body; `wall` is in ms since the epoch. A failure whose words
 * are not known is the caller's own for 4xx (`upstream_refused`), and else the target's.
 */
export function classify(status: number, headers: readonly string[], body: string, wall: number): Verdict {
  const said = flag(headers)
  const { words, message } = read(body)
  const code = codeOf(status, said, words, message, body)
  const after = waits(status, said) ? retryAfter(headers, body, wall) : undefined
  // Gemini says the same of a minute's quota as of a day's: one that names a time is not used up.
  const used =
    code === 'quota_exhausted' || (code === 'upstream_busy' && after === undefined && ofLongerSpan.test(message))
  // Its RetryInfo names a few seconds all the same.
  if (ofDay.test(body)) return { code: 'quota_exhausted', retryAfter: untilMidnight(wall, PACIFIC), shouldRetry: false }
  if (used) return { code: 'quota_exhausted', retryAfter: after, shouldRetry: false }
  const never = status === 501 || status === 505 || (code === 'upstream_busy' && overLimit.test(message))
  return { code, retryAfter: after, shouldRetry: said ?? (never ? false : undefined) }
}

/** The message in the body of an error, in the target's own words; at most 1,000 characters. */
export function messageOf(body: string): string {
  const { error, top } = unwrap(body)
  const said = [error?.['message'], top?.['error'], top?.['message'], top?.['detail']].find(isText) ?? body
  return said.length > 1000 ? `${said.slice(0, 1000)}…` : said
}

/** The same for an error inside an answer of status 200: a body with `error`, or the data of an event. */
export function classifyError(body: string, wall: number): Verdict {
  return classify(statusOf(body), [], body, wall)
}

function codeOf(
  status: number,
  shouldRetry: boolean | undefined,
  words: readonly string[],
  message: string,
  body: string,
): ErrorCode {
  // A redirect from an API is a wrong base URL, and following it would take the credentials along.
  if (status < 400) return 'upstream_malformed'
  const known = words.map((word) => codes.get(word)).find((code) => code !== undefined)
  const matches = (patterns: readonly RegExp[]) => patterns.some((pattern) => pattern.test(message))
  if (status === 402 || known === 'quota_exhausted' || matches(exhausted) || ofDay.test(body)) return 'quota_exhausted'
  if (status === 429) return 'upstream_busy'
  if (known) return known
  if (matches(tooLong) && !/rate.?limit|per minute/.test(message)) return 'context_length'
  if (matches(refused)) return 'content_refused'
  if (words.includes('rate_limit_exceeded') || words.includes('rate_limit_error')) return 'upstream_busy'
  return status >= 500 || status === 408 || status === 409 || status === 424 || shouldRetry
    ? 'upstream_error'
    : 'upstream_refused'
}

/** Where `retry-after` is to be acted on. */
const waits = (status: number, shouldRetry: boolean | undefined): boolean =>
  status === 429 || status === 503 || status === 529 || (shouldRetry === true && status >= 400)

function flag(headers: readonly string[]): boolean | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2)
    if (headers[i]?.toLowerCase() === 'x-should-retry') {
      const value = headers[i + 1]
      return value === 'true' ? true : value === 'false' ? false : undefined
    }
  return undefined
}

/** The error's own words: `error` as an object or a text, in a list as Gemini's, or the fields at the top as FastAPI's `detail`. */
function read(body: string): { words: readonly string[]; message: string } {
  const { error, top } = unwrap(body)
  if (!top) return { words: [], message: body.slice(0, 4096).toLowerCase() }
  const inner = record(error?.['innererror'])
  const words = [
    error?.['code'],
    error?.['type'],
    error?.['status'],
    inner?.['code'],
    top['code'],
    top['type'],
    top['error'],
  ]
  // Not the whole body: some servers repeat the request in it, and what the caller wrote is not what the server says.
  const texts = [error?.['message'], top['error'], top['message'], top['detail'], top['object'] === 'error' ? body : '']
  return { words: words.filter(isText).map(lower), message: texts.filter(isText).map(lower).join('\n') }
}

function unwrap(body: string): {
  error: Readonly<Record<string, unknown>> | undefined
  top: Readonly<Record<string, unknown>> | undefined
} {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return { error: undefined, top: undefined }
  }
  const top = record(Array.isArray(value) ? value[0] : value)
  return { error: record(top?.['error']), top }
}

/** The HTTP status that an error without one would have had. */
function statusOf(body: string): number {
  const { error, top } = unwrap(body)
  for (const value of [error?.['code'], error?.['status'], top?.['code'], top?.['status']]) {
    const status = Number(value)
    if (status >= 400 && status < 600) return status
  }
  const type = [error?.['type'], error?.['code'], error?.['status'], top?.['type']]
    .filter(isText)
    .join(' ')
    .toLowerCase()
  if (/rate.?limit|too_many|resource_exhausted|throttl/.test(type)) return 429
  if (/overloaded|unavailable/.test(type)) return 503
  return /invalid|bad.?request|not_found|permission|authentication/.test(type) ? 400 : 500
}

const isText = (value: unknown): value is string => typeof value === 'string'
const lower = (text: string): string => text.toLowerCase()
