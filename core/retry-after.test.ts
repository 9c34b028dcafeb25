import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { retryAfter } from './retry-after.ts'

const wall = Date.UTC(2026, 5, 1, 12, 0, 0)
const header = (name: string, value: string) => retryAfter([name, value], '', wall)
const said = (message: string) => retryAfter([], JSON.stringify({ error: { message } }), wall)

test('retry-after: headers, in every form', () => {
  const cases: readonly (readonly [name: string, value: string, ms: number | undefined])[] = [
    ['retry-after', '2', 2000],
    ['Retry-After', ' 120 ', 120_000],
    ['retry-after', '0', 0],
    ['retry-after', '1.5', 1500],
    ['retry-after', '0.0004', 1],
    ['retry-after', 'Mon, 01 Jun 2026 12:00:30 GMT', 30_000],
    ['retry-after', 'Monday, 01-Jun-26 12:00:30 GMT', 30_000],
    ['retry-after', 'Mon Jun  1 12:00:30 2026', 30_000],
    ['retry-after', 'Mon, 01 Jun 2026 11:00:00 GMT', 0],
    ['retry-after', '99999999999', 86_400_000],
    ['retry-after', '', undefined],
    ['retry-after', '-1', undefined],
    ['retry-after', '1e9', undefined],
    ['retry-after', 'soon', undefined],
    ['retry-after', 'Mon, 99 Foo 2026', undefined],
    ['retry-after', '2026-06-01', undefined],
    ['retry-after-ms', '250', 250],
    ['retry-after-ms', '250.5', 251],
    ['retry-after-ms', 'x', undefined],
    ['x-ms-retry-after-ms', '750', 750],
    ['x-ratelimit-reset-requests', '6m0s', undefined],
    ['x-ratelimit-reset', '12', 12_000],
    ['X-RateLimit-Reset', String(wall + 5000), 5000],
    ['x-ratelimit-reset', '0', undefined],
    ['x-ratelimit-reset', 'later', undefined],
  ]
  for (const [name, value, ms] of cases) assert.equal(header(name, value), ms, `${name}: ${value}`)
})

test('retry-after: the finest form wins, and one that does not parse is passed over', () => {
  assert.equal(
    retryAfter(['retry-after', '2', 'x-ms-retry-after-ms', '1700', 'retry-after-ms', '1600'], '', wall),
    1600,
  )
  assert.equal(retryAfter(['retry-after', '2', 'x-ms-retry-after-ms', '1700'], '', wall), 1700)
  assert.equal(retryAfter(['retry-after-ms', 'NaN', 'retry-after', '2'], '', wall), 2000)
  assert.equal(retryAfter(['retry-after', '2'], 'Please try again in 9s', wall), 2000)
  assert.equal(retryAfter(['x-ratelimit-reset', '60', 'retry-after', '2'], '', wall), 2000)
})

test('retry-after: Gemini’s RetryInfo, bare or in a list', () => {
  const error = (retryDelay: string) => ({
    error: {
      code: 429,
      status: 'RESOURCE_EXHAUSTED',
      details: [
        { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [] },
        { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
      ],
    },
  })
  assert.equal(retryAfter([], JSON.stringify(error('34s')), wall), 34_000)
  assert.equal(retryAfter([], JSON.stringify([error('34.074824224s')], undefined, 2), wall), 34_075)
  assert.equal(retryAfter([], JSON.stringify({ retryDelay: '3s' }), wall), undefined)
})

test('retry-after: what messages say', () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    [
      'Rate limit reached for gpt-4o in organization org-x on tokens per min. Please try again in 41.724s. Visit https://x',
      41_724,
    ],
    ['Please try again in 20ms.', 20],
    ['Please try again in 6m0s.', 360_000],
    ['Please try again in 2m59.56s. Need more tokens?', 179_560],
    ['Please try again in 1h2m3s', 3_723_000],
    ['Please retry after 26 seconds.', 26_000],
    ['Please retry after 1 second.', 1000],
    ['Please retry after 500 milliseconds.', 500],
    ['Please try again in 2 minutes.', 120_000],
    ['Try again in 1 minute and 3 seconds', 63_000],
    ['Please retry in 34.07s.', 34_070],
    ['Please try again in 1d1h', 86_400_000],
    ['Please try again later.', undefined],
    ['Please try again in a while.', undefined],
    ['The model is overloaded.', undefined],
    ['try again in 5 fortnights', undefined],
    ['', undefined],
  ]
  for (const [message, ms] of cases) assert.equal(said(message), ms, message)
})

test('retry-after: never negative, never more than a day, never a fault', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('retry-after', 'retry-after-ms', 'x-ms-retry-after-ms'),
      fc.oneof(
        fc.string(),
        fc.double().map(String),
        fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
      ),
      fc.string(),
      (name, value, body) => {
        const ms = retryAfter([name, value], `try again in ${body}`, wall)
        assert.ok(ms === undefined || (Number.isInteger(ms) && ms >= 0 && ms <= 86_400_000), String(ms))
      },
    ),
    { numRuns: 2000 },
  )
})
