import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { calcPrice, findProvider } from '@pydantic/genai-prices'
import type { ModelInfo } from '@pydantic/genai-prices'
import { costOf } from '../core/cost.ts'
import type { Price } from '../core/price.ts'
import { predicate, pricingByName, pricingOf } from '../core/prices.ts'
import { NO_USAGE } from '../core/usage.ts'
import type { Usage } from '../core/usage.ts'
import { pricesOf } from '../operator/prices/find.ts'
import { generatedPrices } from './prices.ts'

/** An endpoint's type and URL, with what the library calls its provider. */
const providers = [
  ['OpenAI', 'https://api.openai.com/v1', 'openai'],
  ['OpenAICompatible', 'https://api.anthropic.com', 'anthropic'],
  ['OpenAICompatible', 'https://generativelanguage.googleapis.com', 'google'],
  ['OpenAICompatible', 'https://bedrock-runtime.eu-central-1.amazonaws.com', 'aws'],
  ['OpenAICompatible', 'https://some.openai.azure.com', 'azure'],
  ['OpenAICompatible', 'https://api.cohere.com', 'cohere'],
  ['OpenAICompatible', 'https://api.mistral.ai', 'mistral'],
  ['OpenAICompatible', 'https://api.groq.com/openai/v1', 'groq'],
  ['OpenAICompatible', 'https://api.together.xyz/v1', 'together'],
  ['OpenAICompatible', 'https://api.deepseek.com', 'deepseek'],
  ['OpenAICompatible', 'https://api.x.ai/v1', 'x-ai'],
  ['OpenAICompatible', 'https://openrouter.ai/api/v1', 'openrouter'],
] as const

/** A name that an entry is for, where it says one. */
function nameOf({ match }: ModelInfo): string | undefined {
  const clauses = 'or' in match ? match.or : [match]
  for (const clause of clauses) if ('equals' in clause) return clause.equals
  return undefined
}

const usages: readonly Usage[] = [
  { ...NO_USAGE, input: 1234, output: 567 },
  { ...NO_USAGE, input: 300_001, output: 1000, cached: 100_000, cacheWrite: 50_000 },
  { ...NO_USAGE, input: 5000, output: 3000, audioInput: 1000, audioOutput: 2000 },
]
const times = ['2026-11-20T12:00:00Z', '2026-11-20T02:00:00Z', '2027-02-01T00:00:00Z'].map((at) => Date.parse(at))

test('price table: what is committed is what the library has', () => {
  const [path, text] = generatedPrices()
  assert.equal(readFileSync(join(import.meta.dirname, '..', path), 'utf8'), text)
})

for (const [type, url, id] of providers)
  test(`price table: models of ${id} cost what the library reckons, by name and for *`, () => {
    const listed = pricingByName(pricesOf(type, url, '*').priceLists ?? [])
    let seen = 0
    for (const model of findProvider({ providerId: id })?.models ?? []) {
      const name = nameOf(model)
      if (name === undefined) continue
      const { prices } = pricesOf(type, url, name)
      for (const at of times)
        for (const usage of usages) {
          const price: Price | undefined = prices && pricingOf(prices)(name, at)
          assert.deepEqual(listed(name, at), price, name)
          const cost: number | undefined = price && costOf(usage, price)
          if (cost === undefined) continue
          const known = {
            input_tokens: usage.input,
            output_tokens: usage.output,
            cache_read_tokens: usage.cached,
            cache_write_tokens: usage.cacheWrite,
            input_audio_tokens: usage.audioInput,
            output_audio_tokens: usage.audioOutput,
          }
          const found = calcPrice(known, name, { providerId: id, timestamp: new Date(at) })
          assert.ok(found, name)
          const requests = typeof found.model_price['requests_kcount'] === 'number' ? 1 : 0
          const besides = requests && found.total_price < cost / 1e12 - 1e-12 ? (price?.request ?? 0) : 0
          // A few prices of OpenRouter are fractions that were worked out; ours have six decimals.
          const most = /\d\.\d{7}/.test(JSON.stringify(found.model_price)) ? 1e-6 : 1e-9
          const reckoned: number = (cost - besides) / 1e12
          assert.ok(Math.abs(reckoned - found.total_price) < most, `${name}: ${reckoned} ${found.total_price}`)
          seen++
        }
    }
    assert.ok(seen > 30, `${seen}`)
  })

test('price table: who a model is asked of decides, and what nobody lists has no price', () => {
  const input = (type: (typeof providers)[number][0], url: string, model: string) =>
    pricesOf(type, url, model).prices?.[0]?.price.input
  assert.equal(input('OpenAI', 'https://api.openai.com/v1', 'gpt-4o-mini'), '0.15')
  assert.equal(input('OpenAI', 'http://127.0.0.1:8080/v1', 'gpt-4o-mini'), '0.15')
  assert.equal(input('OpenAICompatible', 'http://vllm.ai.svc:8000/v1', 'gpt-4o-mini'), undefined)
  assert.equal(input('OpenAI', 'https://api.openai.com/v1', 'my-own'), undefined)
  assert.deepEqual(pricesOf('OpenAICompatible', 'http://vllm.ai.svc:8000/v1', '*'), {})
  // Azure and Google list models of others under those others' names.
  assert.equal(input('OpenAICompatible', 'https://x.openai.azure.com', 'gpt-4o'), '2.5')
})

test('price table: an entry that matches in no known way is a fault of the table', () => {
  assert.throws(() => predicate({ sounds_like: 'gpt' }), /no way to match/)
  assert.ok(predicate({ and: [{ starts_with: 'a' }, { ends_with: 'z' }] })('abcz'))
  assert.ok(!predicate({ and: [{ starts_with: 'a' }, { regex: '^b' }] })('abcz'))
  assert.ok(predicate({ or: [{ contains: 'bc' }] })('abcz'))
})
