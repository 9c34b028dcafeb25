import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProvider } from '@pydantic/genai-prices'
import type { ConditionalPrice, ModelPrice } from '@pydantic/genai-prices'

/** The providers whose prices are taken over, as the library names them, with their names in the semantic conventions (`genAi`). */
const PROVIDERS: Readonly<Record<string, readonly string[]>> = {
  openai: ['openai'],
  anthropic: ['anthropic'],
  google: ['gcp.gemini', 'gcp.vertex_ai', 'gcp.gen_ai'],
  aws: ['aws.bedrock'],
  azure: ['azure.ai.openai', 'azure.ai.inference'],
  cohere: ['cohere'],
  mistral: ['mistral_ai'],
  groq: ['groq'],
  together: ['together'],
  deepseek: ['deepseek'],
  'x-ai': ['x_ai'],
  openrouter: ['openrouter'],
  fireworks: ['fireworks'],
  perplexity: ['perplexity'],
  cerebras: ['cerebras'],
  moonshotai: ['moonshot'],
  minimax: ['minimax'],
  voyageai: ['voyageai'],
  novita: ['novita'],
}

/** Prices by the library's names and ours. */
const RATES: Readonly<Record<string, string>> = {
  input_mtok: 'input',
  output_mtok: 'output',
  cache_read_mtok: 'cacheRead',
  cache_write_mtok: 'cacheWrite',
  cache_write_1h_mtok: 'cacheWrite1h',
  input_audio_mtok: 'audioInput',
  cache_audio_read_mtok: 'audioCacheRead',
  output_audio_mtok: 'audioOutput',
  input_image_mtok: 'imageInput',
  output_image_mtok: 'imageOutput',
  input_video_mtok: 'videoInput',
  requests_kcount: 'request',
  audio_hours: 'audioHour',
}

/** Left out: what a provider's own tools cost besides, and which cached tokens are images, no usage tells; and one is another's other name. */
const BESIDES = new Set([
  'web_searches_kcount',
  'storage_searches_kcount',
  'cache_image_read_mtok',
  'input_audio_hours',
])

/**
 * The price table as lines of JSON: a provider with the pattern of its URLs, then its models in the order in which they are looked up. Models
 * that are billed in something that is not counted (hours, pages, citations) are left out: half a price would be a wrong one.
 */
function priceTable(): string {
  const lines: string[] = []
  for (const [id, names] of Object.entries(PROVIDERS)) {
    const provider = findProvider({ providerId: id })
    if (!provider) throw new Error(`the price library knows no ${id}`)
    const { api_pattern, fallback_model_providers = [], models } = provider
    lines.push(JSON.stringify({ provider: id, names, url: api_pattern, fallback: fallback_model_providers }))
    for (const { id: model, match, prices } of models) {
      const dated = (Array.isArray(prices) ? prices : [{ prices }]).map(datedOf)
      if (dated.some((it) => it && lacksSound(model, it.price))) continue
      if (dated.every((it) => it !== undefined)) lines.push(JSON.stringify({ match, prices: dated }))
    }
  }
  return lines.join('\n')
}

/** The library has nothing on the sound of some models that are made for it, and sound costs ten times what text does. */
function lacksSound(model: string, price: Readonly<Record<string, unknown>>): boolean {
  return /audio|realtime/.test(model) && !('audioInput' in price) && !('audioOutput' in price)
}

interface Dated {
  readonly since?: number
  readonly daily?: { readonly from: number; readonly to: number }
  readonly price: Readonly<Record<string, unknown>>
}

function datedOf({ constraint, prices }: ConditionalPrice): Dated | undefined {
  const price = listOf(prices)
  if (!price) return undefined
  if (!constraint) return { price }
  if (constraint.type === 'start_date') return { since: Date.parse(constraint.start_date), price }
  return { daily: { from: secondOf(constraint.start_time), to: secondOf(constraint.end_time) }, price }
}

/** Undefined where tokens are not all that is billed. */
function listOf(prices: ModelPrice): Readonly<Record<string, unknown>> | undefined {
  const keys = Object.keys(prices).filter((key) => prices[key] !== undefined && !BESIDES.has(key))
  if (keys.some((key) => !Object.hasOwn(RATES, key))) return undefined
  // The library says of what is free that it has no prices.
  if (keys.length === 0) return { input: '0', output: '0' }
  const base: Record<string, string> = {}
  const tiers = new Map<number, Record<string, string>>()
  for (const key of keys) {
    const name = RATES[key] ?? key
    const price = prices[key] ?? 0
    base[name] = decimal(typeof price === 'number' ? price : price.base)
    if (typeof price === 'number') continue
    for (const tier of price.tiers) {
      const rates = tiers.get(tier.start) ?? {}
      rates[name] = decimal(tier.price)
      tiers.set(tier.start, rates)
    }
  }
  if (!['input', 'request', 'audioHour'].some((name) => name in base)) return undefined
  const rising = [...tiers].sort(([a], [b]) => a - b).map(([above, rates]) => ({ above, ...rates }))
  return rising.length === 0 ? base : { ...base, tiers: rising }
}

/** At most six decimals, as the schema has it: a few prices in the library are fractions that were worked out. */
const decimal = (usd: number): string => usd.toFixed(6).replace(/\.?0+$/, '')

/** `HH:MM:SSZ` */
function secondOf(time: string): number {
  const [, hours, minutes, seconds] = /^(\d\d):(\d\d):(\d\d)(?:\.0+)?Z$/.exec(time) ?? []
  if (hours === undefined) throw new Error(`no time of day in UTC: ${time}`)
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
}

/** The file, below the root, and what is to stand in it. */
export function generatedPrices(): readonly [path: string, text: string] {
  const table = priceTable()
  if (/[`]|\$\{/.test(table)) throw new Error('the table cannot stand in a template literal')
  return [
    'operator/prices/table.ts',
    `// Generated from @pydantic/genai-prices (MIT) by \`make generate\`; do not edit.\nexport const TABLE = String.raw\`\n${table}\n\`\n`,
  ]
}

if (import.meta.main) {
  const [path, text] = generatedPrices()
  writeFileSync(join(import.meta.dirname, '..', path), text)
}
