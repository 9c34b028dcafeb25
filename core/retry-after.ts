import { untilReset } from './rate-limit-headers.ts'

/** No target is left alone for longer than this, ms, whatever it says: a slip of a digit must not take it out for a month. */
const LONGEST = 24 * 3_600_000

/**
 * How long a target asks to be left alone, ms, or undefined where it does not say. The forms, in this order: `retry-after-ms`,
 * `x-ms-retry-after-ms`, `retry-after` (RFC 9110, section 10.2.3: seconds, here fractions too, or an HTTP date), OpenRouter's and Together's
 * `x-ratelimit-reset` (the end of a window; those of OpenAI's say when a bucket is full), Gemini's `RetryInfo`, and the text of OpenAI's and
 * Azure's messages. For failures only: some providers send `retry-after` with answers that are good.
 *
 * `headers` is a flat list of names and values, `body` the text of the answer, `wall` the time in ms since the epoch.
 */
export function retryAfter(headers: readonly string[], body: string, wall: number): number | undefined {
  const ms = fromHeaders(headers, wall) ?? fromRetryInfo(body) ?? fromText(body)
  return ms === undefined ? undefined : Math.min(Math.max(0, Math.ceil(ms)), LONGEST)
}

function fromHeaders(headers: readonly string[], wall: number): number | undefined {
  let milliseconds: number | undefined
  let azure: number | undefined
  let standard: number | undefined
  let window: number | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const text = (headers[i + 1] ?? '').trim()
    switch ((headers[i] ?? '').toLowerCase()) {
      case 'retry-after-ms':
        milliseconds ??= decimal(text)
        break
      case 'x-ms-retry-after-ms':
        azure ??= decimal(text)
        break
      case 'retry-after':
        standard ??= times(decimal(text), 1000) ?? date(text, wall)
        break
      case 'x-ratelimit-reset':
        window ??= untilReset(text, wall)
        break
    }
  }
  return milliseconds ?? azure ?? standard ?? window
}

const decimal = (text: string): number | undefined => (/^\d{1,15}(\.\d*)?$/.test(text) ? Number(text) : undefined)

const times = (value: number | undefined, factor: number) => (value === undefined ? undefined : value * factor)

/** RFC 9110, section 5.6.7: the three forms all begin with the day of the week; the last of them names no zone and means GMT. */
function date(text: string, wall: number): number | undefined {
  if (!/^(mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return undefined
  const at = Date.parse(/gmt|utc|[+-]\d{4}$/i.test(text) ? text : `${text} GMT`)
  return Number.isNaN(at) ? undefined : at - wall
}

/** `error.details[]` of type google.rpc.RetryInfo: `"retryDelay": "34.07s"`. The type is asked for by name, so that no parse is needed. */
function fromRetryInfo(body: string): number | undefined {
  if (!body.includes('google.rpc.RetryInfo')) return undefined
  const seconds = /"retryDelay"\s*:\s*"(\d{1,9}(?:\.\d*)?)s"/.exec(body)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, mil: 1, m: 60_000, s: 1000, h: 3_600_000, d: 86_400_000 }

/** "Please try again in 6m0.5s.", "try again in 20ms", "Please retry after 26 seconds", "try again in 1 minute and 3 seconds". */
function fromText(body: string): number | undefined {
  const span = /(?:try again|retry|retrying) (?:in|after) ((?:(?:and )?\d{1,9}(?:\.\d+)? ?[a-z]+[ ,]*)+)/i.exec(
    body,
  )?.[1]
  if (span === undefined) return undefined
  let total: number | undefined
  for (const [, digits, word = ''] of span.matchAll(/(\d+(?:\.\d+)?) ?(ms|mil|[a-z])/gi)) {
    const unit = UNITS[word.toLowerCase()]
    if (unit === undefined) break
    total = (total ?? 0) + Number(digits) * unit
  }
  return total
}
