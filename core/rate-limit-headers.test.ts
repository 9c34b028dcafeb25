import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { readRateLimits } from './rate-limit-headers.ts'
import type { Reading } from './rate-limit-headers.ts'

const wall = Date.UTC(2026, 5, 1, 12, 0, 0)
const read = (headers: Readonly<Record<string, string>>) => readRateLimits(Object.entries(headers).flat(), () => wall)

const of = (kind: string, limit: number, remaining: number, reset?: number): Reading => ({
  kind,
  limit,
  remaining,
  reset,
})

const cases: readonly (readonly [
  who: string,
  headers: Readonly<Record<string, string>>,
  readings: readonly Reading[],
])[] = [
  [
    'OpenAI',
    {
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-limit-tokens': '200000',
      'x-ratelimit-remaining-requests': '499',
      'x-ratelimit-remaining-tokens': '199976',
      'x-ratelimit-reset-requests': '120ms',
      'x-ratelimit-reset-tokens': '6m0s',
    },
    [of('requests', 500, 499, 120), of('tokens', 200_000, 199_976, 360_000)],
  ],
  [
    'OpenAI, limits by usage',
    {
      'x-ratelimit-limit-tokens_usage_based': '160000',
      'x-ratelimit-remaining-tokens_usage_based': '159976',
      'x-ratelimit-reset-tokens_usage_based': '9ms',
    },
    [of('tokens_usage_based', 160_000, 159_976, 9)],
  ],
  [
    'Groq',
    {
      'x-ratelimit-limit-requests': '14400',
      'x-ratelimit-limit-tokens': '18000',
      'x-ratelimit-remaining-requests': '14370',
      'x-ratelimit-remaining-tokens': '17997',
      'x-ratelimit-reset-requests': '2m59.56s',
      'x-ratelimit-reset-tokens': '7.66s',
    },
    [of('requests', 14_400, 14_370, 179_560), of('tokens', 18_000, 17_997, 7660)],
  ],
  [
    'Anthropic',
    {
      'anthropic-ratelimit-requests-limit': '4000',
      'anthropic-ratelimit-requests-remaining': '3999',
      'anthropic-ratelimit-requests-reset': '2026-06-01T12:00:01Z',
      'anthropic-ratelimit-input-tokens-limit': '400000',
      'anthropic-ratelimit-input-tokens-remaining': '399000',
      'anthropic-ratelimit-input-tokens-reset': '2026-06-01T14:00:30+02:00',
    },
    [of('requests', 4000, 3999, 1000), of('input-tokens', 400_000, 399_000, 30_000)],
  ],
  [
    'Anthropic, priority tier',
    {
      'anthropic-priority-output-tokens-limit': '10000',
      'anthropic-priority-output-tokens-remaining': '9618',
      'anthropic-priority-output-tokens-reset': '2026-06-01T12:00:02.5Z',
    },
    [of('priority-output-tokens', 10_000, 9618, 2500)],
  ],
  [
    'Anthropic, subscription',
    {
      'anthropic-ratelimit-unified-status': 'allowed',
      'anthropic-ratelimit-unified-5h-status': 'allowed',
      'anthropic-ratelimit-unified-5h-utilization': '0.75',
      'anthropic-ratelimit-unified-5h-reset': String(wall / 1000 + 60),
      'anthropic-ratelimit-unified-7d-utilization': '1.01',
      'anthropic-ratelimit-unified-7d-reset': String(wall / 1000 + 3600),
      'anthropic-ratelimit-unified-overage-utilization': '0.99',
      'anthropic-ratelimit-unified-representative-claim': 'five_hour',
    },
    [of('unified-5h', 1, 0.25, 60_000), of('unified-7d', 1, 0, 3_600_000)],
  ],
  [
    'Azure, chat: no resets',
    {
      'x-ratelimit-limit-requests': '250',
      'x-ratelimit-limit-tokens': '250000',
      'x-ratelimit-remaining-requests': '249',
      'x-ratelimit-remaining-tokens': '249984',
    },
    [of('requests', 250, 249), of('tokens', 250_000, 249_984)],
  ],
  [
    'Azure, whole seconds',
    { 'x-ratelimit-limit-tokens': '1000', 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '38' },
    [of('tokens', 1000, 0, 38_000)],
  ],
  [
    'Azure, Responses: −1 and 0 are unknown',
    { 'x-ratelimit-limit-tokens': '-1', 'x-ratelimit-remaining-tokens': '-1', 'x-ratelimit-reset-tokens': '0' },
    [],
  ],
  ['a remainder of 0 of nobody knows how many', { 'x-ratelimit-remaining-requests': '0' }, []],
  ['a remainder below nothing', { 'x-ratelimit-limit-requests': '10', 'x-ratelimit-remaining-requests': '-3' }, []],
  [
    'a reset of 0 is unknown',
    { 'x-ratelimit-limit-requests': '10', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '0s' },
    [of('requests', 10, 0)],
  ],
  [
    'Mistral',
    {
      'x-ratelimit-limit-req-minute': '60',
      'x-ratelimit-remaining-req-minute': '59',
      'x-ratelimit-limit-tokens-month': '4000000',
      'x-ratelimit-remaining-tokens-month': '3950246',
      'x-ratelimit-tokens-query-cost': '2804',
    },
    [of('req-minute', 60, 59), of('tokens-month', 4_000_000, 3_950_246)],
  ],
  [
    'Mistral, a key without allowance',
    { 'x-ratelimit-limit-req-minute': '0', 'x-ratelimit-remaining-req-minute': '0' },
    [],
  ],
  [
    'Cerebras',
    {
      'x-ratelimit-limit-requests-day': '14400',
      'x-ratelimit-remaining-requests-day': '14399',
      'x-ratelimit-reset-requests-day': '33011.382867',
    },
    [of('requests-day', 14_400, 14_399, 33_011_383)],
  ],
  [
    'Together',
    {
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '9',
      'x-ratelimit-reset': '1',
      'x-tokenlimit-limit': '3000',
      'x-tokenlimit-remaining': '2990',
    },
    [of('', 10, 9, 1000), of('tokens', 3000, 2990)],
  ],
  [
    'OpenRouter: ms since the epoch',
    { 'X-RateLimit-Limit': '20', 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': String(wall + 5000) },
    [of('', 20, 0, 5000)],
  ],
  [
    'Cohere, trial keys',
    { 'x-trial-endpoint-call-limit': '20', 'x-trial-endpoint-call-remaining': '19' },
    [of('calls', 20, 19)],
  ],
  ['Envoy and Kong', { 'x-ratelimit-limit': '100, 100;w=60', 'x-ratelimit-remaining': '98' }, [of('', 100, 98)]],
  [
    'a time that is over',
    { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '2020-01-01T00:00:00Z' },
    [of('', 5, 1, 0)],
  ],
  ['more left than there is', { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '9' }, [of('', 5, 5)]],
  ['no number', { 'x-ratelimit-limit-requests': 'many', 'x-ratelimit-remaining-requests': '1e3' }, []],
  [
    'Fireworks, over its limit or not',
    { 'x-ratelimit-over-limit': 'no', 'x-ratelimit-limit-tokens-prompt': '60000' },
    [],
  ],
  ['none', { 'content-type': 'application/json', 'x-request-id': 'a', 'retry-after': '3' }, []],
]

for (const [who, headers, readings] of cases)
  test(`rate-limit headers: ${who}`, () => assert.deepEqual(read(headers), readings))

test('rate-limit headers: nothing that a server says makes it fail, and all that it gives makes sense', () => {
  const name = fc.constantFrom(
    'x-ratelimit-limit-requests',
    'x-ratelimit-remaining-requests',
    'x-ratelimit-reset-requests',
    'anthropic-ratelimit-unified-5h-utilization',
    'X-RateLimit-Reset',
  )
  const value = fc.oneof(
    fc.string(),
    fc.integer().map(String),
    fc.double().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), (headers) => {
      for (const { limit = 0, remaining, reset = 0 } of readRateLimits(headers.flat(), () => wall))
        assert.ok(limit > 0 && remaining >= 0 && remaining <= limit && reset >= 0)
    }),
  )
})
