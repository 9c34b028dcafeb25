/** One limit as a provider's answer tells of it. */
export interface Reading {
  /** In the provider's words: `requests`, `tokens`, `input-tokens`, `requests-day`, `unified-5h`; empty where it has none. */
  readonly kind: string
  /** Undefined where it was not said. */
  readonly limit: number | undefined
  readonly remaining: number
  /** Milliseconds until the limit is whole again; undefined where it was not said. */
  readonly reset: number | undefined
}

type Part = 'limit' | 'remaining' | 'reset' | 'utilization'

interface Meaning {
  readonly kind: string
  readonly part: Part
}

/**
 * The limits that an answer's headers (flat list of names and values) tell of. `clock` gives ms since the epoch. The forms:
 *
 * - `x-ratelimit-{limit,remaining,reset}-{requests,tokens,…}`: OpenAI, Azure, Groq, Cerebras, SambaNova, Fireworks; resets are Go durations
 *   (`6m0s`), seconds, or times. Mistral writes `…-req-minute`, `…-tokens-minute`, `…-tokens-month`, and no reset.
 * - `x-ratelimit-{limit,remaining,reset}`: Together (with `x-tokenlimit-…`), OpenRouter (reset in ms since the epoch).
 * - `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}` and `anthropic-priority-…`: resets are RFC 3339.
 * - `anthropic-ratelimit-unified-{5h,7d,…}-{utilization,reset}` of subscriptions: the part that is used, and seconds since the epoch.
 * - `x-trial-endpoint-call-{limit,remaining}`: Cohere's trial keys.
 *
 * What makes no sense is taken for unknown: Azure's Responses say −1 and 0, Mistral 0 of 0 for a key without any allowance (its refusals say
 * so anyhow), and a remainder without a limit says nothing of how much that is.
 */
export function readRateLimits(headers: readonly string[], clock: () => number): readonly Reading[] {
  let wall = 0
  let found: Map<string, { -readonly [K in Part]?: number }> | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]
    const meaning = name === undefined ? undefined : meaningOf(name)
    if (!meaning) continue
    const text = headers[i + 1] ?? ''
    if (wall === 0) wall = clock()
    const value = meaning.part === 'reset' ? untilReset(text, wall) : leading(text)
    if (value === undefined) continue
    found ??= new Map()
    let parts = found.get(meaning.kind)
    if (!parts) found.set(meaning.kind, (parts = {}))
    parts[meaning.part] ??= value
  }
  if (!found) return NONE
  const readings: Reading[] = []
  for (const [kind, { limit, remaining, reset, utilization }] of found) {
    if (utilization !== undefined)
      readings.push({ kind, limit: 1, remaining: Math.min(1, Math.max(0, 1 - utilization)), reset })
    else if (remaining !== undefined && remaining >= 0 && limit !== undefined && limit > 0)
      readings.push({ kind, limit, remaining: Math.min(remaining, limit), reset })
  }
  return readings
}

const NONE: readonly Reading[] = []

/** Providers have few names for headers; those of one that makes them up are not kept. */
const MOST_NAMES = 1000
const meanings = new Map<string, Meaning | undefined>()

function meaningOf(name: string): Meaning | undefined {
  if (meanings.has(name)) return meanings.get(name)
  const meaning = read(name.toLowerCase())
  if (meanings.size < MOST_NAMES) meanings.set(name, meaning)
  return meaning
}

const FAMILY = /^(?:x-ratelimit|anthropic-ratelimit|(anthropic-priority)|x-(tokenlimit)|x-trial-endpoint-(call))-(.+)$/
const LEADING = /^(limit|remaining|reset)(?:-(.+))?$/
const TRAILING = /^(.+)-(limit|remaining|reset|utilization)$/

function read(name: string): Meaning | undefined {
  const [, priority, tokens, calls, rest] = FAMILY.exec(name) ?? []
  if (rest === undefined) return undefined
  const [, first, after] = LEADING.exec(rest) ?? []
  const [, before, last] = first === undefined ? (TRAILING.exec(rest) ?? []) : []
  const part = (first ?? last) as Part | undefined // the expressions admit these words only
  const said = after ?? before ?? ''
  // What is bought beyond a subscription is refused in its own words.
  if (part === undefined || said.includes('overage')) return undefined
  return { part, kind: [priority && 'priority', tokens && 'tokens', calls && 'calls', said].filter(Boolean).join('-') }
}

/** Envoy and Kong write `100, 100;w=60`. */
function leading(text: string): number | undefined {
  const digits = /^\s*(-?\d{1,15}(?:\.\d{1,9})?)\s*(?:[,;]|$)/.exec(text)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const GO_DURATION = /^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|[smhd]))+$/
/** Larger numbers are times: seconds and milliseconds since the epoch. */
const EPOCH_SECONDS = 1e9
const EPOCH_MS = 1e12

/** Milliseconds until then, never negative; `text` is a Go duration, seconds, or a time. 0 is what stands where nothing is known. */
export function untilReset(text: string, wall: number): number | undefined {
  const said = text.trim()
  const ms = duration(said) ?? number(said, wall) ?? time(said, wall)
  return ms === undefined || ms === 0 ? undefined : Math.max(0, Math.ceil(ms))
}

function duration(text: string): number | undefined {
  if (!GO_DURATION.test(text)) return undefined
  let total = 0
  for (const [, digits, unit = ''] of text.matchAll(/([\d.]+)(ms|[smhd])/g))
    total += Number(digits) * (UNITS[unit] ?? 0)
  return total
}

function number(text: string, wall: number): number | undefined {
  if (!/^\d{1,15}(\.\d{1,9})?$/.test(text)) return undefined
  const value = Number(text)
  if (value >= EPOCH_MS) return value - wall
  return value >= EPOCH_SECONDS ? value * 1000 - wall : value * 1000
}

/** RFC 3339, section 5.6. */
function time(text: string, wall: number): number | undefined {
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/i.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at - wall
}
