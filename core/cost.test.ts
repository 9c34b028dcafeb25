import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { costOf, usd } from './cost.ts'
import { priceOf } from './price.ts'
import type { PriceList } from './price.ts'
import { NO_USAGE } from './usage.ts'
import type { Usage } from './usage.ts'

const cost = (usage: Partial<Usage>, list: PriceList): string | undefined => {
  const picodollars = costOf({ ...NO_USAGE, ...usage }, priceOf(list))
  return picodollars === undefined ? undefined : usd(picodollars)
}

const sonnet = { input: '3', output: '15', cacheRead: '0.30', cacheWrite: '3.75' }

test('cost: each kind of token at its own price, those of no kind at input and output', () => {
  const cases: readonly (readonly [usage: Partial<Usage>, list: PriceList, usd: string | undefined])[] = [
    [{}, sonnet, '0'],
    [{ input: 1, output: 0 }, sonnet, '0.000003'],
    [{ input: 1000, output: 100 }, sonnet, '0.0045'],
    [{ input: 1000, output: 100, reasoning: 80 }, sonnet, '0.0045'],
    // 200 × 3 + 700 × 0.30 + 100 × 3.75
    [{ input: 1000, cached: 700, cacheWrite: 100 }, sonnet, '0.001185'],
    // An hour costs 1.6 × five minutes: 100 × 6.
    [{ input: 100, cacheWrite1h: 100 }, sonnet, '0.0006'],
    [{ input: 100, cacheWrite1h: 100 }, { ...sonnet, cacheWrite1h: '7' }, '0.0007'],
    // Without prices of their own they are part of the prompt.
    [{ input: 100, cached: 50, cacheWrite: 25, cacheWrite1h: 25 }, { input: '2', output: '4' }, '0.0002'],
    [{ input: 100, audioInput: 60, output: 10, audioOutput: 8 }, { input: '2', output: '4' }, '0.00024'],
    // 40 × 2 + 60 × 40 + 2 × 4 + 8 × 80
    [
      { input: 100, audioInput: 60, output: 10, audioOutput: 8 },
      { input: '2', output: '4', audioInput: '40', audioOutput: '80' },
      '0.003128',
    ],
    // 30 text × 2, 20 cached text × 1, 10 cached audio × 5, 40 audio × 40
    [
      { input: 100, audioInput: 50, cached: 30, cachedAudio: 10 },
      { input: '2', cacheRead: '1', audioInput: '40', audioCacheRead: '5' },
      '0.00173',
    ],
    // 90 text × 5 + 10 images × 10; 3 text × 10 + 7 images × 40
    [
      { input: 100, imageInput: 10, output: 10, imageOutput: 7 },
      { input: '5', output: '10', imageInput: '10', imageOutput: '40' },
      '0.00086',
    ],
    // Cached images: 80 cached × 1, 20 images × 10.
    [{ input: 100, imageInput: 100, cached: 80 }, { input: '5', cacheRead: '1', imageInput: '10' }, '0.00028'],
    [{}, { request: '2' }, '0.002'],
    [{ units: 3 }, { request: '2' }, '0.006'],
    [{ units: 0 }, { request: '2' }, '0'],
    [{ input: 10 }, { input: '1', request: '5' }, '0.00501'],
    // Cohere bills less than it counts: 2406 × 3 + 2 × 15.
    [{ input: 2935, output: 4, cached: 2928, billed: { input: 2406, output: 2 } }, sonnet, '0.007248'],
    // What has no price is not free.
    [{ input: 10, output: 1 }, { input: '1' }, undefined],
    [{ input: 10 }, { request: '2' }, undefined],
    [{ input: 10, output: 3 }, { input: '0', output: '0' }, '0'],
  ]
  for (const [usage, list, expected] of cases) assert.equal(cost(usage, list), expected, JSON.stringify([usage, list]))
})

test('cost: a prompt beyond a tier pays that tier for all its tokens, and its answer too', () => {
  const gemini: PriceList = {
    input: '1.25',
    output: '10',
    cacheRead: '0.125',
    tiers: [
      { above: 400_000, output: '20' },
      { above: 200_000, input: '2.5', output: '15', cacheRead: '0.25' },
    ],
  }
  assert.equal(cost({ input: 200_000, output: 1000 }, gemini), '0.26')
  assert.equal(cost({ input: 200_001, output: 1000 }, gemini), '0.5150025')
  assert.equal(cost({ input: 200_001, cached: 200_001 }, gemini), '0.05000025')
  assert.equal(cost({ input: 400_001, output: 1000 }, gemini), '1.0200025')
})

test('cost: a usage that does not add up is charged for its parts', () => {
  assert.equal(cost({ input: 3, cached: 1000, output: 5 }, sonnet), '0.000375')
})

const count = fc.integer({ min: 0, max: 5_000_000 })
const money = fc
  .tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 999_999 }))
  .map(([whole, millionths]) => `${whole}.${String(millionths).padStart(6, '0')}`)

test('cost: exact, as counted in big integers', () => {
  const exact = (decimal: string) => BigInt(decimal.replace('.', ''))
  fc.assert(
    fc.property(count, count, count, money, money, money, (text, cached, output, input, cacheRead, out) => {
      const picodollars = BigInt(text) * exact(input) + BigInt(cached) * exact(cacheRead) + BigInt(output) * exact(out)
      fc.pre(picodollars <= BigInt(Number.MAX_SAFE_INTEGER))
      const got = costOf(
        { ...NO_USAGE, input: text + cached, cached, output },
        priceOf({ input, cacheRead, output: out }),
      )
      assert.equal(BigInt(got ?? -1), picodollars)
    }),
  )
})

test('cost: splitting a call in two costs the same', () => {
  const price = priceOf(sonnet)
  fc.assert(
    fc.property(count, count, count, (a, b, c) => {
      const of = (input: number, output: number) => costOf({ ...NO_USAGE, input, output }, price) ?? Number.NaN
      assert.equal(of(a + b, c), of(a, 0) + of(b, c))
    }),
  )
})

test('usd: all digits, none too many', () => {
  const cases = [
    [0, '0'],
    [1, '0.000000000001'],
    [10_000, '0.00000001'],
    [123_450_000, '0.00012345'],
    [1e12, '1'],
    [12_500_000_000_000, '12.5'],
    [9_007_199_254_740_991, '9007.199254740991'],
  ] as const
  for (const [picodollars, text] of cases) assert.equal(usd(picodollars), text)
})
