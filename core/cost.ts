import type { AttemptFacts } from './exchange.ts'
import type { Price, Rates } from './price.ts'
import { NO_USAGE } from './usage.ts'
import type { Usage } from './usage.ts'

/**
 * What a call cost, in picodollars (10⁻¹² USD); undefined where a kind of token that it used has no price: what is unknown is never free.
 *
 * All factors are whole numbers, so that below 9,007 USD (2⁵³ picodollars) the sum is exact, and beyond that wrong by less than a cent's
 * millionth until 90 million USD. Nothing is rounded before it is shown.
 */
export function costOf(usage: Usage, price: Price): number | undefined {
  if (usage.billed) return costOf({ ...NO_USAGE, ...usage.billed, units: usage.units }, price)
  const rates = ratesFor(usage.input, price)
  const { input, output, cached, cacheWrite, cacheWrite1h, audioInput, audioOutput, imageInput } = usage
  const { cachedAudio = 0, imageOutput = 0, videoInput = 0, units = 1, audioSeconds = 0 } = usage
  // Of the prompt. What is in the cache may be audio or image too; only for audio do providers say so.
  let audio = Math.max(0, audioInput - cachedAudio)
  let image = imageInput
  let text = input - cached - cacheWrite - cacheWrite1h - audio - image - videoInput
  if (text < 0) {
    const cachedImage = Math.min(image, -text)
    image -= cachedImage
    const more = Math.min(audio, -text - cachedImage)
    audio -= more
    text = 0
  }
  const cachedText = Math.max(0, cached - cachedAudio)
  const plain = Math.max(0, output - audioOutput - imageOutput)
  const total =
    part(text, rates.input) +
    part(cachedText, rates.cacheRead) +
    part(cachedAudio, rates.audioCacheRead) +
    part(cacheWrite, rates.cacheWrite) +
    part(cacheWrite1h, rates.cacheWrite1h) +
    part(audio, rates.audioInput) +
    part(image, rates.imageInput) +
    part(videoInput, rates.videoInput) +
    part(plain, rates.output) +
    part(audioOutput, rates.audioOutput) +
    part(imageOutput, rates.imageOutput) +
    units * price.request +
    (audioSeconds === 0 ? 0 : Math.round((audioSeconds * (price.audioHour ?? Number.NaN)) / 3600))
  return Number.isNaN(total) ? undefined : total
}

/** What a call of texts alone is expected to cost, picodollars, as `costOf` would have it; NaN where a price is missing. */
export function expectedCost(price: Price, input: number, cached: number, output: number): number {
  const rates = ratesFor(input, price)
  return part(input - cached, rates.input) + part(cached, rates.cacheRead) + part(output, rates.output) + price.request
}

/** The rates of a prompt's size: that of the highest tier it exceeds, for all its tokens, as providers have it. */
function ratesFor(input: number, { base, tiers }: Price): Rates {
  let rates = base
  for (const tier of tiers) if (input > tier.above) rates = tier.rates
  return rates
}

/** NaN where there are tokens and no price. */
const part = (tokens: number, rate: number | undefined): number => (tokens === 0 ? 0 : tokens * (rate ?? Number.NaN))

/**
 * What all calls made for a request cost together, in picodollars: also those that were given up for another. Undefined where that is not
 * known to the last: a call has no price, or the one that gave the answer did not say what it used. One that failed and said nothing cost
 * nothing: providers bill what they made.
 */
export function totalCost(attempts: readonly Pick<AttemptFacts, 'code' | 'usage' | 'cost'>[]): number | undefined {
  let total: number | undefined
  for (const { code, usage, cost } of attempts)
    if (cost !== undefined) total = (total ?? 0) + cost
    else if (usage || code === undefined) return undefined
  return total
}

/** Picodollars as decimal USD with all their digits: `0.00012345`; never in scientific notation. */
export function usd(picodollars: number): string {
  const all = Math.round(picodollars)
  const whole = Math.floor(all / DOLLAR)
  const rest = all - whole * DOLLAR
  return rest === 0 ? String(whole) : `${whole}.${String(rest).padStart(12, '0').replace(/0+$/, '')}`
}

const DOLLAR = 1e12

/** What a price comes to for people, in USD per million tokens of prompt and of answer; undefined where that is unknown. */
export function perMillion({ base: { input, output } }: Price): { readonly input?: string; readonly output?: string } {
  return {
    ...(input === undefined ? {} : { input: usd(input * 1e6) }),
    ...(output === undefined ? {} : { output: usd(output * 1e6) }),
  }
}
